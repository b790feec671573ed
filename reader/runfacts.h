/* SPDX-License-Identifier: MIT */
/* What a trace says about the run as a whole: command, machine, tool, exit status. */
#ifndef HEAPWISE_READER_RUNFACTS_H
#define HEAPWISE_READER_RUNFACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/profile.h"
#include "reader/storage.h"
#include "trace/record.h"

/* Set profile, whose fields are filled in, and storage, which keeps its texts, to begin. */
struct runfacts {
    struct profile *profile;
    struct storage *storage;
    int32_t root_pid;         /* 0 unknown */
    const char *folder;       /* where the command began, NULL unknown */
    bool tells_free_stacks;   /* else flags say whether all have one */
    bool no_io;               /* input and output were not recorded */
    bool ticks_are_ns;        /* the clock is CLOCK_MONOTONIC itself */
    uint64_t cycles_per_tick; /* of TRACE_CALL_TIME's, 0 unknown: 1 */
};

/* Take a TRACE_HEADER, a TRACE_RUN. 0 or -ENOMEM. */
int runfacts_take_header(struct runfacts *facts, const struct record *record);
int runfacts_take_run(struct runfacts *facts, const struct record *record);

/* Take a TRACE_END's status, if it has one. */
void runfacts_take_end(struct runfacts *facts, const struct record *record);

#endif
