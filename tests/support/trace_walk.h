/* SPDX-License-Identifier: MIT */
/* A whole trace file in memory, record by record. Fails the test on a broken one. */
#ifndef HEAPWISE_TESTS_TRACE_WALK_H
#define HEAPWISE_TESTS_TRACE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"

struct trace_walk {
    uint8_t *bytes;
    struct unpack_cursor cursor;
    struct record_base base; /* as the last chunk's head set it */
    uint32_t stream;         /* of that chunk */
    struct record record;    /* the current one */
};

/* Decompress a file's whole frames and what can be had of a cut one. */
void trace_walk_open(struct trace_walk *walk, const char *path);
void trace_walk_close(struct trace_walk *walk);

/* Move on; false at the end. */
bool trace_walk_next(struct trace_walk *walk);

/* How many records of a tag a file holds. */
size_t trace_walk_count(const char *path, enum trace_tag tag);

#endif
