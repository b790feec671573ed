/* SPDX-License-Identifier: MIT */
/* Whether everything comes off the belt in the order it was put on, with and without a thread. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reader/belt.h"

/* Puts on 1, 2, ... n_events; fails behind them where told. Checks that they come off so. */
struct job {
    uint64_t n_events, n_taken;
    uint64_t stop_taking_at; /* 0 never */
    int fill_error, filled;  /* to be returned; what filling came to */
    bool in_order;
};

static int put(struct outlet *outlet, uint64_t number)
{
    int error;
    struct event *const place = outlet_place(outlet, &error);
    if (error)
        return error;
    *place = (struct event){.ticks = number};
    outlet_commit(outlet);
    return 0;
}

static int fill(void *context, struct outlet *outlet)
{
    struct job *const job = context;
    for (uint64_t i = 1; i <= job->n_events && job->filled == 0; i++)
        job->filled = put(outlet, i);
    return job->filled ? job->filled : job->fill_error;
}

static int take(void *context, const struct batch *batch)
{
    struct job *const job = context;
    for (uint32_t i = 0; i < batch->n_events; i++) {
        job->in_order &= batch->events[i].ticks == ++job->n_taken;
        if (job->n_taken == job->stop_taking_at)
            return -ENOMEM;
    }
    return 0;
}

static int run(struct job *job, bool threaded)
{
    const struct belt_work work = {.context = job, .fill = fill, .take = take};
    job->in_order = true;
    const int error = belt_run(&work, threaded);
    assert_true(job->in_order);
    return error;
}

static void everything_arrives_in_order(void **state)
{
    (void)state;
    const uint64_t counts[] = {0, 1, BATCH_EVENTS, BATCH_EVENTS + 1, 50 * BATCH_EVENTS + 7};
    for (size_t i = 0; i < 2 * sizeof counts / sizeof *counts; i++) {
        struct job job = {.n_events = counts[i / 2]};
        assert_int_equal(run(&job, i % 2), 0);
        assert_int_equal(job.n_taken, counts[i / 2]);
    }
}

static void taking_that_fails_ends_the_filling(void **state)
{
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        struct job job = {.n_events = 100 * BATCH_EVENTS, .stop_taking_at = 3 * BATCH_EVENTS};
        assert_int_equal(run(&job, threaded), -ENOMEM);
        assert_int_equal(job.n_taken, 3 * BATCH_EVENTS);
        assert_int_equal(job.filled, threaded ? -ECANCELED : -ENOMEM);
    }
}

static void filling_that_fails_is_told_after_what_it_filled(void **state)
{
    (void)state;
    struct job job = {.n_events = 3 * BATCH_EVENTS + 5, .fill_error = -EIO};
    assert_int_equal(run(&job, true), -EIO);
    assert_int_equal(job.n_taken, job.n_events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_in_order),
        cmocka_unit_test(taking_that_fails_ends_the_filling),
        cmocka_unit_test(filling_that_fails_is_told_after_what_it_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
