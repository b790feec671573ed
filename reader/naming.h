/* SPDX-License-Identifier: MIT */
/* What the addresses in a trace are called: the names the trace carries, else those that the files
 * on this machine give. */
#ifndef HEAPWISE_READER_NAMING_H
#define HEAPWISE_READER_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/idmap.h"
#include "reader/stacks.h"
#include "reader/strtab.h"
#include "trace/record.h"

enum { NAMING_MAX_INLINED = 64 }; /* frames of one address */

struct naming_frame {
    uint32_t function, file; /* strtab ids */
    uint32_t line;
    bool inlined;
};

struct symbolizer;

/* Zero it and set texts and stacks to begin. */
struct naming {
    struct strtab *texts;
    struct stacks *stacks;
    struct idmap strings;        /* the trace's string id -> strtab id */
    struct idmap objects;        /* the trace's object id -> stacks_object() */
    struct idmap symbols;        /* hash of object and offset -> index of its first frame + 1 */
    struct naming_frame *frames; /* of all symbols; the last one of each is not inlined */
    uint32_t n_frames, capacity;
    struct symbolizer *symbolizer; /* made when first needed */
};

/* A TRACE_STRING, TRACE_OBJECT or TRACE_SYMBOL. 0 or -ENOMEM. */
int naming_add(struct naming *names, const struct record *record);

/* The frames at an offset of an object, innermost first: frames_out[0..n), at least one. */
uint32_t naming_find(struct naming *names, uint32_t object, uint64_t offset,
                     struct naming_frame frames_out[NAMING_MAX_INLINED]);

void naming_fini(struct naming *names);

#endif
