/* SPDX-License-Identifier: MIT */
/* A session object as the collector would make it, for tests of the shim: no collector, the test
 * itself looks into the rings. */
#ifndef HEAPWISE_TESTS_SESSION_MEMORY_H
#define HEAPWISE_TESTS_SESSION_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"
#include "trace/session_layout.h"

struct session_memory {
    int fd;
    uint8_t *all; /* the whole object */
    size_t n_bytes;
    struct session_header *header; /* its first bytes */
};

/* Make one with n_slots free slots; ring sizes are powers of two. Reachable by every process through
 * header->session_path as long as this one lives. */
struct session_memory session_memory_new(uint32_t n_slots, uint64_t main_bytes,
                                         uint64_t signal_bytes);
void session_memory_free(struct session_memory *memory);

/* Map the header alone, as a shim does after opening the session. Unmap it by munmap(). */
struct session_header *session_memory_map_header(const struct session_memory *memory);

struct slot_header *session_memory_slot(const struct session_memory *memory, uint32_t index);

/* Decode what a slot's ring (0 main, 1 signal) holds from its first byte; it must not have lapped.
 * Fills records_out[0..n), at most cap; fails the test where anything does not decode. Texts point
 * into the ring. */
size_t session_memory_records(const struct session_memory *memory, uint32_t slot, unsigned ring,
                              struct record *records_out, size_t cap);

#endif
