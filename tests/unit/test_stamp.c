/* SPDX-License-Identifier: MIT */
/* When a stamp is read, and when it may be estimated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "preload/arch_x86_64.h"
#include "preload/stamp.h"
#include "tests/support/lane_fixture.h"

static struct lane *lane;

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    lane->n_estimates = 0;
    lane->estimated = false;
    lane->read_ticks = lane->last_ticks = 0;
    atomic_store(&session.n_threads, 1);
    return 0;
}

/* What event.c does with a stamp. */
static uint64_t take(void)
{
    return lane->last_ticks = stamp_usual(lane);
}

/* Begin a group as a dense one before would have. */
static void begin_group(uint32_t stride_ticks)
{
    lane->estimated = true;
    lane->n_estimates = STAMP_GROUP - 1;
    lane->stride_ticks = stride_ticks;
    lane->read_ticks = lane->last_ticks = arch_ticks();
    lane->seen_ticks = atomic_load(&session.header->now_ticks);
}

static void a_group_goes_on_by_its_stride(void **state)
{
    (void)state;
    begin_group(7);
    const uint64_t first = lane->last_ticks;
    for (unsigned i = 1; i < STAMP_GROUP; i++)
        assert_true(take() == first + i * 7);
    assert_true(take() >= first + (STAMP_GROUP - 1) * 7 && lane->read_ticks != first);
}

/* A reading right after another; a preemption between the two may spoil one try, not each. */
static void dense_events_begin_a_group(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10000 && !lane->estimated; i++)
        take();
    assert_true(lane->estimated && lane->stride_ticks < STAMP_DENSE_TICKS);
    assert_int_equal(lane->n_estimates, STAMP_GROUP - 1);
}

static void stamps_never_go_back_and_stay_near_the_clock(void **state)
{
    uint64_t last = 0;
    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        const uint64_t stamp = take();
        assert_true(stamp >= last);
        last = stamp;
        assert_true(stamp <= arch_ticks() + STAMP_GROUP * STAMP_DENSE_TICKS);
    }
}

static bool groups_within(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (take(), lane->estimated)
            return true;
    return false;
}

static void a_second_thread_ends_estimates(void **state)
{
    (void)state;
    begin_group(7);
    atomic_store(&session.n_threads, 2);
    const uint64_t before = arch_ticks();
    assert_true(take() >= before); /* also within a group */
    assert_int_equal(lane->n_estimates, STAMP_GROUP - 1);
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t earlier = arch_ticks();
        assert_true(take() >= earlier);
    }
}

static void the_signal_lane_is_never_estimated(void **state)
{
    (void)state;
    lane->is_signal = true;
    assert_false(groups_within(1000));
    lane->is_signal = false;
}

static void the_collectors_clock_asks_for_a_reading(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t now = arch_ticks();
        atomic_store(&session.header->now_ticks, now);
        assert_true(take() >= now);
    }
    atomic_store(&session.header->now_ticks, 0);
}

/* Long ago, and a group that was cut short: how dense it was is not known. */
static void sparse_events_are_each_read(void **state)
{
    (void)state;
    begin_group(7);
    lane->n_estimates = 0;
    lane->read_ticks -= (uint64_t)STAMP_GROUP * STAMP_DENSE_TICKS;
    take();
    assert_false(lane->estimated);
    begin_group(7);
    atomic_store(&session.header->now_ticks, 1);
    take();
    assert_false(lane->estimated);
    atomic_store(&session.header->now_ticks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_group_goes_on_by_its_stride, start),
        cmocka_unit_test_setup(dense_events_begin_a_group, start),
        cmocka_unit_test_setup(stamps_never_go_back_and_stay_near_the_clock, start),
        cmocka_unit_test_setup(a_second_thread_ends_estimates, start),
        cmocka_unit_test_setup(the_signal_lane_is_never_estimated, start),
        cmocka_unit_test_setup(the_collectors_clock_asks_for_a_reading, start),
        cmocka_unit_test_setup(sparse_events_are_each_read, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
