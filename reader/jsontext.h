/* SPDX-License-Identifier: MIT */
/* How values from a trace are written as JSON, whatever bytes they hold. */
#ifndef HEAPWISE_READER_JSONTEXT_H
#define HEAPWISE_READER_JSONTEXT_H

#include <stdio.h>

#include "trace/unpack.h"

/* Write a text as a JSON string: quotes, backslashes and control characters escaped (RFC 8259); bytes
 * that are not UTF-8 as the four characters \xNN (a backslash there is written twice). */
void jsontext_string(FILE *out, const char *bytes, size_t n_bytes);

/* Write the next msgpack object, whose grammar was checked, as JSON. Returns 0, or what
 * trace/unpack.h does for one that is not whole; then null was written. Ext objects become null. */
int jsontext_object(FILE *out, struct unpack_cursor *cursor);

#endif
