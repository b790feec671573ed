/* SPDX-License-Identifier: MIT */
/* When do transfers jump about, or go through memory for nothing: io_order.c, io_copy.c, io_memory.c? */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct io_habits no_habits = {.thread = ""};

/* 10,000 reads of 64 bytes, 400 ns each; a fifth of them goes back. */
static struct io_site jumping(void)
{
    return (struct io_site){AT_LINE(0),
                            .op = "pread64",
                            .reads = true,
                            .path = "/data/rows",
                            .n_files = 1,
                            .calls = 10000,
                            .bytes = 640000,
                            .seconds = 0.004,
                            .sizes = ALL_OF(64, 10000),
                            .latency_ns = ALL_OF(400, 10000),
                            .pattern = {0, 8000, 2000},
                            .habits = &no_habits};
}

static void expect(const struct io_site *site, const char *id, bool fires)
{
    if (rules_fires(site, 1, id) != fires)
        fail_msg("%s %s", id, fires ? "is silent" : "fires");
}

static struct findings *look_at(const struct io_site *places, size_t n)
{
    static struct profile profile;
    profile = rules_run();
    profile.io_places = places;
    profile.n_io_places = n;
    return rules_look(&profile, NULL);
}

/* ---- IO221 ---- */

static void random_is_neither_on_nor_forward(void **state)
{
    (void)state;
    struct io_site site = jumping();
    expect(&site, "IO221", true);
    site.pattern = (struct io_pattern){0, 8001, 1999};
    expect(&site, "IO221", false);
    site.pattern = (struct io_pattern){0, 10000, 0}; /* strides: read-ahead sees them */
    expect(&site, "IO221", false);
}

static void streaming_does_not_hide_jumps_nor_make_them(void **state)
{
    (void)state;
    struct io_site site = jumping();
    site.pattern =
        (struct io_pattern){10000, 0, 0}; /* counted as on and forward at once elsewhere */
    expect(&site, "IO221", false);
    site.pattern = (struct io_pattern){7000, 0, 3000};
    expect(&site, "IO221", true);
    site.pattern = (struct io_pattern){2000, 0, 999}; /* a third, but few */
    expect(&site, "IO221", false);
}

static void large_reads_may_jump(void **state)
{
    (void)state;
    struct io_site site = jumping();
    site.sizes = (struct quantiles)ALL_OF(4097, 10000);
    expect(&site, "IO221", false);
    site.sizes = (struct quantiles)ALL_OF(4096, 10000);
    expect(&site, "IO221", true);
}

static void reads_that_wait_for_a_device_get_other_advice(void **state)
{
    (void)state;
    struct io_site site = jumping();
    site.latency_ns = (struct quantiles)ALL_OF(100000, 10000);
    site.seconds = 1;
    struct findings *const findings = look_at(&site, 1);
    const struct finding *const finding = rules_pick(findings, "IO221");
    assert_non_null(strstr(finding->suggestion.text, "POSIX_FADV_WILLNEED"));
    assert_null(strstr(finding->suggestion.text, "mmap"));
    assert_float_equal(finding->saves.seconds.value, 0.1, 1e-9); /* half of a fifth */
    assert_true(finding->confidence < 0.4);
    findings_free(findings);
}

/* ---- IO220 ---- */

static void a_seek_before_each_transfer_is_one_call_too_many(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = "", .after_seek_calls = 11000};
    struct io_site site = jumping();
    site.op = "read";
    site.calls = site.sizes.n = 22000;
    site.pattern = (struct io_pattern){11000, 11000, 0};
    site.habits = &habits;
    struct findings *const findings = look_at(&site, 1);
    const struct finding *const finding = rules_pick(findings, "IO220");
    assert_string_equal(finding->title, "11,000 calls of read right after an lseek");
    assert_non_null(strstr(finding->suggestion.text, "pread in place of lseek and read"));
    assert_false(finding->saves.io_calls.known); /* a seek is neither read nor write */
    assert_float_equal(finding->saves.seconds.value, 11000 * 98e-9, 1e-9);
    findings_free(findings);
    habits.after_seek_calls = 10999; /* less than half */
    expect(&site, "IO220", false);
    habits.after_seek_calls = 11000;
    site.layer = IO_LAYER_STDIO;
    expect(&site, "IO220", false);
}

static void seeks_of_small_random_reads_are_told_with_them(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = "", .after_seek_calls = 20000};
    struct io_site site = jumping();
    site.calls = site.sizes.n = 20000;
    site.pattern = (struct io_pattern){0, 10000, 10000};
    site.habits = &habits;
    struct findings *const findings = look_at(&site, 1);
    assert_int_equal(findings->n, 1);
    const struct finding *const finding = rules_pick(findings, "IO221");
    assert_non_null(strstr(finding->suggestion.text, "seeks before them go away"));
    findings_free(findings);
}

/* ---- IO222 ---- */

