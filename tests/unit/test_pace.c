/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/pace.h"

enum { MILLISECOND = 1000 * 1000, RING_BYTES = 1 << 20 };

/* Frames of so many events and bytes, one a millisecond, compressed faster than written. */
static uint64_t run_frames(struct pace *pace, unsigned n, uint64_t n_events, uint64_t n_bytes)
{
    for (unsigned i = 0; i < n; i++) {
        const struct pace_frame frame = {.n_events = n_events,
                                         .n_bytes = n_bytes,
                                         .compress_ns = 500000,
                                         .write_ns = 100000,
                                         .end_ns = pace->last_ns + MILLISECOND};
        pace_note_frame(pace, &frame);
    }
    return pace->last_ns;
}

static void many_thin_events_are_done_quickly(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 1, 0, 100);
    const uint64_t now_ns = run_frames(&pace, 100, 100000, 250000);
    assert_false(pace_wants_dense(&pace, now_ns));
}

static void many_thick_events_are_made_dense_as_often_as_it_takes(void **state)
{
    struct pace pace = {0};
    uint64_t n_bytes = 0;
    unsigned n_dense = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        const bool dense = pace_wants_dense(&pace, pace.last_ns);
        run_frames(&pace, 1, 60000, dense ? 120000 : 360000);
        n_bytes += dense ? 120000 : 360000;
        n_dense += dense;
    }
    assert_in_range(n_dense, 270, 330);
    assert_in_range(n_bytes / 60000 / 10, 460, 490); /* hundredths of a byte an event */
}

static void what_was_saved_long_ago_is_not_spent(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 100000, 100000, 50000);
    assert_false(pace_wants_dense(&pace, pace.last_ns));
    run_frames(&pace, 60, 60000, 360000);
    assert_true(pace_wants_dense(&pace, pace.last_ns));
}

static void few_events_are_made_dense(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 10, 100, 250);
    assert_true(pace_wants_dense(&pace, pace.last_ns));
}

static void a_ring_nearly_full_is_a_hurry(void **state)
{
    struct pace pace = {0};
    (void)state;
    const uint64_t now_ns = run_frames(&pace, 100, 60000, 360000);
    pace_note_fill(&pace, RING_BYTES / 2, RING_BYTES, now_ns);
    assert_true(pace_wants_dense(&pace, now_ns));
    pace_note_fill(&pace, RING_BYTES / 8 * 7, RING_BYTES, now_ns);
    assert_false(pace_wants_dense(&pace, now_ns + 1));
    assert_true(pace_wants_dense(&pace, now_ns + 1000 * (uint64_t)MILLISECOND));
}

static void a_slow_file_needs_few_bytes_even_then(void **state)
{
    struct pace pace = {0};
    const struct pace_frame frame = {.n_events = 100000,
                                     .n_bytes = 250000,
                                     .compress_ns = 500000,
                                     .write_ns = 20 * MILLISECOND,
                                     .end_ns = 21 * MILLISECOND};
    (void)state;
    pace_note_frame(&pace, &frame);
    pace_note_fill(&pace, RING_BYTES, RING_BYTES, frame.end_ns);
    assert_true(pace_wants_dense(&pace, frame.end_ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_thin_events_are_done_quickly),
        cmocka_unit_test(many_thick_events_are_made_dense_as_often_as_it_takes),
        cmocka_unit_test(what_was_saved_long_ago_is_not_spent),
        cmocka_unit_test(few_events_are_made_dense),
        cmocka_unit_test(a_ring_nearly_full_is_a_hurry),
        cmocka_unit_test(a_slow_file_needs_few_bytes_even_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
