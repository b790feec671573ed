/* SPDX-License-Identifier: MIT */
/* How a place moves: those in its way step aside one by one, then it is put down once. */
#include "reader/heap.h"

void heap_sink(struct place *places, uint32_t n, uint32_t at)
{
    const struct place moving = places[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && heap_before(&places[child + 1], &places[child]))
            child++;
        if (!heap_before(&places[child], &moving))
            break;
        places[at] = places[child];
        at = child;
    }
    places[at] = moving;
}

void heap_rise(struct place *places, uint32_t at)
{
    const struct place moving = places[at];
    while (at > 0 && heap_before(&moving, &places[(at - 1) / 2])) {
        places[at] = places[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    places[at] = moving;
}

void heap_sort_by_stream(const struct place *places, uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        const uint32_t moving = numbers[i];
        uint32_t at = i;
        for (; at > 0 && places[numbers[at - 1]].stream > places[moving].stream; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = moving;
    }
}
