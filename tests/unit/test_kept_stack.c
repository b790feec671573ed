/* SPDX-License-Identifier: MIT */
/* A stack that comes back is recognised by its words. Here these are words of an array, not of a stack, and
 * the unwinder is the fixture's: it leaves in lane->stack what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/kept_stack.h"
#include "tests/support/lane_fixture.h"

enum { N_WORDS = 4, ID = 7 };

static struct lane *lane;
static uintptr_t memory[KEPT_STACK_WORDS + 2];
static const uintptr_t other_than_two = 1;
static struct arch_frame caller;

/* What the unwinder is to find at `caller`: a stack of n_words words. */
static void find(uint32_t id, size_t n_words)
{
    struct stack *const stack = &lane->stack;
    stack->words[0] = (struct stack_word){.at = &other_than_two, .value = 2};
    for (size_t i = 1; i < n_words; i++)
        stack->words[i] = (struct stack_word){.at = &memory[i], .value = memory[i]};
    stack->frames[0] = (struct stack_frame){.at = caller, .n_words = (uint16_t)n_words, .n = 1};
    stack->n = stack->n_kept = 1;
    stack->end = UNWIND_COMPLETE;
    lane_fixture_set(id, 0);
}

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    caller = (struct arch_frame){.pc = 0x4000, .sp = 0x7000, .bp = 5};
    for (size_t i = 0; i < KEPT_STACK_WORDS + 2; i++)
        memory[i] = 100 + i;
    find(ID, N_WORDS);
    return 0;
}

/* How many of n calls were recognised; each must have the id. */
static uint64_t n_recognised(unsigned n, uint32_t id)
{
    const uint64_t before = lane->ring->n_fast;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(kept_stack_id(lane, &lane->io_stacks, &caller), id);
    return lane->ring->n_fast - before;
}

static void the_third_time_it_is_known(void **state)
{
    (void)state;
    assert_int_equal(n_recognised(2, ID), 0);
    assert_int_equal(n_recognised(10, ID), 10);
}

static void any_other_word_makes_it_another(void **state)
{
    (void)state;
    n_recognised(3, ID);
    for (size_t i = 1; i < N_WORDS; i++) {
        memory[i]++;
        find(ID + 1, N_WORDS);
        assert_int_equal(n_recognised(1, ID + 1), 0);
        memory[i]--;
        find(ID, N_WORDS);
        n_recognised(9, ID);
        assert_int_equal(n_recognised(1, ID), 1);
    }
}

static void two_places_take_turns(void **state)
{
    uint64_t n = 0;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        caller.pc = i % 2 ? 0x4000 : 0x4005;
        find(ID + i % 2, N_WORDS);
        n += n_recognised(1, ID + i % 2);
    }
    assert_int_equal(n, 6);
}

/* Wherever the other lies, both are known soon, and stay so when others come by once. */
static void any_two_places_do(void **state)
{
    (void)state;
    for (uintptr_t other = 1; other < 200; other++) {
        for (unsigned i = 0; i < 20; i++) {
            caller.pc = i % 2 ? 0x4000 : 0x4000 + other;
            find(ID + i % 2, N_WORDS);
            const uint64_t n = n_recognised(1, ID + i % 2);
            if (i >= 10)
                assert_int_equal(n, 1);
        }
        lane->tree.age++;
    }
}

static void rbp_counts_where_it_matters(void **state)
{
    (void)state;
    n_recognised(3, ID);
    caller.bp = 6;
    assert_int_equal(n_recognised(1, ID), 1);
    lane->stack.frames[0].bp_matters = true;
    caller.sp += 16;
    lane->stack.frames[0].at = caller;
    n_recognised(2, ID);
    assert_int_equal(n_recognised(1, ID), 1);
    caller.bp = 7;
    assert_int_equal(n_recognised(1, ID), 0);
}

static void ids_of_an_older_tree_are_void(void **state)
{
    (void)state;
    n_recognised(3, ID);
    lane->tree.age++;
    lane_fixture_set(ID + 5, 0);
    assert_int_equal(n_recognised(1, ID + 5), 0);
}

static void what_may_not_be_compared_is_not_kept(void **state)
{
    (void)state;
    lane->stack.n_kept = 0;
    assert_int_equal(n_recognised(20, ID), 0);
    find(ID, KEPT_STACK_WORDS + 1);
    assert_int_equal(n_recognised(20, ID), 0);
    find(ID, N_WORDS);
    lane->stack.end = UNWIND_NO_TABLE;
    assert_int_equal(n_recognised(100, ID), 0);
    find(0, N_WORDS);
    assert_int_equal(n_recognised(200, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_third_time_it_is_known, start),
        cmocka_unit_test_setup(any_other_word_makes_it_another, start),
        cmocka_unit_test_setup(two_places_take_turns, start),
        cmocka_unit_test_setup(any_two_places_do, start),
        cmocka_unit_test_setup(rbp_counts_where_it_matters, start),
        cmocka_unit_test_setup(ids_of_an_older_tree_are_void, start),
        cmocka_unit_test_setup(what_may_not_be_compared_is_not_kept, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
