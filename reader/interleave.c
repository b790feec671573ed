/* SPDX-License-Identifier: MIT */
/* How runs are merged: each step takes the lesser of two keys by arithmetic alone. */
#include "reader/interleave.h"

uint32_t interleave_add(struct interleave *interleave, const struct event *events, uint32_t n,
                        uint64_t ticks)
{
    const uint32_t start = interleave->n_runs ? interleave->ends[interleave->n_runs - 1] : 0;
    struct interleave_key *const keys = &interleave->keys[0][start];
    uint64_t now = 0;
    uint32_t n_taken = 0;
    for (; n_taken < n; n_taken++) {
        now = events[n_taken].ticks > now ? events[n_taken].ticks : now;
        if (now >= ticks)
            break;
        keys[n_taken] = (struct interleave_key){.ticks = now, .event = &events[n_taken]};
    }
    interleave->ends[interleave->n_runs++] = start + n_taken;
    return n_taken;
}

/* Merge [a, b) and [b, end) to `out`. */
static void merge_two(const struct interleave_key *a, const struct interleave_key *b,
                      const struct interleave_key *end, struct interleave_key *out)
{
    const struct interleave_key *const a_end = b;
    while (a < a_end && b < end) {
        const size_t second = b->ticks < a->ticks;
        *out++ = *(second ? b : a);
        a += 1 - second;
        b += second;
    }
    while (a < a_end)
        *out++ = *a++;
    while (b < end)
        *out++ = *b++;
}

/* Merge neighbours until one run is left; returns where. */
static const struct interleave_key *merge_all(struct interleave *interleave)
{
    const struct interleave_key *from = interleave->keys[0];
    struct interleave_key *to = interleave->keys[1];
    uint32_t *const ends = interleave->ends;
    while (interleave->n_runs > 1) {
        uint32_t n = 0, start = 0;
        for (uint32_t i = 0; i < interleave->n_runs; i += 2) {
            const uint32_t end = i + 1 < interleave->n_runs ? ends[i + 1] : ends[i];
            merge_two(from + start, from + ends[i], from + end, to + start);
            ends[n++] = start = end;
        }
        interleave->n_runs = n;
        const struct interleave_key *const merged = to;
        to = &interleave->keys[from == interleave->keys[1]][0];
        from = merged;
    }
    return from;
}

int interleave_send(struct interleave *interleave, struct outlet *outlet)
{
    const struct interleave_key *at = merge_all(interleave);
    const struct interleave_key *const end = at + (interleave->n_runs ? interleave->ends[0] : 0);
    interleave->n_runs = 0;
    while (at < end) {
        int error;
        struct event *place = outlet_place(outlet, &error);
        if (error)
            return error;
        const uint32_t n_room = BATCH_EVENTS - outlet->batch->n_events;
        const uint32_t n = (size_t)(end - at) < n_room ? (uint32_t)(end - at) : n_room;
        for (uint32_t i = 0; i < n; i++)
            place[i] = *at++->event;
        outlet->batch->n_events += n;
    }
    return 0;
}
