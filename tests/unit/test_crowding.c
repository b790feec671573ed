/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/crowding.h"

#include <unistd.h>

enum { MILLISECOND = 1000 * 1000 };

/* So many looks, between which the thread ran and waited for so long: what the last one says. */
static bool look_often(struct crowding *crowding, unsigned n, uint64_t ran_ns, uint64_t waited_ns)
{
    bool crowded = false;
    for (unsigned i = 0; i < n; i++) {
        const struct crowding_turns turns = {.ran_ns = crowding->last.ran_ns + ran_ns,
                                             .waited_ns = crowding->last.waited_ns + waited_ns};
        crowded = crowding_weigh(crowding, &turns);
    }
    return crowded;
}

static void who_waits_long_is_crowded(void **state)
{
    static const struct {
        uint64_t ran_ns, waited_ns;
        bool crowded;
    } rows[] = {
        {5 * MILLISECOND, 0, false},
        {5 * MILLISECOND, MILLISECOND / 4, false}, /* a program alone */
        {5 * MILLISECOND, MILLISECOND, true},      /* redis-server and its client */
        {MILLISECOND, MILLISECOND, true},
        {0, MILLISECOND, true},
        {0, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct crowding crowding = {.fd = -1};
        assert_int_equal(look_often(&crowding, 50, rows[i].ran_ns, rows[i].waited_ns),
                         rows[i].crowded);
    }
}

static void one_wait_makes_no_crowd(void **state)
{
    struct crowding crowding = {.fd = -1};
    (void)state;
    look_often(&crowding, 50, 5 * MILLISECOND, 0);
    assert_false(look_often(&crowding, 1, 5 * MILLISECOND, 4 * MILLISECOND));
    assert_true(look_often(&crowding, 4, 5 * MILLISECOND, 4 * MILLISECOND));
}

static void a_crowd_that_went_is_forgotten(void **state)
{
    struct crowding crowding = {.fd = -1};
    (void)state;
    assert_true(look_often(&crowding, 1000, 5 * MILLISECOND, 5 * MILLISECOND));
    assert_false(look_often(&crowding, 50, 5 * MILLISECOND, 0));
}

static void the_kernel_says_what_this_thread_ran(void **state)
{
    struct crowding crowding;
    volatile unsigned sink = 0;
    (void)state;
    crowding_open(&crowding);
    if (crowding.fd < 0) {
        print_message("skipped: this kernel does not tell who waits\n");
        skip();
    }
    for (unsigned i = 0; i < 3000000; i++)
        sink += i;
    for (int i = 0; i < 1000 && crowding.last.ran_ns == 0; i++)
        crowding_look(&crowding);
    assert_true(crowding.last.ran_ns > 0);
    crowding_close(&crowding);
    assert_false(crowding_look(&crowding)); /* where nothing is told, nobody waits */
    crowding_close(&crowding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_long_is_crowded),
        cmocka_unit_test(one_wait_makes_no_crowd),
        cmocka_unit_test(a_crowd_that_went_is_forgotten),
        cmocka_unit_test(the_kernel_says_what_this_thread_ran),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
