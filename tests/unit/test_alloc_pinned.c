/* SPDX-License-Identifier: MIT */
/* When do long-lived blocks hold memory that short-lived ones left? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

/* Peak of 40 MB at 2 s; later 4 MB live, 40 MB resident. */
static void pinned(struct place_case *run)
{
    place_case_blocks(run, 0, 500000, 48);
    run->places[0].metrics.peak_count = 500000;
    run->places[0].metrics.peak_bytes = 24000000;
    place_case_blocks(run, 1, 5000, 56);
    run->places[1].lifetime_ns.p50 = 5000000000;
    run->habits[1].first_alloc_seconds = 1;
    run->profile.totals.peak_bytes = 40000000;
    run->profile.peak_rss_bytes = 44000000;
    run->profile.peak_seconds = 2;
    run->profile.timeline = run->timeline;
    run->profile.n_timeline = CASE_POINTS;
    for (unsigned i = 0; i < CASE_POINTS; i++)
        run->timeline[i] = (struct timeline_point){(i + 1) * 0.5, i < 4 ? 40000000 : 4000000, 0, 0,
                                                   i < 4 ? 44000000 : 40000000};
}

static void given_back(struct place_case *run)
{
    for (unsigned i = 4; i < CASE_POINTS; i++)
        run->timeline[i].rss_bytes = 16000000; /* 4 MB live, 4 MB that were there, 8 MB more */
}
static void still_live(struct place_case *run)
{
    for (unsigned i = 4; i < CASE_POINTS; i++)
        run->timeline[i].live_bytes = 20000001;
}
static void another_class(struct place_case *run)
{
    run->places[1].sizes.p50 = 57;
}
static void short_lived(struct place_case *run)
{
    run->places[1].lifetime_ns.p50 = 4999999999;
}
static void born_later(struct place_case *run)
{
    run->habits[1].first_alloc_seconds = 2.1;
}
static void too_few(struct place_case *run)
{
    run->places[0].metrics.peak_count = 9999;
}
/* 8 MiB are as many pages as 2,048 blocks. */
static void too_few_to_pin(struct place_case *run)
{
    run->places[1].metrics.alloc_count = 2047;
}
static void too_short(struct place_case *run)
{
    run->profile.n_timeline = 6;
}

static void long_lived_blocks_among_many_pin_memory(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"less than 8 MiB kept", given_back},      {"half of the peak still live", still_live},
        {"another class", another_class},          {"lives below half of the run", short_lived},
        {"blocks of after the peak", born_later},  {"9,999 blocks at the peak", too_few},
        {"two samples after the peak", too_short}, {"2,047 blocks to hold 8 MiB", too_few_to_pin},
    };
    place_case_limits("AL135", pinned, changes, N_OF(changes));
}

static void the_place_is_that_of_the_long_lived_ones(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    pinned(&run);
    const struct finding *const finding = place_case_find(&run, "AL135");
    assert_ptr_equal(finding->site, &run.places[1]);
    assert_non_null(strstr(finding->suggestion.text, "work_0"));
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lived_blocks_among_many_pin_memory),
        cmocka_unit_test(the_place_is_that_of_the_long_lived_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
