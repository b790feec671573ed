/* SPDX-License-Identifier: MIT */
/* Who may share readings of the counter, and what ends it. Time is the test's: records are written with the ticks it
 * says, and the coarse clock shows what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/event_hot.h"
#include "preload/stamp.h"
#include "tests/support/lane_fixture.h"

enum {
    BLOCK = 0x10000,
    OTHERS_BLOCK = 0x20000,
    STEP_TICKS = 16, /* from one record to the next */
    COARSE_TICKS = 100 * STEP_TICKS,
    STAGES = 3, /* from reading each time to sharing */
};

static struct lane *lane, *other;
static _Atomic uint64_t last_touch[LAST_TOUCH_PLACES];
static uint64_t now;
static uint8_t bytes[64]; /* of the record being written; none is read */

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    other = &lane_fixture_slot()->lanes[1];
    *other = *lane;
    other->is_signal = true;
    lane->number = 1;
    other->number = 2;
    memset(last_touch, 0, sizeof last_touch);
    session.last_touch = last_touch;
    stamp_start(lane);
    stamp_start(other);
    now = 1000000;
    return 0;
}

static uint8_t *next_record(struct lane *of)
{
    of->data = (uint8_t *)((uintptr_t)bytes - of->head);
    ring_begin_stamp(of);
    return bytes;
}

/* One event of the block at `address`, `elapsed` ticks after the last one. Returns whether it shared that one's stamp. */
static bool touch_after(struct lane *of, uint64_t elapsed, uintptr_t address)
{
    uint8_t *at = next_record(of);
    now += elapsed;
    const bool shared = stamp_is_shared(of, (void *)address);
    if (shared)
        stamp_note_shared(of);
    at = shared ? pack_hot_head(at, 3, TRACE_FREE, 0)
                : event_hot_head(of, at, TRACE_FREE, 3, now, 0);
    ring_publish(of, pack_hot_uint(at, 0));
    stamp_consider(of);
    return shared;
}

static bool record_after(struct lane *of, uint64_t elapsed)
{
    return touch_after(of, elapsed, BLOCK);
}

static void show_clock(uint64_t ticks)
{
    session.header->coarse_ticks = ticks;
}

/* So many bytes of records without a pause. Returns how many of them shared a stamp. */
static size_t be_dense(struct lane *of, uint64_t n_bytes)
{
    const uint64_t until = of->head + n_bytes;
    size_t n_shared = 0;
    while (of->head < until)
        n_shared += record_after(of, STEP_TICKS);
    return n_shared;
}

/* As the collector does, once it is asked for. */
static void run_clock(void)
{
    if (lane->ring->wants_coarse && now - session.header->coarse_ticks > COARSE_TICKS)
        show_clock(now - 1);
}

/* All the way. */
static void come_to_share(void)
{
    while (!record_after(lane, STEP_TICKS)) {
        run_clock();
        assert_true(lane->head < 2 * STAGES * STAMP_DENSE_BYTES);
    }
    assert_true(lane->head >= STAGES * STAMP_DENSE_BYTES);
}

static bool is_alone(void)
{
    return session.company == lane->alone;
}

static void a_dense_stretch_leads_to_sharing(void **state)
{
    (void)state;
    come_to_share();
    assert_true(is_alone());
    assert_int_equal(lane->ring->wants_coarse, 1);
}

static void a_group_has_an_end(void **state)
{
    (void)state;
    come_to_share();
    size_t n_groups = 0, n_longest = 0, n = 0;
    for (int i = 0; i < 1000; i++) {
        n = record_after(lane, STEP_TICKS) ? n + 1 : 0;
        n_groups += n == 0;
        n_longest = n > n_longest ? n : n_longest;
    }
    assert_in_range(n_longest, 10, STAMP_GROUP_BYTES / 4);
    assert_in_range(n_groups, 1000 * 4 / STAMP_GROUP_BYTES, 1000 * 8 / STAMP_GROUP_BYTES);
}

