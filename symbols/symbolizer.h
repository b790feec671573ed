/* SPDX-License-Identifier: MIT */
/* Names for addresses: module + offset -> function, file, line, and what was inlined there.
 *
 * Reads ELF and DWARF through elfutils: the file itself, its .gnu_debuglink and .gnu_debugaltlink
 * companions, and <debug folder>/.build-id/xx/yyyy.debug. A file whose build-id is not the recorded
 * one is not used: wrong names are worse than none. Without DWARF the symbol table (.symtab, else .dynsym)
 * gives the function. HEAPWISE_DEBUG_PATH names further debug folders, colon separated, looked into
 * before /usr/lib/debug; the network is never asked. Of glibc's own libc.so.6 and ld.so a separate debug
 * file gives function names only: inflating its DWARF would cost every run 60 ms. Names come
 * demangled (C++ and Rust, libiberty).
 * Not thread-safe; one symbolizer per thread. Hostile ELF files must not crash it. */
#ifndef HEAPWISE_SYMBOLS_SYMBOLIZER_H
#define HEAPWISE_SYMBOLS_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbolizer;

struct symbol_frame {
    const char *function; /* demangled; "" where unknown */
    const char *file;     /* as the compiler recorded it, made absolute; "" where unknown */
    uint32_t line;        /* 0 where unknown */
    bool inlined;         /* into the frame that follows */
};

/* Make a symbolizer. Returns NULL when out of memory. */
struct symbolizer *symbolizer_new(void);
void symbolizer_free(struct symbolizer *symbolizer);

/* Find the names of one code address.
 *
 * `path` is the module's file; `build_id` is lower-case hex, "" where unknown (then any file at that
 * path is used); `offset` is the address less the module's load bias (an ELF virtual address), and
 * points INTO the calling instruction: subtract one from a return address first.
 * Fills frames_out[0..n), innermost inlined frame first, at most `cap`; the last one is not inlined.
 * Returns n, at least 1: with function "" when nothing is known. Strings live as long as the
 * symbolizer. Cost: opening a module once (ms), then O(log n) a lookup. */
size_t symbolizer_lookup(struct symbolizer *symbolizer, const char *path, const char *build_id,
                         uint64_t offset, struct symbol_frame *frames_out, size_t cap);

#endif
