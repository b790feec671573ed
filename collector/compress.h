/* SPDX-License-Identifier: MIT */
/* The compressed stream into the trace file: bytes in, zstd frames out.
 *
 * Bytes are gathered in one buffer, where a caller may put them itself (compress_reserve()), and
 * become a frame of their own when it is full and at each flush: whatever happens to the collector,
 * the file is readable up to the last of these. A refused write (no room) leaves the stream whole:
 * compress_stop() then makes the kept-back room usable for the end of the trace. One thread only. */
#ifndef HEAPWISE_COLLECTOR_COMPRESS_H
#define HEAPWISE_COLLECTOR_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/pace.h"
#include "collector/trace_file.h"

enum compress_sizes {
    COMPRESS_LEAST_BYTES = 2048,
    COMPRESS_MOST_BYTES = 288 * 1024, /* that may be reserved */
};

struct compress; /* opaque */

/* Make a stream into `file`, which must stay open and is not owned. Returns NULL without memory. */
struct compress *compress_new(struct trace_file *file);
void compress_free(struct compress *compress);

/* Put work off until the end where others want the processors and the file allows it (see pace.h).
 * To be called by the thread that does the work. */
void compress_watch_crowding(struct compress *compress);

/* Append bytes[0..n).
 *
 * Returns 0; or the negative errno that keeps it from being written, in which case nothing of it
 * was taken. The first error stays: later calls return it too, until compress_stop(). */
int compress_write(struct compress *compress, const void *bytes, size_t n_bytes);

/* Get room for n_wanted bytes, at most COMPRESS_MOST_BYTES, right where they will be compressed.
 * Fill in a first part of it, then compress_commit() that; or leave it. Good until the next call. */
uint8_t *compress_reserve(struct compress *compress, size_t n_wanted);

/* Append the first n_bytes of what was reserved last. `mark` is any number of the caller's that says
 * how far it is now; see compress_mark(). Returns the same as compress_write(). */
int compress_commit(struct compress *compress, size_t n_bytes, uint64_t mark);

/* How many of n_wanted bytes compress_write() will take for sure: all, or near a limit a part of them,
 * found by halving and at least COMPRESS_LEAST_BYTES; n_wanted again where not even those would be
 * taken. Flushes what is held back before it says less than all. */
size_t compress_room(struct compress *compress, size_t n_wanted);

/* Make all bytes so far readable in the file. The same errors. Cheap when there are none. */
int compress_flush(struct compress *compress);

/* The same, and never cut back behind them. The same errors. */
int compress_end_frame(struct compress *compress);

/* After an error: let the reserve be used and writing go on (see trace_file_release_reserve()).
 * Cuts the file back to where it was last safe if a write was torn; tells so by `cut_out`.
 * Returns 0, or a negative errno when nothing more can be written. */
int compress_stop(struct compress *compress, bool *cut_out);

/* The mark of the last commit that was taken, or after compress_stop() kept; 0 before the first. */
uint64_t compress_mark(const struct compress *compress);

/* The error that stays, 0 while all is well. */
int compress_error(const struct compress *compress);

/* Bytes taken so far, before compression. */
uint64_t compress_n_bytes(const struct compress *compress);

/* What decides how hard it tries; tell it how full the rings were. */
struct pace *compress_pace(struct compress *compress);

#endif
