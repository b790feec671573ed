/* SPDX-License-Identifier: MIT */
/* One lane over memory of the test, for files of the shim that write records. Defines what they want
 * of the others: session, real, and stacks that are whatever the test says. */
#ifndef HEAPWISE_TESTS_LANE_FIXTURE_H
#define HEAPWISE_TESTS_LANE_FIXTURE_H

#include <stddef.h>

#include "preload/lane.h"
#include "trace/record.h"

enum { LANE_FIXTURE_BYTES = 1 << 20 };

/* An empty ring of n_bytes (a power of two, at most LANE_FIXTURE_BYTES) that drops when full. */
struct lane *lane_fixture_start(size_t n_bytes);

/* The slot that the lane is the main one of. */
struct slot_memory *lane_fixture_slot(void);

/* Whose stack the last event has; LANE_FIXTURE_OUTSIDE as pc where it was looked for by unwinding. */
extern struct arch_frame lane_fixture_caller;
enum { LANE_FIXTURE_OUTSIDE = 0x1234 };

/* The id that the next events' stacks get, and what malloc_usable_size is to say. */
void lane_fixture_set(uint32_t stack_id, size_t usable_bytes);

/* Decode all that was written. Returns how many; fails the test where something does not decode. */
size_t lane_fixture_records(struct record *records_out, size_t cap);

#endif