/* The most records in a row that share a stamp, of 1000 that are `elapsed` ticks apart. */
static size_t longest_group(uint64_t elapsed)
{
    size_t n_longest = 0, n = 0;
    for (int i = 0; i < 1000; i++) {
        n = record_after(lane, elapsed) ? n + 1 : 0;
        n_longest = n > n_longest ? n : n_longest;
        run_clock();
    }
    return n_longest;
}

static void groups_are_longer_where_events_are_quick(void **state)
{
    (void)state;
    come_to_share();
    assert_in_range(longest_group(2), STAMP_LONG_GROUP_BYTES / 6, STAMP_LONG_GROUP_BYTES / 4);
    longest_group(STAMP_PAUSE_TICKS / 50); /* the first of these were begun before */
    assert_in_range(longest_group(STAMP_PAUSE_TICKS / 50), 10, STAMP_GROUP_BYTES / 4);
    assert_int_equal(lane->stage, STAMP_SHARING);
    assert_in_range(longest_group(2), STAMP_LONG_GROUP_BYTES / 6, STAMP_LONG_GROUP_BYTES / 4);
}

static void a_reading_lasts_for_what_concerns_no_other_lane(void **state)
{
    (void)state;
    come_to_share();
    while (!record_after(lane, STEP_TICKS))
        ;
    assert_true(stamp_lasts(lane));
    touch_after(other, 1, OTHERS_BLOCK);
    assert_true(stamp_lasts(lane));
    assert_false(stamp_is_shared(lane, (void *)OTHERS_BLOCK));
    show_clock(now);
    assert_false(stamp_lasts(lane));
}

static void nobody_shares_without_a_clock(void **state)
{
    (void)state;
    assert_int_equal(be_dense(lane, 20 * STAMP_DENSE_BYTES), 0);
    assert_int_equal(lane->ring->wants_coarse, 1);
}

static void a_clock_that_stands_still_ends_it(void **state)
{
    (void)state;
    come_to_share();
    now += STAMP_STALE_TICKS;
    record_after(lane, STEP_TICKS); /* at most the rest of its group */
    be_dense(lane, STAMP_GROUP_BYTES);
    assert_int_equal(be_dense(lane, 4 * STAMP_DENSE_BYTES), 0);
}

static void a_step_of_the_clock_ends_a_group(void **state)
{
    (void)state;
    come_to_share();
    while (!record_after(lane, STEP_TICKS))
        ;
    now += 100000;
    show_clock(now);
    assert_false(record_after(lane, STEP_TICKS));
    assert_int_equal(lane->last_ticks, now);
}

/* A program that pauses in the same place in each of its rounds must not be off there each time. */
static void behind_a_pause_every_event_is_read(void **state)
{
    (void)state;
    come_to_share();
    now += STAMP_PAUSE_TICKS; /* seen by the first reading that follows */
    be_dense(lane, STAMP_GROUP_BYTES);
    for (int round = 0; round < 20; round++) {
        assert_int_equal(be_dense(lane, STAMP_DENSE_BYTES - 64), 0);
        assert_false(record_after(lane, STAMP_PAUSE_TICKS + 1));
        show_clock(now - 1);
    }
}

/* Each gap is short, but 25 of them are many pauses. */
static void at_a_leisurely_pace_every_event_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 20 * STAMP_LONG_BYTES / 4; i++) {
        show_clock(now);
        assert_false(record_after(lane, STAMP_PAUSE_TICKS / 4));
    }
    assert_int_equal(lane->ring->wants_coarse, 0);
}

