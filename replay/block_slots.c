/* SPDX-License-Identifier: MIT */
/* Which slot is next? Free ones are chained, each thread's and those of none; live ones in the order of their
 * blocks' birth, for an exec takes all that live, and a trace may have as many execs as blocks. */
#include "replay/block_slots.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

enum { OWN_MAX = 64 };

static void begin_life(struct block_slots *slots, uint32_t number)
{
    struct block_slot *const slot = block_slots_at(slots, number);
    slot->is_live = true;
    slot->next = 0;
    slot->previous = slots->last_live;
    *(slot->previous ? &block_slots_at(slots, slot->previous)->next : &slots->first_live) = number;
    slots->last_live = number;
}

static void end_life(struct block_slots *slots, uint32_t number)
{
    struct block_slot *const slot = block_slots_at(slots, number);
    slot->is_live = false;
    *(slot->previous ? &block_slots_at(slots, slot->previous)->next : &slots->first_live) =
        slot->next;
    *(slot->next ? &block_slots_at(slots, slot->next)->previous : &slots->last_live) =
        slot->previous;
}

int block_slots_take(struct block_slots *slots, struct block_slots_own *own, uint32_t *number_out)
{
    uint32_t *const first = own->first_free ? &own->first_free : &slots->first_free;
    if (*first) {
        *number_out = *first;
        own->n_free -= first == &own->first_free;
        *first = block_slots_at(slots, *number_out)->next;
    } else {
        struct block_slot *const all =
            array_room(slots->all, slots->n, &slots->capacity, sizeof *slots->all);
        if (!all)
            return -ENOMEM;
        slots->all = all;
        all[slots->n++] = (struct block_slot){.turn = 0};
        *number_out = slots->n;
    }
    begin_life(slots, *number_out);
    return 0;
}

void block_slots_give(struct block_slots *slots, struct block_slots_own *own, uint32_t number)
{
    uint32_t *const first = own->n_free < OWN_MAX ? &own->first_free : &slots->first_free;
    end_life(slots, number);
    own->n_free += first == &own->first_free;
    block_slots_at(slots, number)->next = *first;
    *first = number;
}

void block_slots_fini(struct block_slots *slots)
{
    free(slots->all);
    *slots = (struct block_slots){.n = 0};
}
