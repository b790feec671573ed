/* SPDX-License-Identifier: MIT */
/* Whether buckets keep their sums and maxima while they double. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/timeline.h"

static void sums_and_maxima_survive_doubling(void **state)
{
    (void)state;
    struct timeline timeline;
    assert_int_equal(timeline_init(&timeline, 1000, 10), 0);
    timeline_gain(&timeline, 5);
    for (uint64_t i = 0; i < 100000; i++) {
        timeline_advance(&timeline, 1000 + i);
        timeline_count(&timeline, 1, 3);
        timeline_gain(&timeline, i == 55555 ? 994 : 1);
        timeline_drop(&timeline, i == 55555 ? 994 : 1);
        timeline_set_rss(&timeline, i == 77777 ? 888 : 6);
    }
    uint64_t n = 0, bytes = 0;
    assert_true(timeline.n <= TIMELINE_POINTS && timeline.n > TIMELINE_POINTS / 2);
    for (uint32_t i = 0; i < timeline.n; i++) {
        const struct timeline_bucket *const bucket = &timeline.buckets[i];
        n += bucket->alloc_count;
        bytes += bucket->alloc_bytes;
        assert_int_equal(bucket->live_bytes, 55555 / timeline.width_ticks == i ? 999 : 6);
        assert_int_equal(bucket->rss_bytes, 77777 / timeline.width_ticks == i ? 888 : 6);
    }
    assert_int_equal(n, 100000);
    assert_int_equal(bytes, 300000);
    timeline_fini(&timeline);
}

static void quiet_time_keeps_what_is_live(void **state)
{
    (void)state;
    struct timeline timeline;
    assert_int_equal(timeline_init(&timeline, 0, 10), 0);
    timeline_gain(&timeline, 100);
    timeline_drop(&timeline, 60);
    timeline_set_rss(&timeline, 7);
    timeline_advance(&timeline, 35);
    assert_int_equal(timeline.n, 4);
    assert_int_equal(timeline.buckets[0].live_bytes, 100);
    assert_int_equal(timeline.buckets[1].live_bytes, 40);
    assert_int_equal(timeline.buckets[3].live_bytes, 40);
    assert_int_equal(timeline.buckets[3].rss_bytes, 7);
    timeline_fini(&timeline);
}

static void time_may_leap_and_step_back(void **state)
{
    (void)state;
    struct timeline timeline;
    assert_int_equal(timeline_init(&timeline, 500, 10), 0);
    timeline_advance(&timeline, 100);
    assert_int_equal(timeline.n, 1);
    timeline_advance(&timeline, UINT64_MAX);
    timeline_count(&timeline, 1, 1);
    assert_true(timeline.n <= TIMELINE_POINTS);
    timeline_advance(&timeline, 3);
    timeline_count(&timeline, 1, 1);
    assert_int_equal(timeline.buckets[timeline.n - 1].alloc_count, 2);
    timeline_fini(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_maxima_survive_doubling),
        cmocka_unit_test(quiet_time_keeps_what_is_live),
        cmocka_unit_test(time_may_leap_and_step_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
