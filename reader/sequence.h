/* SPDX-License-Identifier: MIT */
/* Everything a trace says, in the order it happened: its chunks merged by time, the file's own records
 * between them where they stand. */
#ifndef HEAPWISE_READER_SEQUENCE_H
#define HEAPWISE_READER_SEQUENCE_H

#include <stdbool.h>

#include "reader/batch.h"
#include "reader/decode.h"

/* How a trace ended. */
struct sequence_end {
    bool truncated;
    struct trace_error cut; /* where and why, when truncated */
};

/* Read the trace from the decoder's position to its end and send all of it to the outlet: streams by
 * the numbers 1, 2, ... in the order of their TRACE_STREAM records, 0 for the collector.
 *
 * A cut or broken trace is no failure: end_out says where. Returns 0; what the outlet returned;
 * -ENOMEM; or another -errno when the file cannot be read further, error_out filled in then. */
int sequence_send(struct decoder *decoder, struct outlet *outlet, struct sequence_end *end_out,
                  struct trace_error *error_out);

#endif
