/* SPDX-License-Identifier: MIT */
/* How a test writes a trace: as a readable script, one record a line.
 *
 *   clock 0 0 0                       a file record: its name and its fields
 *   stream 1 1 100 100 0              stream 1 belongs to image 1, pid 100, tid 100, main ring
 *   1 image 5 image=1 pid=100 executable=/bin/true arguments=[true,-v]
 *   1 malloc 10 0x1000 64 0           a ring record of stream 1: times and addresses absolute
 *   watermark 20                      ends the chunks that are open, in the order of their streams
 *
 * Names are those of record_name(). Times and addresses are turned into the deltas of the format.
 * A missing optional field is left out, more numbers than needed are appended; a map is the rest of
 * the line as key=value; "-" is nil. A line that begins with # is a comment. The header comes by itself. */
#ifndef HEAPWISE_TESTS_TRACE_WRITER_H
#define HEAPWISE_TESTS_TRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_bytes {
    uint8_t *bytes; /* to be freed */
    size_t n_bytes;
};

/* The msgpack stream a script stands for. A faulty script aborts the test. */
struct trace_bytes trace_write(const char *script);

/* The same bytes as `n_frames` zstd frames. */
struct trace_bytes trace_compress(const struct trace_bytes *trace, unsigned n_frames);

/* Put bytes into an anonymous file and its path into path_out. Returns the descriptor to close. */
int trace_file(const void *bytes, size_t n_bytes, char path_out[64]);

#endif
