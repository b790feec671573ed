/* SPDX-License-Identifier: MIT */
/* How lists of operations grow side by side in one file. */
#ifndef HEAPWISE_REPLAY_OPS_WRITER_H
#define HEAPWISE_REPLAY_OPS_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "replay/ops.h"

/* Zero it to begin. Offsets stay what they are; pointers last until the next call that makes room. */
struct ops_writer {
    int fd;
    uint8_t *bytes; /* the file, mapped */
    uint64_t n_bytes, capacity;
};

/* A thread's list while it grows. Zero it to begin. */
struct ops_list {
    uint64_t first_at;
    uint32_t n_first, n_chunk; /* ops in the first chunk, in the last one */
    uint64_t at, end; /* where the next op goes; the chunk's last place, kept for OPS_JUMP */
};

/* Make an empty file without a name in $TMPDIR, /tmp or memory; what is written first begins behind a
 * struct ops_head. 0 or -errno. */
int ops_writer_open(struct ops_writer *writer);

/* Append an op to a list. 0, -ENOMEM, -ENOSPC, ...; *at_out is its offset. */
int ops_writer_add(struct ops_writer *writer, struct ops_list *list, const struct ops_op *op,
                   uint64_t *at_out);

/* Append bytes of no list. 0 or -errno, with their offset. */
int ops_writer_put(struct ops_writer *writer, const void *bytes, size_t n_bytes, uint64_t *at_out);

/* The op at an offset that ops_writer_add() gave. */
static inline struct ops_op *ops_writer_op(const struct ops_writer *writer, uint64_t at)
{
    return (struct ops_op *)(void *)(writer->bytes + at);
}

/* Unmap, and close the file. */
void ops_writer_close(struct ops_writer *writer);

#endif
