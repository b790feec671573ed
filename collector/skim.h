/* SPDX-License-Identifier: MIT */
/* Passing over records that the collector need not look into: it counts them, adds up what their
 * short numbers count from, and checks them as hard as record_decode() does, without taking their
 * fields apart. Whatever is unusual, wrong or only rare is left to record_decode(). */
#ifndef HEAPWISE_COLLECTOR_SKIM_H
#define HEAPWISE_COLLECTOR_SKIM_H

#include <stdint.h>

#include "trace/record.h"

struct skim {
    struct record_base base; /* moved on by every record passed */
    uint64_t n_records;      /* counted up */
    uint64_t n_events;       /* counted up: allocations, releases, ended resizes */
};

/* Pass over allocations, releases, begins and ends of resizes, times of calls from `at` on. Returns where it stopped:
 * at or behind `limit`, or at a record that is not for it, perhaps of no valid form. Reads no further
 * than `end`. */
const uint8_t *skim_events(const uint8_t *at, const uint8_t *limit, const uint8_t *end,
                           struct skim *skim);

/* Pass over one stack node. Returns its end and gives its address; or NULL, and it may still be one. */
const uint8_t *skim_node(const uint8_t *at, const uint8_t *end, uint64_t *return_address_out);

#endif