/* An interrupt now and then is not the program's own pause. */
static void after_a_long_stretch_one_pause_costs_little(void **state)
{
    (void)state;
    come_to_share();
    for (int i = 0; i < 5; i++) {
        be_dense(lane, 2 * STAMP_LONG_BYTES);
        now += STAMP_PAUSE_TICKS;
        show_clock(now);
        const uint64_t paused_at = lane->head;
        record_after(lane, STEP_TICKS);
        while (!record_after(lane, STEP_TICKS))
            assert_true(lane->head - paused_at < 2 * STAMP_DENSE_BYTES);
    }
}

static void who_is_alone_is_so_no_more_when_another_shows_up(void **state)
{
    (void)state;
    come_to_share();
    while (!record_after(lane, STEP_TICKS))
        ;
    record_after(other, STEP_TICKS);
    assert_false(is_alone());
    assert_false(record_after(lane, STEP_TICKS));
}

static void in_company_own_blocks_share(void **state)
{
    (void)state;
    come_to_share();
    touch_after(other, STEP_TICKS, OTHERS_BLOCK);
    record_after(lane, STEP_TICKS);
    assert_true(be_dense(lane, STAMP_DENSE_BYTES) > STAMP_DENSE_BYTES / 6);
    assert_false(is_alone());
}

/* Whoever has a block that was another's reads the counter: that way and back. */
static void a_block_that_changes_hands_is_read(void **state)
{
    (void)state;
    come_to_share();
    for (int i = 0; i < 200; i++) {
        touch_after(other, STEP_TICKS, BLOCK);
        assert_false(touch_after(lane, STEP_TICKS, BLOCK));
        touch_after(other, STEP_TICKS, OTHERS_BLOCK);
        assert_false(touch_after(lane, STEP_TICKS, OTHERS_BLOCK));
        touch_after(lane, STEP_TICKS, BLOCK);
    }
}

/* What was noted before a lane was alone may have changed hands since, unnoted. */
static void marks_of_before_are_void(void **state)
{
    (void)state;
    touch_after(other, STEP_TICKS, BLOCK);
    touch_after(other, STEP_TICKS, BLOCK);
    const uint64_t mark = other->mark;
    come_to_share();
    touch_after(other, STEP_TICKS, OTHERS_BLOCK);
    assert_true(other->mark != mark);
    assert_false(last_touch_was_ours(other, (void *)BLOCK));
}

/* A fork's child has the blocks of that moment: what its parent's other lanes free later must not seem freed before. */
static void a_fork_ends_the_groups_of_others(void **state)
{
    (void)state;
    come_to_share();
    touch_after(other, STEP_TICKS, OTHERS_BLOCK);
    while (!record_after(lane, STEP_TICKS)) /* in company */
        run_clock();
    while (record_after(lane, STEP_TICKS))
        ; /* a group is new */
    touch_after(other, STEP_TICKS, OTHERS_BLOCK);
    stamp_end_groups(other);
    const uint64_t forked_at = other->last_ticks;
    assert_false(record_after(lane, STEP_TICKS));
    assert_true(lane->last_ticks > forked_at);
}

static void who_is_alone_ends_no_group(void **state)
{
    (void)state;
    come_to_share();
    while (record_after(lane, STEP_TICKS))
        ;
    stamp_end_groups(lane);
    assert_true(record_after(lane, STEP_TICKS));
}

/* Marks of the count that was would be taken for those of a later one. */
static void without_marks_nobody_shares(void **state)
{
    (void)state;
    come_to_share();
    touch_after(other, STEP_TICKS, OTHERS_BLOCK);
    for (int i = 0; i < 1 << 19; i++)
        stamp_end_groups(other);
    for (int i = 0; i < 20 * STAMP_DENSE_BYTES; i++) {
        run_clock();
        assert_false(record_after(lane, STEP_TICKS));
    }
    assert_false(is_alone());
    assert_int_equal(lane->ring->wants_coarse, 0);
}

