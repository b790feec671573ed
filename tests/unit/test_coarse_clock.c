/* SPDX-License-Identifier: MIT */
/* The word that recorded threads look at: it runs while it is wanted, and never runs behind its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "collector/coarse_clock.h"
#include "collector/ticks.h"

enum { PATIENCE = 2000 }; /* milliseconds, on a machine that is busy with other things */

static struct session_header *header;
static struct session session;

static uint64_t word(void)
{
    return atomic_load(&header->coarse_ticks);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool comes_to_differ(uint64_t from)
{
    for (int i = 0; i < PATIENCE && word() == from; i++)
        nap();
    return word() != from;
}

static int set_up(void **state)
{
    (void)state;
    header = calloc(1, sizeof *header);
    session = (struct session){.header = header, .tsc = ticks_tsc_is_usable()};
    return header ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(header);
    return 0;
}

static void it_stands_still_until_it_is_wanted(void **state)
{
    (void)state;
    struct coarse_clock clock = {.session = &session};
    coarse_clock_want(&clock, false, 1);
    nap();
    assert_int_equal(word(), 0);
    assert_int_equal(coarse_clock_bound(&clock), 0);
    coarse_clock_fini(&clock);
}

static void it_steps_while_it_is_wanted(void **state)
{
    (void)state;
    struct coarse_clock clock = {.session = &session};
    coarse_clock_want(&clock, true, 1);
    assert_true(comes_to_differ(0));
    for (int i = 0; i < 20; i++) {
        const uint64_t bound = coarse_clock_bound(&clock), before = word();
        assert_in_range(before, bound, ticks_now(session.tsc));
        assert_true(comes_to_differ(before));
        assert_true(word() > before);
    }
    coarse_clock_fini(&clock);
    assert_int_equal(word(), 0);
}

static void it_stops_some_time_after_nobody_wants_it(void **state)
{
    (void)state;
    struct coarse_clock clock = {.session = &session};
    uint64_t now_ns = 1;
    coarse_clock_want(&clock, true, now_ns);
    assert_true(comes_to_differ(0));
    coarse_clock_want(&clock, false, now_ns);
    coarse_clock_want(&clock, false, now_ns + 1000000);
    assert_true(comes_to_differ(word()));
    now_ns += 1000000000;
    coarse_clock_want(&clock, false, now_ns);
    for (int i = 0; i < PATIENCE && word() != 0; i++)
        nap();
    assert_int_equal(word(), 0);
    coarse_clock_want(&clock, true, now_ns);
    assert_true(comes_to_differ(0));
    coarse_clock_fini(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands_still_until_it_is_wanted),
        cmocka_unit_test(it_steps_while_it_is_wanted),
        cmocka_unit_test(it_stops_some_time_after_nobody_wants_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
