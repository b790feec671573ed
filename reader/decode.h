/* SPDX-License-Identifier: MIT */
/* Which records a trace's file level is made of, one after the other, with the bytes of chunks.
 *
 * Nothing is believed: a record is handed out whole and checked, a chunk only with the bytes that
 * are really there. What ends the trace early is told in a struct trace_error. */
#ifndef HEAPWISE_READER_DECODE_H
#define HEAPWISE_READER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/profile.h"
#include "trace/record.h"

struct decoder;

enum decode_limits {
    DECODE_MAX_RECORD_BYTES = 16 << 20, /* of a file record: command lines and symbols fit well */
    DECODE_MAX_CHUNK_BYTES = 256 << 20,
};

struct decode_item {
    struct record record; /* its texts point into `bytes` */
    uint64_t offset;      /* of the record in the decompressed stream */
    const uint8_t *bytes; /* the record itself, until the next call */
    size_t n_bytes;
    /* TRACE_CHUNK only: what follows the record, to be given to free(). */
    uint8_t *payload;
    size_t payload_bytes; /* fewer than the chunk claims when the trace is cut inside */
    uint64_t payload_offset;
};

/* Open a trace and check its header, which decode_next() then gives first.
 * Returns 0 and a decoder to close, also where the trace is cut inside its header (decode_next()
 * says so then). -errno, -EBADMSG or -EPROTONOSUPPORT as profile_load() gives them, error_out filled. */
int decode_open(const char *path, struct decoder **decoder_out, struct trace_error *error_out);
void decode_close(struct decoder *decoder);

/* Take the next record. Returns 1 with one, 0 at the end of the stream, or, error_out filled:
 * -EBADMSG when the trace is cut or broken here, other -errno when it cannot be read further.
 * A chunk that is cut is handed out with what is there; the call after it tells of the cut. */
int decode_next(struct decoder *decoder, struct decode_item *item_out,
                struct trace_error *error_out);

#endif
