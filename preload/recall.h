/* SPDX-License-Identifier: MIT */
/* Whole stacks of before, recognised instead of walked.
 *
 * A program allocates along few ways: sqlite3's 2 million stacks are 437 different ones, and after one of them
 * comes nearly always the same other. So stacks that came twice are kept, each with its id and the words that
 * lead through it (stack.h), and the next one is guessed:
 *
 *     the stack before, pc and sp of the caller ──► a kept stack: its words are those in memory? it is the one
 *                                   pc and sp ──► another     the first that differs, and what is there ──► ...
 *
 * Calls that do not follow from the stack before (I/O, sampled releases) are guessed by pc and sp at once.
 *
 * A guess is only where to look. It is right when every word is the same, compared on the living stack from
 * the caller outwards (kept_stack.h): what memo.c says of its words is true of these.
 *
 * Kept are complete stacks of one generation of modules and one tree of ids. Where memory is full, all are
 * forgotten, and if few were met again, none is kept for a time. Async-signal-safe: what a handler leaves for
 * good in the middle has no effect. */
#ifndef HEAPWISE_PRELOAD_RECALL_H
#define HEAPWISE_PRELOAD_RECALL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/kept_stack.h"

enum recall_sizes {
    RECALL_GUESS_BITS = 13, /* of the places in a table */
    RECALL_ID_BITS = 12,
    RECALL_UNIT_BYTES = 16,
    RECALL_UNITS = 1 << 15, /* 512 KiB: some 1,850 stacks; cppcheck has 5,400, few at a time */
    RECALL_FIRST_UNIT = 64, /* smaller numbers name no stack */
};

/* Those of a lane. Zero it to begin; pages that are never needed are never touched. */
struct recall {
    uint32_t generation;     /* of the module list: in another one all are void */
    uint32_t n_units;        /* used; 0: none */
    uint64_t n_met;          /* times that two stacks wanted one place in a table */
    uint64_t n_missed;       /* stacks learned of since all were forgotten for want of room ... */
    uint64_t n_taken_before; /* ... when the ring had counted so many in all */
    uint32_t n_resting;      /* stacks not to be learned of, as keeping was of little use */
    uint16_t guesses[1 << RECALL_GUESS_BITS]; /* the unit at which a kept stack begins; 0: none */
    uint16_t by_id[1 << RECALL_ID_BITS];      /* the same, or how one that came once is marked */
    alignas(64) unsigned char units[RECALL_UNITS][RECALL_UNIT_BYTES];
};

struct lane;

/* Find the stack of an allocation's caller among the kept ones, and count it in the lane's ring as unwound; NULL
 * where it is none of them. Valid until the lane learns or forgets. About 0.5 ns a frame. */
const struct kept_stack *recall_find(struct lane *lane, const struct arch_frame *caller);

/* After recall_find() found none: lane->stack is the caller's, and has this id (0: none). Keeps it if it came before. */
void recall_learn(struct lane *lane, const struct arch_frame *caller, uint32_t id);

/* Both by place alone, for calls that the stack before says nothing of, nor they of the next: I/O, and releases,
 * one in many of which has a stack. */
const struct kept_stack *recall_find_at(struct lane *lane, const struct arch_frame *caller);
void recall_learn_at(struct lane *lane, const struct arch_frame *caller, uint32_t id);

/* Forget all, as before ids become void. NULL is nothing to forget. */
void recall_forget(struct recall *recall);

#endif
