/* SPDX-License-Identifier: MIT */
/* Where a trace's bytes come from: a file or standard input, zstd frames or plain msgpack.
 *
 * Only a window of the decompressed stream is in memory. A frame that is cut or broken ends the
 * stream after the bytes that could still be decompressed. */
#ifndef HEAPWISE_READER_SOURCE_H
#define HEAPWISE_READER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

/* How a stream ended. */
enum source_end {
    SOURCE_OPEN,   /* there may be more */
    SOURCE_WHOLE,  /* at a frame's end, or the end of a plain file */
    SOURCE_CUT,    /* inside a zstd frame */
    SOURCE_BROKEN, /* not zstd from here on, or damaged */
    SOURCE_FAILED, /* the file could not be read further: source_errno() */
};

/* Open `path` ("-": standard input). Returns 0 or -errno. */
int source_open(const char *path, struct source **source_out);
void source_close(struct source *source);

/* Make at least `n_wanted` bytes from the current position readable in one piece.
 * Returns how many there are: fewer only at the end of the stream (or out of memory, SOURCE_FAILED);
 * *bytes_out points to them until the next call. */
size_t source_peek(struct source *source, size_t n_wanted, const uint8_t **bytes_out);

/* Move on by n bytes, at most as many as the last source_peek() returned. */
void source_take(struct source *source, size_t n_bytes);

/* The current position in the decompressed stream. */
uint64_t source_offset(const struct source *source);

enum source_end source_end(const struct source *source);
int source_errno(const struct source *source);

/* Whether the file holds no byte at all; whether it begins as a zstd frame does, or as a part of one. */
bool source_is_empty(const struct source *source);
bool source_is_compressed(const struct source *source);

#endif
