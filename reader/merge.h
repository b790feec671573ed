/* SPDX-License-Identifier: MIT */
/* In which order the records of all streams happened: a k-way merge by ticks, pass by pass.
 *
 *   stream 1  [chunk][chunk]........      up to the watermark every record of every stream
 *   stream 2  [chunk]...............  ->  is here, so all before it go out in order; chunks stay raw
 *   stream 3  ......................      until then and are decoded one record at a time
 *
 * Memory is what one or two passes wrote; a trace that never sets a watermark is forced on at
 * MERGE_MAX_BYTES. Records without a stamp (stack nodes) go out with the record before them. */
#ifndef HEAPWISE_READER_MERGE_H
#define HEAPWISE_READER_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/batch.h"
#include "reader/profile.h"
#include "trace/record.h"

#define MERGE_MAX_BYTES (UINT64_C(512) << 20)

struct merge;

/* Records go to `outlet`, which stays the caller's; so does EVENT_OVER, once a stream that was ended is
 * empty. Stream 0, for the collector's own stamped records, is there from the start. NULL: out of
 * memory. */
struct merge *merge_new(struct outlet *outlet);
void merge_free(struct merge *merge);

/* Add a stream. Returns 0 and its number, counted up from 1; or -ENOMEM. */
int merge_add_stream(struct merge *merge, uint32_t *stream_out);

/* Where a chunk's bytes lie in the trace, for error messages, and what its deltas count from. */
struct merge_chunk_head {
    struct record_base base;
    uint64_t offset;
    bool cut; /* the trace ends inside it: half a record at its end is no fault of it */
};

/* Append a chunk to a stream; takes over `bytes` (malloc'd) in any case. Returns 0 or -errno. */
int merge_add_chunk(struct merge *merge, uint32_t stream, const struct merge_chunk_head *head,
                    uint8_t *bytes, size_t n_bytes);

/* Nothing more will be appended to the stream. Returns 0 or what the outlet returned. */
int merge_end_stream(struct merge *merge, uint32_t stream);

/* Send on everything stamped before `ticks`. Returns 0 or what the outlet returned. */
int merge_up_to(struct merge *merge, uint64_t ticks);

/* Send on all that is left and end every stream. */
int merge_finish(struct merge *merge);

/* Whether a chunk broke the grammar: its stream was dropped from there on. error_out filled then. */
bool merge_is_broken(const struct merge *merge, struct trace_error *error_out);

#endif
