/* SPDX-License-Identifier: MIT */
/* Fields of a line of `heapwise dump`, each printed as `, "key": value`; and what a line of the I/O
 * records is made of. For reader/dump*.c only. */
#ifndef HEAPWISE_READER_DUMP_FIELDS_H
#define HEAPWISE_READER_DUMP_FIELDS_H

#include <stdint.h>
#include <stdio.h>

#include "trace/record.h"

void dump_put_number(FILE *out, const char *key, uint64_t value);
void dump_put_signed(FILE *out, const char *key, int64_t value);

/* As a hexadecimal string: numbers beyond 2^53 do not survive many JSON readers. */
void dump_put_address(FILE *out, const char *key, uint64_t value);
void dump_put_text(FILE *out, const char *key, struct unpack_text text);

/* The pairs of a msgpack map, each as a field of its own. */
void dump_put_pairs(FILE *out, uint32_t n_pairs, struct unpack_cursor pairs);

void dump_io(FILE *out, const struct record *record);
void dump_path_call(FILE *out, const struct record *record);
void dump_fd_new(FILE *out, const struct record *record);
void dump_fd_is(FILE *out, const struct record *record);
void dump_fd_close(FILE *out, const struct record *record);
void dump_folder(FILE *out, const struct record *record);
void dump_kernel_io(FILE *out, const struct record *record);

#endif
