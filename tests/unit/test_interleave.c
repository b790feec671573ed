/* SPDX-License-Identifier: MIT */
/* Sorted runs must come out as a stable sort of all their events would have them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/interleave.h"

enum { N_EVENTS = INTERLEAVE_RUNS * INTERLEAVE_EVENTS };

/* What came out, over as many batches as it took. */
struct sink {
    struct batch batch;
    struct outlet outlet;
    struct event events[N_EVENTS];
    uint32_t n, n_passes;
    int refusal;
};

static int keep(struct outlet *outlet)
{
    struct sink *const sink = outlet->context;
    if (sink->refusal)
        return sink->refusal;
    memcpy(sink->events + sink->n, outlet->batch->events,
           outlet->batch->n_events * sizeof *sink->events);
    sink->n += outlet->batch->n_events;
    sink->n_passes++;
    batch_clear(outlet->batch);
    return 0;
}

static int set_up(void **state)
{
    struct sink *const sink = calloc(1, sizeof *sink);
    if (!sink || batch_init(&sink->batch))
        return -1;
    sink->outlet = (struct outlet){.batch = &sink->batch, .context = sink, .pass = keep};
    *state = sink;
    return 0;
}

static int tear_down(void **state)
{
    struct sink *const sink = *state;
    batch_fini(&sink->batch);
    free(sink);
    return 0;
}

/* Runs of random lengths, the number of the run and of the event in it in address and stack. */
static void make_runs(struct event (*runs)[INTERLEAVE_EVENTS], uint32_t *lengths, uint32_t n_runs,
                      unsigned step)
{
    for (uint32_t i = 0; i < n_runs; i++) {
        lengths[i] = (uint32_t)rand() % (INTERLEAVE_EVENTS + 1);
        uint64_t ticks = 1;
        for (uint32_t j = 0; j < lengths[i]; j++) {
            ticks += (unsigned)rand() % step;
            runs[i][j] = (struct event){.ticks = ticks, .address = i, .stack = j};
        }
    }
}

/* The plain way: always the least of all heads, the first one of equals. */
static uint32_t expect(struct event (*runs)[INTERLEAVE_EVENTS], const uint32_t *lengths,
                       uint32_t n_runs, uint64_t limit, struct event *expected)
{
    uint32_t at[INTERLEAVE_RUNS] = {0}, n = 0;
    for (;;) {
        uint32_t best = n_runs;
        for (uint32_t i = 0; i < n_runs; i++)
            if (at[i] < lengths[i] && runs[i][at[i]].ticks < limit &&
                (best == n_runs || runs[i][at[i]].ticks < runs[best][at[best]].ticks))
                best = i;
        if (best == n_runs)
            return n;
        expected[n++] = runs[best][at[best]++];
    }
}

static void runs_come_out_as_one(void **state)
{
    static struct event runs[INTERLEAVE_RUNS][INTERLEAVE_EVENTS], expected[N_EVENTS];
    static struct interleave interleave;
    struct sink *const sink = *state;
    uint32_t lengths[INTERLEAVE_RUNS];
    srand(3);
    for (uint32_t round = 0; round < 500; round++) {
        const uint32_t n_runs = round % (INTERLEAVE_RUNS + 1);
        const uint64_t limit = round % 3 ? UINT64_MAX : 40;
        make_runs(runs, lengths, n_runs, 1 + round % 7);
        const uint32_t n_expected = expect(runs, lengths, n_runs, limit, expected);
        uint32_t n_taken = 0;
        for (uint32_t i = 0; i < n_runs; i++)
            n_taken += interleave_add(&interleave, runs[i], lengths[i], limit);
        assert_int_equal(n_taken, n_expected);
        sink->n = 0;
        assert_int_equal(interleave_send(&interleave, &sink->outlet), 0);
        keep(&sink->outlet);
        assert_int_equal(sink->n, n_expected);
        assert_memory_equal(sink->events, expected, n_expected * sizeof *expected);
    }
}

static void events_without_a_time_stay_with_the_one_before(void **state)
{
    static struct interleave interleave;
    struct sink *const sink = *state;
    const struct event first[] = {
        {.ticks = 5}, {.ticks = 0, .tag = TRACE_NODE}, {.ticks = 3}, {.ticks = 9}};
    const struct event second[] = {{.ticks = 4}, {.ticks = 5}, {.ticks = 6}, {.ticks = 9}};
    static const uint64_t expected[] = {4, 5, 0, 3, 5, 6};
    assert_int_equal(interleave_add(&interleave, first, 4, 9), 3);
    assert_int_equal(interleave_add(&interleave, second, 4, 9), 3);
    assert_int_equal(interleave_send(&interleave, &sink->outlet), 0);
    assert_int_equal(sink->batch.n_events, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(sink->batch.events[i].ticks, expected[i]);
}

static void full_batch_is_passed_on_in_between(void **state)
{
    static struct interleave interleave;
    struct sink *const sink = *state;
    const struct event events[] = {{.ticks = 1}, {.ticks = 2}, {.ticks = 3}};
    sink->batch.n_events = BATCH_EVENTS - 2;
    sink->n = 0;
    assert_int_equal(interleave_add(&interleave, events, 3, 9), 3);
    sink->refusal = -ECANCELED;
    assert_int_equal(interleave_send(&interleave, &sink->outlet), -ECANCELED);
    assert_int_equal(sink->batch.n_events, BATCH_EVENTS);
    assert_int_equal(sink->batch.events[BATCH_EVENTS - 1].ticks, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_come_out_as_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_without_a_time_stay_with_the_one_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(full_batch_is_passed_on_in_between, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
