/* SPDX-License-Identifier: MIT */
/* A stack that came before is recognised by its words. Here these are words of an array, not of a stack. That stacks
 * of programs are recognised rightly is tests/e2e/unwinding.py's. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "preload/modules.h"
#include "preload/recall.h"
#include "tests/support/lane_fixture.h"

enum { N_WORDS = 8, ID = 7, PAGE_BYTES = 4096, PAGE_WORDS = PAGE_BYTES / sizeof(uintptr_t) };

static struct lane *lane;
static struct recall recall;
static uintptr_t memory[KEPT_STACK_MAX_WORDS + 2];
static const uintptr_t other_than_two = 1;

#define PLACE ((uintptr_t)memory - (1 << 20)) /* of the caller: below all words */

static struct arch_frame caller;
static size_t n_words;
static uintptr_t *places[KEPT_STACK_MAX_WORDS + 2]; /* of the words */
static bool bp_matters;
static bool by_place; /* not after the stack before */

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    memset(&recall, 0, sizeof recall);
    lane->recall = &recall;
    caller = (struct arch_frame){.pc = 0x4000, .sp = PLACE, .bp = 5};
    for (size_t i = 0; i < KEPT_STACK_MAX_WORDS + 2; i++) {
        memory[i] = 100 + i;
        places[i] = &memory[i];
    }
    n_words = N_WORDS;
    bp_matters = by_place = false;
    modules_generation_now = 0;
    return 0;
}

/* What the unwinder would leave: a stack of n_words words. */
static void unwind(uint32_t id)
{
    struct stack *const stack = &lane->stack;
    stack->words[0] = (struct stack_word){.at = &other_than_two, .value = 2};
    for (size_t i = 1; i < n_words; i++)
        stack->words[i] = (struct stack_word){.at = places[i], .value = *places[i]};
    stack->frames[0] = (struct stack_frame){
        .at = caller, .n_words = (uint16_t)n_words, .n = 1, .bp_matters = bp_matters};
    stack->n = stack->n_kept = 1;
    stack->end = UNWIND_COMPLETE;
    stack->generation = modules_generation();
    stack->id = id;
}

/* An event whose stack has this id. Returns whether it was recognised; it may be as no other. */
static bool is_known(uint32_t id)
{
    const uint64_t n_before = lane->ring->n_fast;
    const struct kept_stack *const found =
        by_place ? recall_find_at(lane, &caller) : recall_find(lane, &caller);
    assert_true(!found || found->id == id);
    assert_int_equal(lane->ring->n_fast - n_before, found ? 1 : 0);
    if (found)
        return true;
    lane->ring->n_fast++;
    unwind(id);
    if (by_place)
        recall_learn_at(lane, &caller, id);
    else
        recall_learn(lane, &caller, id);
    return false;
}

/* How many of n events in a row were. */
static unsigned n_known(unsigned n, uint32_t id)
{
    unsigned n_found = 0;
    for (unsigned i = 0; i < n; i++)
        n_found += is_known(id);
    return n_found;
}

static void what_came_twice_is_known(void **state)
{
    (void)state;
    assert_int_equal(n_known(2, ID), 0);
    assert_int_equal(n_known(10, ID), 10);
}

/* Of a stack that is known. */
static void each_word_counts(void)
{
    for (size_t i = 1; i < n_words; i++) {
        ++*places[i];
        assert_false(is_known(ID + (uint32_t)i));
        --*places[i];
        assert_true(is_known(ID));
    }
}

static void any_other_word_makes_it_another(void **state)
{
    (void)state;
    n_known(3, ID);
    each_word_counts();
}

/* Wherever they have their places in the tables, and however they take turns. */
static void any_two_stacks_do(void **state)
{
    (void)state;
    for (uint32_t other = 1; other < 20000; other++) {
        unsigned n_found = 0;
        for (unsigned i = 0; i < 40; i++) {
            caller.sp = i % 2 ? PLACE : PLACE + 16 * other;
            memory[1] = caller.sp;
            n_found += is_known(i % 2 ? ID : ID + other);
        }
        assert_true(n_found >= 20);
        if (other % 100 == 0)
            recall_forget(&recall);
    }
}

/* In whatever order they come. */
static void one_place_has_many_stacks(void **state)
{
    uint32_t random = 1;
    unsigned n_missed = 0;
    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        random = random * 1664525 + 1013904223;
        const uint32_t which = random >> 29;
        memory[1] = which & 1 ? 101 : 201;
        memory[3] = which & 2 ? 103 : 203;
        memory[5] = which & 4 ? 105 : 205;
        if (!is_known(ID + which))
            n_missed += i >= 400;
    }
    assert_in_range(n_missed, 0, 3600 / 20); /* now and then two places of a table are one */
}

static int start_by_place(void **state)
{
    start(state);
    by_place = true;
    return 0;
}

