/* SPDX-License-Identifier: MIT */
/* When is a peak a spike, and whose? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

/* 20 points: 16 of 1 MB, 4 of 10 MB. */
static void spike(struct place_case *run)
{
    place_case_blocks(run, 0, 2000, 1000);
    run->places[0].metrics.peak_bytes = 2000000;
    run->places[0].metrics.peak_count = 2000;
    run->profile.peak_seconds = 5;
    run->profile.timeline = run->timeline;
    run->profile.n_timeline = CASE_POINTS;
    for (unsigned i = 0; i < CASE_POINTS; i++)
        run->timeline[i] =
            (struct timeline_point){(i + 1) * 0.5, i >= 8 && i < 12 ? 10000000 : 1000000};
}

static void low_peak(struct place_case *run)
{
    run->profile.totals.peak_bytes = 4194303;
    run->places[0].metrics.peak_bytes = 4000000;
}
static void usual(struct place_case *run)
{
    for (unsigned i = 0; i < CASE_POINTS; i++)
        run->timeline[i].live_bytes = 5000001;
}
static void ramp(struct place_case *run)
{
    for (unsigned i = 0; i < CASE_POINTS; i++)
        run->timeline[i].live_bytes = i * 500000;
}
static void long_plateau(struct place_case *run)
{
    for (unsigned i = 8; i < 14; i++)
        run->timeline[i].live_bytes = 10000000;
}
static void small_part(struct place_case *run)
{
    run->places[0].metrics.peak_bytes = 1999999;
}
static void never_freed(struct place_case *run)
{
    run->places[0].metrics.leaked_bytes = 1000001;
}
static void no_timeline(struct place_case *run)
{
    run->profile.n_timeline = 0;
}

static void a_short_peak_is_told_with_who_builds_it(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"a peak below 4 MiB", low_peak},         {"less than twice the usual", usual},
        {"a ramp up to the end", ramp},           {"30 % of the run above its half", long_plateau},
        {"less than 20 % of it", small_part},     {"blocks that are never freed", never_freed},
        {"nothing known over time", no_timeline},
    };
    place_case_limits("AL122", spike, changes, N_OF(changes));
}

static void no_more_is_saved_than_lies_above_the_usual(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    spike(&run);
    assert_true(place_case_find(&run, "AL122")->saves.peak_bytes.value == 2000000);
    run.places[0].metrics.peak_bytes = 10000000;
    assert_true(place_case_find(&run, "AL122")->saves.peak_bytes.value == 9000000);
    place_case_fini();
}

static void the_stack_with_most_of_the_peak_is_shown(void **state)
{
    (void)state;
    struct place_case run;
    static const uint32_t numbers[] = {0, 1}, other[] = {0, 2};
    struct site stacks[2] = {{.n_frames = 2, .metrics = {.alloc_count = 1990, .peak_bytes = 1}},
                             {.n_frames = 2, .frames = other, .metrics = {.peak_bytes = 2}}};
    place_case_init(&run);
    spike(&run);
    stacks[0].frames = run.places[0].frames;
    run.profile.sites = stacks;
    run.places[0].n_stacks = 2;
    run.places[0].stacks = numbers;
    const struct finding *const finding = place_case_find(&run, "AL122");
    assert_non_null(finding);
    assert_ptr_equal(finding->place.frames, other);
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_peak_is_told_with_who_builds_it),
        cmocka_unit_test(no_more_is_saved_than_lies_above_the_usual),
        cmocka_unit_test(the_stack_with_most_of_the_peak_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
