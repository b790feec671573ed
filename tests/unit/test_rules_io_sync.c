/* SPDX-License-Identifier: MIT */
/* When is the device waited for too often: io_sync.c? */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 100 writes by line 10 and 100 syncs by line 20, 0.05 s of the 0.1 that I/O takes. */
static void make_places(struct io_site places[2], struct io_habits *habits)
{
    *habits = (struct io_habits){.thread = "", .synced_calls = 100, .synced_seconds = 0.05};
    places[0] = (struct io_site){AT_LINE(0),
                                 .op = "write",
                                 .writes = true,
                                 .path = "/data/journal",
                                 .n_files = 1,
                                 .calls = 100,
                                 .bytes = 10000,
                                 .seconds = 0.0001,
                                 .sizes = ALL_OF(100, 100),
                                 .latency_ns = ALL_OF(1000, 100),
                                 .pattern = {100, 0, 0},
                                 .habits = habits};
    places[1] = (struct io_site){
        AT_LINE(1),   .op = "fsync",   .path = "/data/journal",          .n_files = 1,
        .calls = 100, .seconds = 0.05, .latency_ns = ALL_OF(500000, 100)};
}

static void a_sync_per_record_is_told_at_the_write_alone(void **state)
{
    (void)state;
    struct io_habits habits;
    struct io_site places[2];
    make_places(places, &habits);
    struct profile profile = rules_run();
    profile.io_places = places;
    profile.n_io_places = 2;
    struct findings *const findings = rules_look(&profile, NULL);
    assert_int_equal(findings->n, 1);
    const struct finding *const finding = rules_pick(findings, "IO210");
    assert_string_equal(finding->title,
                        "100 writes that a sync followed at once, which took 50.0 ms");
    assert_float_equal(finding->percentage, 50, 1e-9);
    assert_int_equal(finding->whole, OF_IO_TIME);
    assert_float_equal(finding->impact, 4.5, 1e-9); /* nine tenths of 50 ms of a second */
    assert_float_equal(finding->saves.seconds.value, 0.045, 1e-9);
    assert_false(finding->saves.io_calls.known);
    findings_free(findings);
}

static void each_limit_of_syncs_per_record_counts(void **state)
{
    (void)state;
    struct io_habits habits;
    struct io_site places[2];
    make_places(places, &habits);
    habits.synced_calls = 50;
    assert_true(rules_fires(places, 1, "IO210"));
    habits.synced_calls = 49;
    assert_false(rules_fires(places, 1, "IO210"));
    habits.synced_calls = 50;
    places[0].calls = 101;
    assert_false(rules_fires(places, 1, "IO210"));
    places[0].calls = 100;
    habits.synced_seconds = 0.0099; /* of 0.1 */
    assert_false(rules_fires(places, 1, "IO210"));
}

static void syncs_that_no_write_explains_are_a_storm(void **state)
{
    (void)state;
    struct io_habits habits;
    struct io_site places[2];
    make_places(places, &habits);
    places[0].calls = 1000; /* ten records for a sync */
    assert_false(rules_fires(places, 2, "IO210"));
    assert_true(rules_fires(places, 2, "IO211"));
    places[1].calls = 49;
    assert_false(rules_fires(places, 2, "IO211"));
    places[1].calls = 50;
    places[1].seconds = 0.0099;
    assert_false(rules_fires(places, 2, "IO211"));
}

static void other_files_syncs_are_not_explained(void **state)
{
    (void)state;
    struct io_habits habits;
    struct io_site places[2];
    make_places(places, &habits);
    places[1].path = "/data/index";
    assert_true(rules_fires(places, 2, "IO210"));
    assert_true(rules_fires(places, 2, "IO211"));
}

static void a_cheap_sync_is_nothing_above_low(void **state)
{
    (void)state;
    struct io_habits habits;
    struct io_site places[2];
    make_places(places, &habits);
    habits.synced_seconds = 0.001; /* all of the I/O, a thousandth of the run */
    struct profile profile = rules_run();
    profile.totals.io_seconds = 0.001;
    profile.io_places = places;
    profile.n_io_places = 2;
    struct findings *const findings = rules_look(&profile, NULL);
    assert_non_null(rules_pick(findings, "IO210"));
    assert_true(findings->worst <= SEVERITY_LOW);
    findings_free(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sync_per_record_is_told_at_the_write_alone),
        cmocka_unit_test(each_limit_of_syncs_per_record_counts),
        cmocka_unit_test(syncs_that_no_write_explains_are_a_storm),
        cmocka_unit_test(other_files_syncs_are_not_explained),
        cmocka_unit_test(a_cheap_sync_is_nothing_above_low),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