static void what_was_read_into_is_nobodys(void **state)
{
    (void)state;
    assert_false(last_touch_was_ours(lane, (void *)BLOCK));
    assert_true(last_touch_was_ours(lane, (void *)BLOCK));
    last_touch_forget_others(lane, (void *)BLOCK);
    assert_true(last_touch_was_ours(lane, (void *)BLOCK));
    last_touch_forget_others(other, (void *)BLOCK);
    assert_false(last_touch_was_ours(lane, (void *)BLOCK));
}

/* Of many addresses, most of which drive others out, none is taken for another. */
static void the_table_knows_blocks_apart(void **state)
{
    (void)state;
    enum { N = 200000 };
    uint64_t random = 1;
    for (int i = 0; i < N; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const uintptr_t near = BLOCK + (random >> 40) * 8, far = random >> 17;
        last_touch_was_ours(lane, (void *)far);
        last_touch_was_ours(other, (void *)far);
        assert_false(last_touch_was_ours(lane, (void *)far));
        assert_true(last_touch_was_ours(lane, (void *)far));
        last_touch_was_ours(other, (void *)near);
        last_touch_was_ours(lane, (void *)(near + 8));
        assert_false(last_touch_was_ours(lane, (void *)near));
    }
}

static void who_is_disturbed_rests_longer_each_time(void **state)
{
    (void)state;
    uint64_t last_rest = 0;
    for (int i = 0; i < 3; i++) {
        while (!is_alone())
            record_after(lane, STEP_TICKS);
        record_after(other, STEP_TICKS);
        const uint64_t disturbed_at = lane->head;
        while (!is_alone())
            record_after(lane, STEP_TICKS);
        assert_true(lane->head - disturbed_at > last_rest);
        last_rest = lane->head - disturbed_at;
        record_after(other, STEP_TICKS);
    }
}

static void a_handlers_lane_never_shares(void **state)
{
    (void)state;
    show_clock(1);
    assert_int_equal(be_dense(other, 8 * STAMP_DENSE_BYTES), 0);
    assert_int_equal(session.company, 0);
}

/* It may never be dense again, and would keep the clock running. */
static void who_pauses_twice_needs_no_clock(void **state)
{
    (void)state;
    come_to_share();
    record_after(other, STEP_TICKS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lane->ring->wants_coarse, 1);
        now += STAMP_PAUSE_TICKS + 1;
        show_clock(now);
        record_after(lane, STEP_TICKS);
    }
    assert_int_equal(lane->ring->wants_coarse, 0);
}

static void who_only_takes_over_asks_in_vain(void **state)
{
    (void)state;
    come_to_share();
    while (lane->ask_from == 0) {
        show_clock(now);
        touch_after(other, STEP_TICKS, BLOCK);
        assert_false(touch_after(lane, STEP_TICKS, BLOCK));
        assert_true(lane->head < 2 * STAMP_VAIN_BYTES);
    }
    assert_int_equal(lane->ring->wants_coarse, 0);
    while (!lane->ring->wants_coarse) {
        touch_after(other, STEP_TICKS, BLOCK);
        touch_after(lane, STEP_TICKS, BLOCK);
    }
    assert_true(lane->head >= lane->ask_from);
    const uint64_t asked_at = lane->head;
    while (!record_after(lane, STEP_TICKS)) { /* now there is something to share */
        run_clock();
        assert_true(lane->head - asked_at < 2 * STAGES * STAMP_DENSE_BYTES);
    }
}

/* A call of input or output has a reading of its own always, and its time is no pause. */
static void who_only_reads_and_writes_asks_in_vain(void **state)
{
    (void)state;
    come_to_share();
    while (lane->ring->wants_coarse) {
        now += STAMP_PAUSE_TICKS * 2;
        show_clock(now - 1);
        uint8_t *const at = next_record(lane);
        ring_publish(lane, event_hot_head(lane, at, TRACE_IO, 10, now, now - lane->last_ticks - 1));
        assert_true(lane->head < 2 * STAMP_VAIN_BYTES);
    }
}

