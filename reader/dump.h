/* SPDX-License-Identifier: MIT */
/* How a trace is shown record by record, for people and for tools that know JSON or msgpack only. */
#ifndef HEAPWISE_READER_DUMP_H
#define HEAPWISE_READER_DUMP_H

#include <stdio.h>

#include "reader/profile.h"

enum dump_format {
    DUMP_JSON,    /* one object a line: {"record": name, "stream": n, "t": ticks, ...} */
    DUMP_MSGPACK, /* the trace's own objects, uncompressed, without what is broken or cut */
};

/* Write every record of the trace at `path` ("-": standard input) to `out`, in the file's order.
 *
 * In JSON, times and addresses are absolute, addresses are hexadecimal strings, and text that is not
 * UTF-8 has its offending bytes as \xNN. Records inside a chunk carry its stream.
 * Returns 0; or as profile_load() does; or -EBADMSG when the trace is cut or broken, everything before
 * that written. Errors of `out` are left to its owner: ferror(out) ends the dump early with -EIO. */
int dump_trace(const char *path, enum dump_format format, FILE *out, struct trace_error *error_out);

#endif
