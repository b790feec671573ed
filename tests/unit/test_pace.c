/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/pace.h"

enum { MILLISECOND = 1000 * 1000, RING_BYTES = 1 << 20 };

/* A frame that takes longer to write than to compress. */
static const struct pace_frame slow = {.n_events = 100000,
                                       .n_bytes = 250000,
                                       .compress_ns = 500000,
                                       .write_ns = 20 * MILLISECOND,
                                       .end_ns = 21 * MILLISECOND};

/* Frames of so many events and bytes, one a millisecond, compressed faster than written. */
static uint64_t run_frames(struct pace *pace, unsigned n, uint64_t n_events, uint64_t n_bytes)
{
    for (unsigned i = 0; i < n; i++) {
        const struct pace_frame frame = {.way = pace_choose(pace, pace->last_ns),
                                         .n_events = n_events,
                                         .n_bytes = n_bytes,
                                         .compress_ns = 500000,
                                         .write_ns = 100000,
                                         .end_ns = pace->last_ns + MILLISECOND};
        pace_note_frame(pace, &frame);
    }
    return pace->last_ns;
}

/* Many events that take so many bytes by each way: how many of a thousand frames are of which, and
 * what one event takes in all, in hundredths of a byte. */
struct mixture {
    uint64_t n_bytes_by_way[3]; /* of 60,000 events */
    unsigned n_frames_by_way[3];
    uint64_t hundredths;
};

static void mix(struct mixture *mixture)
{
    struct pace pace = {0};
    uint64_t n_bytes = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const enum pace_way way = pace_choose(&pace, pace.last_ns);
        run_frames(&pace, 1, 60000, mixture->n_bytes_by_way[way]);
        n_bytes += mixture->n_bytes_by_way[way];
        mixture->n_frames_by_way[way]++;
    }
    mixture->hundredths = n_bytes / 60000 / 10;
}

static void many_thin_events_are_stored(void **state)
{
    struct mixture mixture = {.n_bytes_by_way = {240000, 150000, 50000}};
    (void)state;
    mix(&mixture);
    assert_in_range(mixture.n_frames_by_way[PACE_STORED], 990, 1000);
    assert_int_equal(mixture.n_frames_by_way[PACE_DENSE], 0);
}

static void thicker_ones_are_quick_as_often_as_it_takes(void **state)
{
    struct mixture mixture = {.n_bytes_by_way = {336000, 240000, 50000}};
    (void)state;
    mix(&mixture);
    assert_in_range(mixture.n_frames_by_way[PACE_QUICK], 480, 520);
    assert_int_equal(mixture.n_frames_by_way[PACE_DENSE], 0);
    assert_in_range(mixture.hundredths, 470, 490);
}

static void thick_events_are_dense_as_often_as_it_takes(void **state)
{
    struct mixture mixture = {.n_bytes_by_way = {600000, 360000, 120000}};
    (void)state;
    mix(&mixture);
    assert_in_range(mixture.n_frames_by_way[PACE_DENSE], 270, 330);
    assert_in_range(mixture.n_frames_by_way[PACE_STORED], 0, 2);
    assert_in_range(mixture.hundredths, 470, 490);
}

static void events_that_grow_thick_are_noticed(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 10, 60000, 150000);
    assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_STORED);
    run_frames(&pace, 100, 60000, 400000);
    assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_DENSE);
}

static void what_was_saved_long_ago_is_not_spent(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 100000, 100000, 50000);
    assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_STORED);
    run_frames(&pace, 60, 60000, 360000);
    assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_DENSE);
}

static void few_events_are_made_dense(void **state)
{
    struct pace pace = {0};
    (void)state;
    run_frames(&pace, 10, 100, 250);
    assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_DENSE);
}

static void a_ring_nearly_full_is_a_hurry(void **state)
{
    struct pace pace = {0};
    (void)state;
    const uint64_t now_ns = run_frames(&pace, 100, 60000, 360000);
    pace_note_fill(&pace, RING_BYTES / 2, RING_BYTES, now_ns);
    assert_int_equal(pace_choose(&pace, now_ns), PACE_DENSE);
    pace_note_fill(&pace, RING_BYTES / 8 * 7, RING_BYTES, now_ns);
    assert_int_equal(pace_choose(&pace, now_ns + 1), PACE_QUICK);
    assert_int_equal(pace_choose(&pace, now_ns + 1000 * (uint64_t)MILLISECOND), PACE_DENSE);
}

static void a_hurry_with_credit_is_a_hurry_indeed(void **state)
{
    struct pace pace = {0};
    (void)state;
    pace_note_fill(&pace, RING_BYTES, RING_BYTES, MILLISECOND);
    assert_int_equal(pace_choose(&pace, MILLISECOND), PACE_STORED);
}

static void a_slow_file_needs_few_bytes_even_then(void **state)
{
    struct pace pace = {0};
    (void)state;
    pace_note_frame(&pace, &slow);
    pace_note_fill(&pace, RING_BYTES, RING_BYTES, slow.end_ns);
    assert_int_equal(pace_choose(&pace, slow.end_ns), PACE_DENSE);
}