static void who_shares_asks_on(void **state)
{
    (void)state;
    come_to_share();
    while (lane->head < 3 * STAMP_VAIN_BYTES) {
        show_clock(now);
        be_dense(lane, 4 * STAMP_GROUP_BYTES);
        assert_int_equal(lane->ring->wants_coarse, 1);
    }
}

static void who_may_not_share_asks_for_no_clock(void **state)
{
    static const uint32_t flags[] = {SESSION_EXACT_TIMES, SESSION_CLOCK_MONOTONIC,
                                     SESSION_BORROWED_CLOCK};
    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        session.flags = flags[i];
        be_dense(lane, 8 * STAMP_DENSE_BYTES);
        assert_int_equal(session.company, 0);
        assert_int_equal(lane->ring->wants_coarse, 0);
    }
}

static void a_lane_that_begins_anew_shares_nothing(void **state)
{
    (void)state;
    come_to_share();
    stamp_start(lane);
    assert_false(is_alone());
    assert_false(record_after(lane, STEP_TICKS));
}

/* What the collector promises the reader: no stamp is before the step that was seen with it. */
static void no_stamp_is_before_the_clock(void **state)
{
    (void)state;
    come_to_share();
    for (int i = 0; i < 2000; i++) {
        record_after(lane, STEP_TICKS);
        assert_true(lane->shared_until == 0 || lane->coarse_seen <= lane->last_ticks);
        if (i % 7 == 0)
            show_clock(now + i % 3); /* may be ahead of the last reading */
        assert_true(!stamp_is_shared(lane, (void *)BLOCK) ||
                    session.header->coarse_ticks <= lane->last_ticks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_dense_stretch_leads_to_sharing, start),
        cmocka_unit_test_setup(a_group_has_an_end, start),
        cmocka_unit_test_setup(groups_are_longer_where_events_are_quick, start),
        cmocka_unit_test_setup(a_reading_lasts_for_what_concerns_no_other_lane, start),
        cmocka_unit_test_setup(nobody_shares_without_a_clock, start),
        cmocka_unit_test_setup(a_clock_that_stands_still_ends_it, start),
        cmocka_unit_test_setup(a_step_of_the_clock_ends_a_group, start),
        cmocka_unit_test_setup(behind_a_pause_every_event_is_read, start),
        cmocka_unit_test_setup(at_a_leisurely_pace_every_event_is_read, start),
        cmocka_unit_test_setup(after_a_long_stretch_one_pause_costs_little, start),
        cmocka_unit_test_setup(who_is_alone_is_so_no_more_when_another_shows_up, start),
        cmocka_unit_test_setup(in_company_own_blocks_share, start),
        cmocka_unit_test_setup(a_block_that_changes_hands_is_read, start),
        cmocka_unit_test_setup(marks_of_before_are_void, start),
        cmocka_unit_test_setup(a_fork_ends_the_groups_of_others, start),
        cmocka_unit_test_setup(who_is_alone_ends_no_group, start),
        cmocka_unit_test_setup(without_marks_nobody_shares, start),
        cmocka_unit_test_setup(what_was_read_into_is_nobodys, start),
        cmocka_unit_test_setup(the_table_knows_blocks_apart, start),
        cmocka_unit_test_setup(who_is_disturbed_rests_longer_each_time, start),
        cmocka_unit_test_setup(a_handlers_lane_never_shares, start),
        cmocka_unit_test_setup(who_pauses_twice_needs_no_clock, start),
        cmocka_unit_test_setup(who_only_takes_over_asks_in_vain, start),
        cmocka_unit_test_setup(who_only_reads_and_writes_asks_in_vain, start),
        cmocka_unit_test_setup(who_shares_asks_on, start),
        cmocka_unit_test_setup(who_may_not_share_asks_for_no_clock, start),
        cmocka_unit_test_setup(a_lane_that_begins_anew_shares_nothing, start),
        cmocka_unit_test_setup(no_stamp_is_before_the_clock, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