/* What comes between allocations does not change what is known of their order. */
static void others_leave_the_order_alone(void **state)
{
    unsigned n_found = 0;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        by_place = i % 5 == 4;
        memory[2] = 200 + i % 5;
        n_found += is_known(ID + i % 5);
        assert_int_equal(lane->stack_before, ID + (by_place ? 3 : i % 5));
    }
    assert_true(n_found >= 85);
}

static void many_places_have_one_each(void **state)
{
    unsigned n_found = 0;
    (void)state;
    for (unsigned i = 0; i < 20 * 100; i++) {
        caller.pc = 0x4000 + i % 100 * 5;
        memory[1] = caller.pc;
        n_found += is_known(ID + i % 100);
    }
    assert_true(n_found >= 17 * 100);
}

static void rbp_counts_where_it_matters(void **state)
{
    (void)state;
    n_known(2, ID);
    caller.bp = 6;
    assert_true(is_known(ID));
    bp_matters = true;
    caller.sp += 16;
    n_known(2, ID + 1);
    assert_true(is_known(ID + 1));
    caller.bp = 7;
    assert_false(is_known(ID + 2));
}

static void another_generation_knows_none(void **state)
{
    (void)state;
    n_known(3, ID);
    modules_generation_now++;
    assert_int_equal(n_known(3, ID + 1), 1);
}

/* Modules went while the stack was being named: it is of a generation that is over. */
static void a_stack_of_before_is_not_known_after(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unwind(ID);
        modules_generation_now = 1;
        recall_learn(lane, &caller, ID);
        modules_generation_now = 0;
    }
    modules_generation_now = 1;
    assert_null(recall_find(lane, &caller));
}

static void what_is_forgotten_is_unknown(void **state)
{
    (void)state;
    n_known(3, ID);
    recall_forget(&recall);
    assert_int_equal(n_known(3, ID + 1), 1);
}

/* More stacks than there is room for, again and again: the memory behind is not touched. */
static void full_memory_begins_anew(void **state)
{
    static struct {
        struct recall recall;
        uint64_t behind;
    } bounded = {.behind = 1};
    (void)state;
    lane->recall = &bounded.recall;
    n_words = 100;
    for (uint32_t i = 0; i < 3 * RECALL_UNITS / 100; i++) {
        caller.pc = 0x4000 + i;
        assert_in_range(n_known(20, ID + i), 17, 18);
        assert_true(bounded.recall.n_units <= RECALL_UNITS);
    }
    assert_int_equal(bounded.behind, 1);
}

/* Stacks that are kept and never met again: soon none is for a time, then it is tried again. */
static void what_is_of_no_use_rests(void **state)
{
    unsigned n_tries = 0;
    uint32_t id = ID;
    bool was_resting = false;
    (void)state;
    for (unsigned i = 0; i < 300000; i++, id += i % 2) {
        caller.pc = 0x4000 + id;
        is_known(id);
        n_tries += was_resting && recall.n_resting == 0;
        was_resting = recall.n_resting > 0;
    }
    assert_in_range(n_tries, 5, 9);
    n_known(1 << 16, id + 1);
    assert_true(is_known(id + 1));
}

static void what_may_not_be_compared_is_not_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unwind(ID);
        lane->stack.n_kept = 0;
        recall_learn(lane, &caller, ID);
        unwind(ID);
        lane->stack.end = UNWIND_NO_TABLE;
        recall_learn(lane, &caller, ID);
        unwind(0);
        recall_learn(lane, &caller, 0);
        unwind(0); /* no node could be made for its innermost frame */
        recall_learn(lane, &caller, ID);
    }
    assert_null(recall_find(lane, &caller));
}

static void long_ones_are_not_kept(void **state)
{
    (void)state;
    n_words = KEPT_STACK_MAX_WORDS;
    assert_int_equal(n_known(4, ID), 2);
    n_words++;
    caller.sp += 16;
    assert_int_equal(n_known(4, ID + 1), 0);
}

static void a_word_that_is_not_aligned_is_not_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        unwind(ID);
        lane->stack.words[3].at = (const uintptr_t *)((uintptr_t)&memory[3] + 4);
        recall_learn(lane, &caller, ID);
    }
    assert_null(recall_find(lane, &caller));
}

/* Words lie anywhere on their pages: some pages have one, some more than a group. */
static void words_may_lie_on_many_pages(void **state)
{
    static uintptr_t stretch[8 * PAGE_WORDS];
    static const uint16_t n_on_page[] = {1, 4, 5, 2, 13, 18}; /* outermost first */
    size_t n = 1;
    (void)state;
    for (size_t page = 0; page < sizeof n_on_page / sizeof n_on_page[0]; page++)
        for (size_t i = 0; i < n_on_page[page]; i++)
            places[n++] = &stretch[(page + 1) * PAGE_WORDS + 37 * i];
    n_words = n;
    caller.sp = (uintptr_t)stretch;
    assert_int_equal(n_known(4, ID), 2);
    each_word_counts();
}

