/* SPDX-License-Identifier: MIT */
/* A shim without a program: claims slots of a session and writes records into their rings, as any
 * process would that has mapped the session. Works in the collector's own process. */
#ifndef HEAPWISE_TESTS_FAKE_SHIM_H
#define HEAPWISE_TESTS_FAKE_SHIM_H

#include <stdint.h>

#include "collector/session.h"
#include "trace/record.h"

struct fake_ring {
    struct ring *ring;
    uint8_t *bytes;
    uint64_t size;
    struct record_base base; /* of its numbers */
};

struct fake_thread {
    struct slot_header *header;
    uint32_t slot;
    uint64_t slot_bytes;
    struct fake_ring rings[2];
};

/* Claim a free slot for pid and tid, fill in its header, make it ready. Fails the test if none. */
void fake_claim(struct fake_thread *thread, const struct session *session, uint32_t image_id,
                int pid, int tid);
void fake_leave(struct fake_thread *thread); /* unmaps; the claim stays */

/* Write one record and publish it; pads the lap where needed. Does not wait for room. */
void fake_image(struct fake_ring *ring, uint64_t ticks, uint32_t image_id, int pid);
void fake_node(struct fake_ring *ring, uint32_t id, uint32_t parent, uint64_t return_address);
void fake_module(struct fake_ring *ring, uint64_t ticks, uint64_t start, uint64_t end,
                 const char *path);
void fake_malloc(struct fake_ring *ring, uint64_t ticks, uint64_t address, uint64_t size);
void fake_free(struct fake_ring *ring, uint64_t ticks, uint64_t address);
void fake_bytes(struct fake_ring *ring, const void *bytes, size_t n_bytes);

#endif
