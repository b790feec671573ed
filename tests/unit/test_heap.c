/* SPDX-License-Identifier: MIT */
/* What the heap gives first, whatever moves in it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/heap.h"

enum { N_PLACES = 40, N_STEPS = 3000 };

static const struct place *least_of(const struct place *places, uint32_t n)
{
    const struct place *least = places;
    for (uint32_t i = 1; i < n; i++)
        if (heap_before(&places[i], least))
            least = &places[i];
    return least;
}

static void equal_ticks_go_by_stream(void **state)
{
    (void)state;
    const struct place a = {5, 1}, b = {5, 2}, c = {4, 3};
    assert_true(heap_before(&a, &b));
    assert_false(heap_before(&b, &a));
    assert_false(heap_before(&a, &a));
    assert_true(heap_before(&c, &a));
}

static void least_is_always_first(void **state)
{
    (void)state;
    struct place places[N_PLACES];
    uint32_t n = 0;
    srand(7);
    for (uint32_t step = 0; step < N_STEPS; step++) {
        if (n < N_PLACES && rand() % 2) {
            places[n] = (struct place){.ticks = (uint64_t)rand() % 100, .stream = n};
            heap_rise(places, n++);
        } else if (n && rand() % 4 == 0) {
            places[0] = places[--n];
            heap_sink(places, n, 0);
        } else if (n) {
            const uint32_t at = (uint32_t)rand() % n;
            places[at].ticks += (uint64_t)rand() % 50;
            heap_sink(places, n, at);
        }
        if (n)
            assert_ptr_equal(least_of(places, n), &places[0]);
    }
}

/* As merge does it where several streams go on at once: from the last place to the first. */
static void many_places_sink_at_once(void **state)
{
    (void)state;
    struct place places[N_PLACES];
    srand(8);
    for (uint32_t n = 0; n < N_PLACES; n++) {
        places[n] = (struct place){.ticks = (uint64_t)rand() % 100, .stream = n};
        heap_rise(places, n);
    }
    for (uint32_t round = 0; round < 100; round++) {
        static const uint32_t moved[] = {0, 1, 2, 4, 5, 9};
        for (uint32_t i = 0; i < 6; i++)
            places[moved[i]].ticks += (uint64_t)rand() % 50;
        for (uint32_t i = 6; i-- > 0;)
            heap_sink(places, N_PLACES, moved[i]);
        for (uint32_t i = 1; i < N_PLACES; i++)
            assert_false(heap_before(&places[i], &places[(i - 1) / 2]));
    }
}

static void places_are_sorted_by_stream(void **state)
{
    (void)state;
    static const struct place places[] = {{1, 7}, {2, 3}, {3, 9}, {4, 1}};
    uint32_t numbers[] = {0, 2, 1, 3};
    static const uint32_t sorted[] = {3, 1, 0, 2};
    heap_sort_by_stream(places, numbers, 4);
    assert_memory_equal(numbers, sorted, sizeof sorted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_ticks_go_by_stream),
        cmocka_unit_test(least_is_always_first),
        cmocka_unit_test(many_places_sink_at_once),
        cmocka_unit_test(places_are_sorted_by_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
