/* SPDX-License-Identifier: MIT */
/* When is something read or asked for again: io_repeat.c? */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 12 MiB read in 192 calls of 64 KiB, 10 us each. */
static struct io_site reading(const struct io_habits *habits)
{
    return (struct io_site){AT_LINE(0),
                            .op = "read",
                            .reads = true,
                            .path = "/data/table",
                            .n_files = 1,
                            .calls = 192,
                            .bytes = 12 << 20,
                            .seconds = 0.00192,
                            .sizes = ALL_OF(65536, 192),
                            .latency_ns = ALL_OF(10000, 192),
                            .pattern = {192, 0, 0},
                            .habits = habits};
}

static void bytes_read_twice_are_told_and_those_read_once_are_not(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = "", .reread_bytes = 8 << 20};
    const struct io_site site = reading(&habits);
    struct profile profile = rules_run();
    profile.io_places = &site;
    profile.n_io_places = 1;
    struct findings *const findings = rules_look(&profile, NULL);
    const struct finding *const finding = rules_pick(findings, "IO230");
    assert_float_equal(finding->saves.io_bytes.value, 8388608, 0);
    assert_float_equal(finding->saves.io_calls.value, 128, 1e-9);
    assert_float_equal(finding->percentage, 6.25, 1e-9); /* 8 of 128 MiB */
    assert_string_equal(finding->evidence.paths[0], "/data/table");
    findings_free(findings);
    habits.reread_bytes = 0; /* less read than the file is long: no re-read, whatever its offsets */
    assert_false(rules_fires(&site, 1, "IO230"));
}

static void each_limit_of_reading_again_counts(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = "", .reread_bytes = 1 << 20};
    struct io_site site = reading(&habits);
    site.bytes = 2 << 20;
    site.seconds = 0.01;
    site.latency_ns = (struct quantiles)ALL_OF(50000, 192);
    assert_true(rules_fires(&site, 1, "IO230"));
    habits.reread_bytes--;
    assert_false(rules_fires(&site, 1, "IO230"));
    habits.reread_bytes++;
    site.bytes = (3 << 20) + 65536; /* 1.49 times over */
    assert_false(rules_fires(&site, 1, "IO230"));
    site.bytes = 2 << 20;
    site.seconds = 0.0001;
    assert_false(rules_fires(&site, 1, "IO230"));
}

static struct path_site asking(const char *op)
{
    return (struct path_site){AT_LINE(1),
                              .op = op,
                              .path = "/etc/work.conf",
                              .calls = 4000,
                              .repeated_calls = 3999,
                              .path_calls = 4000,
                              .n_paths = 1,
                              .seconds = 0.004};
}

static bool fires(const struct path_site *site, const char *id)
{
    struct profile profile = rules_run();
    profile.path_sites = site;
    profile.n_path_sites = 1;
    struct findings *const findings = rules_look(&profile, NULL);
    const bool does = rules_pick(findings, id) != NULL;
    findings_free(findings);
    return does;
}

static void paths_named_again_are_told_by_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *op, *id;
    } rows[] = {
        {"openat", "IO231"},
        {"newfstatat", "IO232"},
        {"statx", "IO232"},
        {"faccessat", "IO232"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct path_site site = asking(rows[i].op);
        assert_int_equal(fires(&site, "IO231"), strcmp(rows[i].id, "IO231") == 0);
        assert_int_equal(fires(&site, "IO232"), strcmp(rows[i].id, "IO232") == 0);
    }
    const struct path_site renames = asking("renameat2");
    assert_false(fires(&renames, "IO231") || fires(&renames, "IO232"));
}

static void each_limit_of_paths_counts(void **state)
{
    (void)state;
    struct path_site site = asking("openat");
    site.repeated_calls = 1999; /* of 4,000 */
    assert_false(fires(&site, "IO231"));
    site.repeated_calls = 2000;
    assert_true(fires(&site, "IO231"));
    site.calls = 100;
    site.repeated_calls = 99;
    assert_false(fires(&site, "IO231"));
    site = asking("newfstatat");
    site.repeated_calls = site.calls = 1000;
    site.seconds = 0.00099; /* not a millisecond */
    assert_false(fires(&site, "IO232"));
    site.seconds = 0.001;
    assert_true(fires(&site, "IO232"));
}

static void opens_that_fail_leave_nothing_to_keep_open(void **state)
{
    (void)state;
    struct path_site site = asking("openat");
    struct profile profile = rules_run();
    profile.path_sites = &site;
    profile.n_path_sites = 1;
    for (site.failed = 2000; site.failed <= 2001; site.failed++) {
        struct findings *const findings = rules_look(&profile, NULL);
        const struct finding *const finding = rules_pick(findings, "IO231");
        const char *const words =
            site.failed == 2000 ? "keep the descriptor" : "remember which paths";
        assert_non_null(strstr(finding->suggestion.text, words));
        findings_free(findings);
    }
}

static void many_different_paths_are_in_order(void **state)
{
    (void)state;
    struct path_site site = asking("newfstatat");
    site.repeated_calls = 0;
    site.n_paths = 4000;
    site.path_calls = 1;
    assert_false(fires(&site, "IO232"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_read_twice_are_told_and_those_read_once_are_not),
        cmocka_unit_test(each_limit_of_reading_again_counts),
        cmocka_unit_test(paths_named_again_are_told_by_what_was_asked),
        cmocka_unit_test(each_limit_of_paths_counts),
        cmocka_unit_test(opens_that_fail_leave_nothing_to_keep_open),
        cmocka_unit_test(many_different_paths_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
