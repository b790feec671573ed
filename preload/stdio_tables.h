/* SPDX-License-Identifier: MIT */
/* Where stdio reaches the kernel: four functions in each of libc's tables of stream functions.
 *
 * A call of read or write inside libc passes no hook. What every stream does pass is its table, and
 * the tables lie in memory that is read-only only since libc was relocated:
 *
 *     FILE   flags, buffer ...      libc's RELRO segment
 *            table pointer ------>  | .. | read | write | seek | close | .. |   one of several tables
 *
 * Tables are found by value: stdout's tells what read and write are in all of them. glibc checks where a
 * table lies, not what it holds. Sources: glibc libio/libioP.h, struct _IO_jump_t and IO_validate_vtable. */
#ifndef HEAPWISE_PRELOAD_STDIO_TABLES_H
#define HEAPWISE_PRELOAD_STDIO_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { STDIO_MAX_TABLES = 16 };

/* The neighbours in a table, in its order. Between glibc 2.1 and 2.41 these are words 14 to 17 of it. */
struct stdio_slots {
    ssize_t (*read)(FILE *stream, void *bytes, ssize_t n_bytes);
    ssize_t (*write)(FILE *stream, const void *bytes, ssize_t n_bytes);
    off64_t (*seek)(FILE *stream, off64_t offset, int whence);
    int (*close)(FILE *stream);
};

struct stdio_tables {
    size_t n; /* tables whose slots are ours now, 0: none could be */
    struct stdio_table {
        struct stdio_slots *slots; /* in libc */
        struct stdio_slots before; /* what stood there; `close` differs from table to table */
    } tables[STDIO_MAX_TABLES];
    struct stdio_slots usual;       /* what stood in stdout's */
    uintptr_t code_start, code_end; /* of libc */
};

/* Put `ours` into all tables of the libc that `stream` (its stdout) belongs to, and make them read-only again.
 *
 * *tables_out is filled in before the first slot changes, so that `ours` can use it at once. Either
 * all are ours afterwards or none is. Returns NULL, or a few words on what stood in the way.
 * Call once; other threads may use stdio meanwhile. */
const char *stdio_tables_replace(const FILE *stream, const struct stdio_slots *ours,
                                 struct stdio_tables *tables_out);

/* What stood in the table of `stream` before; the usual where it has a copy that somebody made of one. */
const struct stdio_slots *stdio_tables_before(const struct stdio_tables *tables,
                                              const FILE *stream);

#endif