/* Frames of events that are thick when stored: with a crowd round us and room for a second file. */
static void in_a_crowd_frames_are_stored_and_counted(void **state)
{
    struct pace pace = {0};
    (void)state;
    for (unsigned i = 1; i <= 100; i++) {
        pace_note_crowding(&pace, true, true);
        assert_int_equal(pace_choose(&pace, pace.last_ns), PACE_STORED);
        run_frames(&pace, 1, 50000, 500000);
        assert_int_equal(pace.deferred_bytes, i * (500000 - 50000 * 48 / 10));
    }
    assert_int_equal(pace_debt_bytes(&pace, 100 * 500000), 100 * 260000);
}

static void dense_frames_wait_only_where_they_may(void **state)
{
    static const struct {
        bool crowded, may_defer;
        enum pace_way way;
    } rows[] = {
        {true, true, PACE_STORED},
        {true, false, PACE_DENSE},
        {false, true, PACE_DENSE},
        {false, false, PACE_DENSE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pace pace = {0};
        run_frames(&pace, 100, 60000, 400000);
        pace_note_crowding(&pace, rows[i].crowded, rows[i].may_defer);
        assert_int_equal(pace_choose(&pace, pace.last_ns), rows[i].way);
    }
}

static void what_waits_has_an_end(void **state)
{
    struct pace pace = {0};
    unsigned n_stored = 0;
    (void)state;
    pace_note_crowding(&pace, true, true);
    for (unsigned i = 0; i < 3000; i++) {
        n_stored += pace_choose(&pace, pace.last_ns) == PACE_STORED;
        run_frames(&pace, 1, 50000, 500000);
    }
    assert_in_range(n_stored, PACE_MOST_DEFERRED_BYTES / 260000, 2100);
    assert_in_range(pace.deferred_bytes, PACE_MOST_DEFERRED_BYTES,
                    PACE_MOST_DEFERRED_BYTES + 260000);
}

/* Nor does a crowd make a slow disk faster, or few events many. */
static void some_frames_are_dense_even_in_a_crowd(void **state)
{
    struct pace calm = {0};
    struct pace stalled = {0};
    (void)state;
    pace_note_crowding(&calm, true, true);
    pace_note_crowding(&stalled, true, true);
    run_frames(&calm, 10, 100, 250);
    pace_note_frame(&stalled, &slow);
    assert_int_equal(pace_choose(&calm, calm.last_ns), PACE_DENSE);
    assert_int_equal(pace_choose(&stalled, stalled.last_ns), PACE_DENSE);
}

static void thin_events_leave_no_debt(void **state)
{
    struct pace pace = {0};
    (void)state;
    pace_note_crowding(&pace, true, true);
    run_frames(&pace, 1000, 60000, 240000);
    assert_int_equal(pace.deferred_bytes, 0);
    assert_int_equal(pace_debt_bytes(&pace, 1000 * 240000), 0);
}

static void a_little_debt_is_not_worth_a_second_file(void **state)
{
    static const struct {
        uint64_t deferred_bytes;
        int64_t credit_bytes;
        uint64_t n_bytes, debt_bytes;
    } rows[] = {
        {0, 0, 100 << 20, 0},
        {1 << 20, 0, 2 << 20, 0},
        {2 << 20, 0, 10 << 20, 2 << 20},
        {2 << 20, 0, 100 << 20, 0},
        {6 << 20, 0, 100 << 20, 6 << 20},
        {6 << 20, 4 << 20, 10 << 20, 2 << 20}, /* the rest was saved since */
        {3 << 20, 4 << 20, 10 << 20, 0},
        {6 << 20, -(4 << 20), 10 << 20, 6 << 20},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct pace pace = {.deferred_bytes = rows[i].deferred_bytes,
                                  .credit_bytes = rows[i].credit_bytes};
        assert_int_equal(pace_debt_bytes(&pace, rows[i].n_bytes), rows[i].debt_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_thin_events_are_stored),
        cmocka_unit_test(thicker_ones_are_quick_as_often_as_it_takes),
        cmocka_unit_test(thick_events_are_dense_as_often_as_it_takes),
        cmocka_unit_test(events_that_grow_thick_are_noticed),
        cmocka_unit_test(what_was_saved_long_ago_is_not_spent),
        cmocka_unit_test(few_events_are_made_dense),
        cmocka_unit_test(a_ring_nearly_full_is_a_hurry),
        cmocka_unit_test(a_hurry_with_credit_is_a_hurry_indeed),
        cmocka_unit_test(a_slow_file_needs_few_bytes_even_then),
        cmocka_unit_test(in_a_crowd_frames_are_stored_and_counted),
        cmocka_unit_test(dense_frames_wait_only_where_they_may),
        cmocka_unit_test(what_waits_has_an_end),
        cmocka_unit_test(some_frames_are_dense_even_in_a_crowd),
        cmocka_unit_test(thin_events_leave_no_debt),
        cmocka_unit_test(a_little_debt_is_not_worth_a_second_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
