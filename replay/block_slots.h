/* SPDX-License-Identifier: MIT */
/* Numbers for blocks while a trace is compiled: those of freed blocks are given out again, so there are about as
 * many as blocks were live at once. */
#ifndef HEAPWISE_REPLAY_BLOCK_SLOTS_H
#define HEAPWISE_REPLAY_BLOCK_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

/* A slot as the last op on it leaves it. */
struct block_slot {
    uint32_t turn, list; /* how many ops there were; whose list has the last */
    uint32_t next;       /* free or live one */
    uint32_t previous;   /* live one */
    uint16_t row;        /* of the plan, from 1, or 0; the compiler's */
    bool is_live;
};

/* Free ones that a thread keeps, for reuse without waiting. Zero it to begin. */
struct block_slots_own {
    uint32_t first_free, n_free;
};

/* Zero it to begin. */
struct block_slots {
    struct block_slot *all; /* by number less one */
    uint32_t n, capacity;
    uint32_t first_free;            /* of no thread's */
    uint32_t first_live, last_live; /* the one that lives longest, and that which came last; or 0 */
};

/* Valid until the next block_slots_take(). */
static inline struct block_slot *block_slots_at(const struct block_slots *slots, uint32_t number)
{
    return &slots->all[number - 1];
}

/* A live slot for a new block: the thread's own if it has a free one. 0 or -ENOMEM. */
int block_slots_take(struct block_slots *slots, struct block_slots_own *own, uint32_t *number_out);

/* The block of a live slot is gone; the thread that had it last keeps the slot if it has few. */
void block_slots_give(struct block_slots *slots, struct block_slots_own *own, uint32_t number);

void block_slots_fini(struct block_slots *slots);

#endif
