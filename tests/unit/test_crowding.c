/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/crowding.h"

#include <unistd.h>

enum { MILLISECOND = 1000 * 1000 };

enum { PROCESSORS = 2 };

static struct crowding new_crowding(void)
{
    return (struct crowding){.turns_fd = -1, .load_fd = -1, .n_processors = PROCESSORS};
}

/* So many looks, between which the thread ran and waited for so long, and that saw so many: what the last one says. */
static bool look_often(struct crowding *crowding, unsigned n, uint64_t ran_ns, uint64_t waited_ns,
                       unsigned n_runnable)
{
    bool crowded = false;
    for (unsigned i = 0; i < n; i++) {
        const struct crowding_sight sight = {
            .turns = {.ran_ns = crowding->last.ran_ns + ran_ns,
                      .waited_ns = crowding->last.waited_ns + waited_ns},
            .n_runnable = n_runnable};
        crowded = crowding_weigh(crowding, &sight);
    }
    return crowded;
}

static void who_waits_long_among_many_is_crowded(void **state)
{
    static const struct {
        uint64_t ran_ns, waited_ns;
        unsigned n_runnable;
        bool crowded;
    } rows[] = {
        {5 * MILLISECOND, 0, 3, false},
        {5 * MILLISECOND, MILLISECOND / 4, 2, false}, /* a program alone */
        {5 * MILLISECOND, MILLISECOND, 2, false},     /* the same as a guest of a busy host */
        {5 * MILLISECOND, MILLISECOND, 3, true},      /* redis-server and its client */
        {MILLISECOND, MILLISECOND, 3, true},
        {0, MILLISECOND, 3, true},
        {0, 0, 3, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct crowding crowding = new_crowding();
        assert_int_equal(
            look_often(&crowding, 50, rows[i].ran_ns, rows[i].waited_ns, rows[i].n_runnable),
            rows[i].crowded);
    }
}

static void one_wait_makes_no_crowd(void **state)
{
    struct crowding crowding = new_crowding();
    (void)state;
    look_often(&crowding, 50, 5 * MILLISECOND, 0, 3);
    assert_false(look_often(&crowding, 1, 5 * MILLISECOND, 4 * MILLISECOND, 3));
    assert_true(look_often(&crowding, 4, 5 * MILLISECOND, 4 * MILLISECOND, 3));
}

/* A thread of the kernel's that is seen now and then. */
static void one_that_passes_by_makes_no_crowd(void **state)
{
    struct crowding crowding = new_crowding();
    (void)state;
    for (int i = 0; i < 20; i++) {
        look_often(&crowding, 15, MILLISECOND, MILLISECOND, PROCESSORS);
        assert_false(look_often(&crowding, 1, MILLISECOND, MILLISECOND, PROCESSORS + 1));
    }
    assert_true(look_often(&crowding, 4, MILLISECOND, MILLISECOND, PROCESSORS + 1));
}

static void a_crowd_that_went_is_forgotten(void **state)
{
    struct crowding crowding = new_crowding();
    (void)state;
    assert_true(look_often(&crowding, 1000, 5 * MILLISECOND, 5 * MILLISECOND, 5));
    assert_false(look_often(&crowding, 50, 5 * MILLISECOND, 0, 2));
}

static void the_kernel_says_what_this_thread_ran(void **state)
{
    struct crowding crowding;
    volatile unsigned sink = 0;
    (void)state;
    crowding_open(&crowding);
    if (crowding.turns_fd < 0 || crowding.load_fd < 0) {
        print_message("skipped: this kernel does not tell who waits\n");
        skip();
    }
    for (unsigned i = 0; i < 3000000; i++)
        sink += i;
    for (int i = 0; i < 500000 && crowding.last.ran_ns == 0; i++) /* until the next tick */
        crowding_look(&crowding);
    assert_true(crowding.last.ran_ns > 0);
    crowding_close(&crowding);
    assert_false(crowding_look(&crowding)); /* where nothing is told, nobody waits */
    crowding_close(&crowding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_long_among_many_is_crowded),
        cmocka_unit_test(one_that_passes_by_makes_no_crowd),
        cmocka_unit_test(one_wait_makes_no_crowd),
        cmocka_unit_test(a_crowd_that_went_is_forgotten),
        cmocka_unit_test(the_kernel_says_what_this_thread_ran),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
