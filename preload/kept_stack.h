/* SPDX-License-Identifier: MIT */
/* The stacks of the last calls of a kind, a few per lane, told apart by where they were made.
 *
 * A loop that reads here and writes there has two stacks in turn, and the memo of the one before
 * (memo.h) has to walk each anew. So stacks that come back are kept with the words that lead through them, and
 * are recognised the same way: every word compared with the living stack, from the innermost
 * outwards, up to the first difference. An allocation's stack stays the memo's. */
#ifndef HEAPWISE_PRELOAD_KEPT_STACK_H
#define HEAPWISE_PRELOAD_KEPT_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/stack.h"

enum {
    KEPT_STACKS = 8,
    KEPT_STACK_WORDS =
        128, /* longer ones are not kept: comparing is no cheaper than walking a few frames */
};

/* One kept stack. */
struct kept_stack {
    struct arch_frame at; /* the innermost frame */
    uint64_t valid_in;    /* the lane's tree and the modules by which it has this id */
    uint32_t id;
    uint32_t n_missed; /* calls from `at` that had another stack, since one had this */
    uint16_t n_words;  /* 0: none is kept */
    bool bp_matters;
    struct stack_word words[KEPT_STACK_WORDS]; /* as in struct stack */
};

/* Those of one kind of call. Zero it to begin. */
struct kept_stacks {
    struct kept_stack places[KEPT_STACKS]; /* a caller's lies in one of two neighbours */
    uint32_t n_claims;                     /* of places, by callers that had none */
};

struct lane;

/* Get the id of the caller's stack, as event_unwound_stack(); `stacks` are the lane's. */
uint32_t kept_stack_id(struct lane *lane, struct kept_stacks *stacks,
                       const struct arch_frame *caller);

#endif