/* Keep a stack whose words lie on three pages, the innermost first, so many on each; then change each word in turn with
 * all pages beyond its own out of reach. */
static void hold_apart(uintptr_t *pages, const size_t n_on_page[3])
{
    size_t n = 1;
    for (size_t page = 3; page-- > 0;)
        for (size_t i = n_on_page[page]; i-- > 0;)
            places[n++] = &pages[page * PAGE_WORDS + 3 * i];
    n_words = n;
    caller.sp = (uintptr_t)pages;
    assert_int_equal(n_known(4, ID), 2);
    for (size_t page = 0; page < 3; page++) {
        uintptr_t *const beyond = &pages[(page + 1) * PAGE_WORDS];
        const size_t n_bytes = (2 - page) * PAGE_BYTES;
        assert_int_equal(mprotect(beyond, n_bytes, PROT_NONE), 0);
        for (size_t i = 0; i < n_on_page[page]; i++) {
            uintptr_t *const word = &pages[page * PAGE_WORDS + 3 * i];
            ++*word;
            assert_null(recall_find(lane, &caller));
            assert_null(recall_find_at(lane, &caller));
            --*word;
        }
        assert_int_equal(mprotect(beyond, n_bytes, PROT_READ | PROT_WRITE), 0);
        assert_true(is_known(ID));
    }
}

/* Few and many words on each of the pages, which are compared in other ways. */
static void hold_all_apart(uintptr_t *pages)
{
    static const size_t n_on_pages[][3] = {{19, 6, 2}, {19, 14, 6}, {2, 18, 3},   {3, 4, 5},
                                           {1, 1, 30}, {9, 9, 9},   {12, 12, 12}, {8, 8, 8}};
    void *nothing = NULL;
    for (size_t i = 0; i < sizeof n_on_pages / sizeof n_on_pages[0]; i++) {
        start(&nothing);
        hold_apart(pages, n_on_pages[i]);
    }
}

/* A stack that ends earlier than one of before did at the same place: what was further out may be gone. */
static void pages_beyond_a_difference_are_not_read(void **state)
{
    uintptr_t *const pages =
        mmap(NULL, 3 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_ptr_not_equal(pages, MAP_FAILED);
    hold_all_apart(pages);
    munmap(pages, 3 * PAGE_BYTES);
}

/* The main thread's may have been given to a coroutine, with a guard. */
static void nor_are_they_on_the_main_stack(void **state)
{
    alignas(PAGE_BYTES) uintptr_t pages[3 * PAGE_WORDS] = {0};
    (void)state;
    hold_all_apart(pages);
}

static void words_of_other_stacks_are_not_kept(void **state)
{
    (void)state;
    caller.sp = (uintptr_t)&memory[2]; /* below it lies word 1 */
    assert_int_equal(n_known(4, ID), 0);
    caller.sp = (uintptr_t)memory - (UINT64_C(1) << 32);
    assert_int_equal(n_known(4, ID + 1), 0);
}

static void a_lane_may_have_no_memory_for_it(void **state)
{
    (void)state;
    lane->recall = NULL;
    assert_int_equal(n_known(4, ID), 0);
    recall_forget(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_came_twice_is_known, start),
        cmocka_unit_test_setup(any_other_word_makes_it_another, start),
        cmocka_unit_test_setup(any_two_stacks_do, start),
        cmocka_unit_test_setup(one_place_has_many_stacks, start),
        cmocka_unit_test_setup(others_leave_the_order_alone, start),
        cmocka_unit_test_setup(what_came_twice_is_known, start_by_place),
        cmocka_unit_test_setup(any_other_word_makes_it_another, start_by_place),
        cmocka_unit_test_setup(any_two_stacks_do, start_by_place),
        cmocka_unit_test_setup(one_place_has_many_stacks, start_by_place),
        cmocka_unit_test_setup(many_places_have_one_each, start),
        cmocka_unit_test_setup(rbp_counts_where_it_matters, start),
        cmocka_unit_test_setup(another_generation_knows_none, start),
        cmocka_unit_test_setup(a_stack_of_before_is_not_known_after, start),
        cmocka_unit_test_setup(what_is_forgotten_is_unknown, start),
        cmocka_unit_test_setup(full_memory_begins_anew, start),
        cmocka_unit_test_setup(what_is_of_no_use_rests, start),
        cmocka_unit_test_setup(what_may_not_be_compared_is_not_kept, start),
        cmocka_unit_test_setup(long_ones_are_not_kept, start),
        cmocka_unit_test_setup(a_word_that_is_not_aligned_is_not_kept, start),
        cmocka_unit_test_setup(words_may_lie_on_many_pages, start),
        cmocka_unit_test_setup(pages_beyond_a_difference_are_not_read, start),
        cmocka_unit_test_setup(nor_are_they_on_the_main_stack, start),
        cmocka_unit_test_setup(words_of_other_stacks_are_not_kept, start),
        cmocka_unit_test_setup(a_lane_may_have_no_memory_for_it, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
