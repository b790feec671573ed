/* SPDX-License-Identifier: MIT */
/* Which numbers blocks get, and which of them live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/block_slots.h"

static uint32_t take(struct block_slots *slots, struct block_slots_own *own)
{
    uint32_t number = 0;
    assert_int_equal(block_slots_take(slots, own, &number), 0);
    assert_true(block_slots_at(slots, number)->is_live);
    return number;
}

/* The live ones, oldest first, and the same from the other end. */
static void check_live(const struct block_slots *slots, const uint32_t *numbers, size_t n)
{
    uint32_t number = slots->first_live;
    for (size_t i = 0; i < n; i++, number = block_slots_at(slots, number)->next)
        assert_int_equal(number, numbers[i]);
    assert_int_equal(number, 0);
    number = slots->last_live;
    for (size_t i = n; i-- > 0; number = block_slots_at(slots, number)->previous)
        assert_int_equal(number, numbers[i]);
    assert_int_equal(number, 0);
}

static void live_ones_stay_in_order_of_birth(void **state)
{
    (void)state;
    struct block_slots slots = {.n = 0};
    struct block_slots_own own = {.n_free = 0};
    for (uint32_t i = 1; i <= 4; i++)
        assert_int_equal(take(&slots, &own), i);
    check_live(&slots, (const uint32_t[]){1, 2, 3, 4}, 4);
    block_slots_give(&slots, &own, 2);
    check_live(&slots, (const uint32_t[]){1, 3, 4}, 3);
    block_slots_give(&slots, &own, 1);
    block_slots_give(&slots, &own, 4);
    check_live(&slots, (const uint32_t[]){3}, 1);
    assert_int_equal(take(&slots, &own), 4); /* the last one given back */
    check_live(&slots, (const uint32_t[]){3, 4}, 2);
    block_slots_give(&slots, &own, 3);
    block_slots_give(&slots, &own, 4);
    check_live(&slots, NULL, 0);
    block_slots_fini(&slots);
}

static void a_thread_keeps_few(void **state)
{
    (void)state;
    enum { N = 100, KEPT = 64 };
    struct block_slots slots = {.n = 0};
    struct block_slots_own one = {.n_free = 0}, other = {.n_free = 0};
    for (uint32_t i = 1; i <= N; i++)
        take(&slots, &one);
    for (uint32_t i = 1; i <= N; i++)
        block_slots_give(&slots, &one, i);
    assert_int_equal(one.n_free, KEPT);
    for (uint32_t i = 0; i < N - KEPT; i++) /* the other one gets the rest, then new ones */
        assert_in_range(take(&slots, &other), KEPT + 1, N);
    assert_int_equal(take(&slots, &other), N + 1);
    assert_int_equal(take(&slots, &one), KEPT);
    assert_int_equal(one.n_free, KEPT - 1);
    block_slots_fini(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_ones_stay_in_order_of_birth),
        cmocka_unit_test(a_thread_keeps_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
