/* SPDX-License-Identifier: MIT */
/* What to put in place of the allocator, call site by call site. */
#ifndef HEAPWISE_REPLAY_PLAN_H
#define HEAPWISE_REPLAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum replay_technique {
    REPLAY_NONE,
    REPLAY_POOL, /* objects of `bytes`, `slots` of them (for each thread where not shared), free ones chained */
    REPLAY_ARENA, /* `bytes` filled from the front, empty again when its last block dies */
    REPLAY_RESERVE, /* a growing block gets `bytes` at once; smaller resizes and growth cost nothing then */
    REPLAY_STACK, /* blocks of up to `bytes` lie in fixed places of their thread */
    REPLAY_REUSE, /* each thread keeps one block of at least `bytes`, and gives it out again */
    REPLAY_N_TECHNIQUES,
};

struct replay_plan_row {
    char site[17]; /* struct site.id */
    uint8_t technique;
    bool
        only_temporary; /* serve only blocks that their thread gives back before its next request */
    bool is_shared;     /* pool, arena: one for all threads, with a lock; else each has its own */
    uint16_t
        group; /* arena: rows of one number share it, and are measured together; 0: one of its own */
    uint64_t bytes, slots;
};

/* Zero it to begin. At most OPS_MAX_ROWS rows, no site twice: the first counts. */
struct replay_plan {
    struct replay_plan_row *rows;
    size_t n_rows;
};

/* The name in documents: "pool", "arena", ...; NULL past the last. */
const char *plan_technique_name(uint8_t technique);

/* Whether a row is measured alone: all but those that share the arena of an earlier one. */
bool plan_row_leads(const struct replay_plan *plan, size_t i);

/* Read a plan: a JSON array of objects {"site", "technique", and of "bytes" (pool: "object_bytes",
 * reserve: "final_bytes"), "slots", "shared", "group" what the technique takes}.
 * Returns 0 and a plan for plan_fini(); -errno; or -EINVAL with one line in why_out. */
int plan_read(const char *path, struct replay_plan *plan_out, char why_out[200]);

void plan_fini(struct replay_plan *plan);

#endif