/* 4,096 reads of 4 KiB by line 10, written by line 20. */
static void make_copy(struct io_site places[2], const struct io_habits *writes, const char *from,
                      const char *to)
{
    places[0] = jumping();
    places[0].op = "read";
    places[0].path = from;
    places[0].calls = 4096;
    places[0].bytes = 4096 * 4096;
    places[0].sizes = (struct quantiles)ALL_OF(4096, 4096);
    places[0].pattern = (struct io_pattern){4096, 0, 0};
    places[1] = places[0];
    places[1].frames = &rules_frames[1];
    places[1].op = "write";
    places[1].path = to;
    places[1].reads = false;
    places[1].writes = true;
    places[1].copied_calls = 4096;
    places[1].copied_bytes = 4096 * 4096;
    places[1].habits = writes;
}

static void expect_copy(const char *from, const char *to, const char *words)
{
    const struct io_habits habits = {.thread = "", .copied_elsewhere_calls = 4096};
    struct io_site places[2];
    make_copy(places, &habits, from, to);
    struct findings *const findings = look_at(places, 2);
    const struct finding *const finding = rules_pick(findings, "IO222");
    if (!finding || !strstr(finding->suggestion.text, words))
        fail_msg("from %s to %s: %s", from, to, finding ? finding->suggestion.text : "silent");
    assert_float_equal(finding->saves.io_calls.value, 8192, 0);
    assert_string_equal(finding->evidence.paths[0], to);
    assert_string_equal(finding->evidence.paths[1], from);
    findings_free(findings);
}

static void what_copies_depends_on_both_ends(void **state)
{
    (void)state;
    expect_copy("/data/a", "/data/b", "copy them with copy_file_range");
    expect_copy("/data/a", "socket:[tcp 10.0.0.1:80]", "sendfile");
    expect_copy("/data/a", "pipe:[17]", "sendfile");
    expect_copy("pipe:[17]", "/data/b", "splice: one of the two");
    expect_copy("/dev/zero", "/data/b", "let the kernel copy them");
    expect_copy("socket:[tcp 10.0.0.1:80]", "socket:[tcp 10.0.0.2:80]",
                "through a pipe made for it");
}

static void a_copy_needs_another_end_and_most_of_the_bytes(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = ""}; /* back to where it came from */
    struct io_site places[2];
    make_copy(places, &habits, "/data/a", "/data/b");
    assert_false(rules_fires(places, 2, "IO222"));
    habits.copied_elsewhere_calls = 2047; /* of 4,096 */
    assert_false(rules_fires(places, 2, "IO222"));
    habits.copied_elsewhere_calls = 2048;
    assert_true(rules_fires(places, 2, "IO222"));
    make_copy(places, &habits, "/data/a", "/dev/null");
    assert_false(rules_fires(places, 2, "IO222"));
    make_copy(places, &habits, "/data/a", "/data/b");
    places[0].bytes = places[1].bytes = places[1].copied_bytes = 1000000; /* not a MiB */
    assert_false(rules_fires(places, 2, "IO222"));
}

static void an_unknown_source_is_not_guessed(void **state)
{
    (void)state;
    const struct io_habits habits = {.thread = "", .copied_elsewhere_calls = 4096};
    struct io_site places[3];
    make_copy(places, &habits, "/data/a", "/data/b");
    places[2] = places[0]; /* two reads of the function may be it */
    places[2].frames = &rules_frames[2];
    struct findings *const findings = look_at(places, 3);
    const struct finding *const finding = rules_pick(findings, "IO222");
    assert_non_null(strstr(finding->suggestion.text, "splice where one end is a pipe"));
    assert_int_equal(finding->evidence.n_paths, 1);
    findings_free(findings);
}

/* ---- IO223, IO224 ---- */

static void blocks_for_one_call_each_are_counted(void **state)
{
    (void)state;
    struct io_site site = jumping();
    site.single_calls = 5000;
    expect(&site, "IO223", true);
    site.single_calls = 4999;
    expect(&site, "IO223", false);
    site.calls = 1998;
    site.single_calls = 999;
    expect(&site, "IO223", false);
}

static void a_file_in_one_block_is_held_against_the_peak(void **state)
{
    (void)state;
    struct io_habits habits = {
        .thread = "", .whole_file_calls = 1, .whole_file_bytes = RULES_PEAK_BYTES / 4};
    struct io_site site = jumping();
    site.habits = &habits;
    struct findings *const findings = look_at(&site, 1);
    const struct finding *const finding = rules_pick(findings, "IO224");
    assert_float_equal(finding->percentage, 25, 1e-9);
    assert_int_equal(finding->whole, OF_PEAK_BYTES);
    assert_true(finding->severity <= SEVERITY_MEDIUM);
    findings_free(findings);
    habits.whole_file_bytes--;
    expect(&site, "IO224", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_is_neither_on_nor_forward),
        cmocka_unit_test(streaming_does_not_hide_jumps_nor_make_them),
        cmocka_unit_test(large_reads_may_jump),
        cmocka_unit_test(reads_that_wait_for_a_device_get_other_advice),
        cmocka_unit_test(a_seek_before_each_transfer_is_one_call_too_many),
        cmocka_unit_test(seeks_of_small_random_reads_are_told_with_them),
        cmocka_unit_test(what_copies_depends_on_both_ends),
        cmocka_unit_test(a_copy_needs_another_end_and_most_of_the_bytes),
        cmocka_unit_test(an_unknown_source_is_not_guessed),
        cmocka_unit_test(blocks_for_one_call_each_are_counted),
        cmocka_unit_test(a_file_in_one_block_is_held_against_the_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
