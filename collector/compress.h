/* SPDX-License-Identifier: MIT */
/* The compressed stream into the trace file: bytes in, zstd frames out.
 *
 * Frames end every few MiB and are flushed in between, so that whatever happens to the collector
 * the file is readable up to the last flush. A refused write (no room) leaves the stream whole:
 * compress_stop() then makes the kept-back room usable for the end of the trace. One thread only. */
#ifndef HEAPWISE_COLLECTOR_COMPRESS_H
#define HEAPWISE_COLLECTOR_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/trace_file.h"

enum { COMPRESS_LEAST_BYTES = 2048 };

struct compress; /* opaque */

/* Make a stream into `file`, which must stay open and is not owned. Returns NULL without memory. */
struct compress *compress_new(struct trace_file *file);
void compress_free(struct compress *compress);

/* Append bytes[0..n).
 *
 * Returns 0; or the negative errno that keeps it from being written, in which case nothing of it
 * was taken. The first error stays: later calls return it too, until compress_stop(). */
int compress_write(struct compress *compress, const void *bytes, size_t n_bytes);

/* How many of n_wanted bytes compress_write() will take for sure: all, or near a limit a part of them,
 * found by halving and at least COMPRESS_LEAST_BYTES; n_wanted again where not even those would be
 * taken. Flushes what is held back before it says less than all. */
size_t compress_room(struct compress *compress, size_t n_wanted);

/* Make all bytes so far readable in the file. The same errors. Cheap when there are none. */
int compress_flush(struct compress *compress);

/* End the frame; the next write begins a new one. The same errors. */
int compress_end_frame(struct compress *compress);

/* After an error: let the reserve be used and writing go on (see trace_file_release_reserve()).
 * Cuts the file back to the last whole frame if a write was torn; tells so by `cut_out`.
 * Returns 0, or a negative errno when nothing more can be written. */
int compress_stop(struct compress *compress, bool *cut_out);

/* The error that stays, 0 while all is well. */
int compress_error(const struct compress *compress);

/* Bytes taken so far, before compression. */
uint64_t compress_n_bytes(const struct compress *compress);

#endif
