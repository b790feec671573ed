/* SPDX-License-Identifier: MIT */
/* When are calls too small: io_size.c, io_unbuffered.c, io_record.c, io_gain.c? */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 20,000 writes of 100 bytes behind each other, 400 ns each: 8 ms of a second. */
static struct io_site tiny(bool reads)
{
    return (struct io_site){AT_LINE(0),
                            .op = reads ? "read" : "write",
                            .reads = reads,
                            .writes = !reads,
                            .path = "/data/log",
                            .n_files = 1,
                            .calls = 20000,
                            .bytes = 2000000,
                            .seconds = 0.008,
                            .sizes = ALL_OF(100, 20000),
                            .latency_ns = ALL_OF(400, 20000),
                            .pattern = {20000, 0, 0},
                            .n_threads = 1};
}

static void expect(const struct io_site *site, const char *id, bool fires)
{
    if (rules_fires(site, 1, id) != fires)
        fail_msg("%s %s", id, fires ? "is silent" : "fires");
}

static void tiny_writes_are_told_with_what_a_buffer_saves(void **state)
{
    (void)state;
    const struct io_site site = tiny(false);
    struct profile profile = rules_run();
    profile.io_places = &site;
    profile.n_io_places = 1;
    struct findings *const findings = rules_look(&profile, NULL);
    assert_int_equal(findings->n, 1);
    const struct finding *const finding = rules_pick(findings, "IO201");
    assert_non_null(finding);
    assert_string_equal(finding->title,
                        "20,000 calls of write on a file, half of them of 100 B or less");
    assert_float_equal(finding->percentage, 20, 1e-9);
    assert_int_equal(finding->whole, OF_IO_CALLS);
    assert_true(finding->suggestion.buffer.known);
    assert_int_equal(finding->suggestion.buffer.bytes, 65536);
    assert_int_equal(finding->suggestion.buffer.calls_before, 20000);
    assert_int_equal(finding->suggestion.buffer.calls_after, 31); /* 2,000,000 / 65,536 */
    assert_float_equal(finding->saves.io_calls.value, 19969.5, 0.1);
    /* 400 ns less 100 bytes of 0.2 ns each; 20 ns for each fwrite */
    assert_float_equal(finding->saves.seconds.value, 19969.5 * 380e-9 - 20000 * 20e-9, 1e-6);
    findings_free(findings);
}

static void small_means_what_it_costs_and_not_a_megabyte(void **state)
{
    (void)state;
    struct io_site site = tiny(false);
    site.sizes = (struct quantiles)ALL_OF(100000, 20000); /* "small" elsewhere: below 1 MB */
    site.bytes = 2000000000;
    expect(&site, "IO201", false);
    site = tiny(false);
    site.sizes = (struct quantiles)ALL_OF(4095, 20000);
    site.bytes = 20000 * 4095;
    site.latency_ns = (struct quantiles)ALL_OF(1250, 20000);
    site.seconds = 0.025;
    expect(&site, "IO201", true);
    site.sizes = (struct quantiles)ALL_OF(4096, 20000);
    expect(&site, "IO201", false);
}

static void what_saves_nothing_to_speak_of_is_no_finding(void **state)
{
    (void)state;
    struct io_site site = tiny(false);
    site.calls = 999;
    site.latency_ns = (struct quantiles)ALL_OF(100000, 999); /* as slow as may be */
    site.seconds = 0.1;
    site.sizes.n = site.pattern.consecutive = 999;
    site.bytes = 99900;
    expect(&site, "IO201", false);
    site.calls = site.sizes.n = site.pattern.consecutive = 1000;
    expect(&site, "IO201", true);
    site.latency_ns = (struct quantiles)ALL_OF(400, 1000); /* 0.4 ms of a second */
    site.seconds = 0.0004;
    expect(&site, "IO201", false);
}

static void reads_are_told_where_asking_for_more_gives_more(void **state)
{
    (void)state;
    struct io_site site = tiny(true);
    expect(&site, "IO202", true);
    expect(&site, "IO201", false);
    site.short_calls = 10001; /* got all there was */
    expect(&site, "IO202", false);
    site = tiny(true);
    site.path = "";
    site.n_files = 5001; /* four reads a file, the last of which finds the end */
    expect(&site, "IO202", false);
}

static void a_file_opened_for_each_record_needs_no_buffer(void **state)
{
    (void)state;
    const struct io_site site = tiny(false);
    const struct io_file file = {.path = "/data/log", .opens = 20000};
    struct profile profile = rules_run();
    profile.io_places = &site;
    profile.n_io_places = 1;
    profile.io_files = &file;
    profile.n_io_files = 1;
    struct findings *const findings = rules_look(&profile, NULL);
    assert_null(rules_pick(findings, "IO201"));
    findings_free(findings);
}

static void terminals_and_random_places_are_left_alone(void **state)
{
    (void)state;
    struct io_site site = tiny(false);
    site.path = "/dev/pts/3";
    expect(&site, "IO201", false);
    site = tiny(false);
    site.pattern = (struct io_pattern){9999, 1, 10000};
    expect(&site, "IO201", false);
    site.pattern = (struct io_pattern){15999, 0, 4001};
    expect(&site, "IO201", false);
    site.pattern = (struct io_pattern){16000, 0, 4000};
    expect(&site, "IO201", true);
    site.writes = site.reads = true; /* a copy within the kernel */
    expect(&site, "IO201", false);
}

static void a_byte_at_a_time_comes_before_all_else(void **state)
{
    (void)state;
    for (int reads = 0; reads < 2; reads++) {
        struct io_site site = tiny(reads);
        site.sizes = (struct quantiles)ALL_OF(1, 20000);
        site.bytes = 20000;
        expect(&site, "IO203", true);
        expect(&site, reads ? "IO202" : "IO201", false);
        site.sizes.p95 = site.sizes.p99 = site.sizes.max = 2;
        expect(&site, "IO203", false);
        site.sizes.p95 = 1; /* 5 % may be larger */
        expect(&site, "IO203", true);
        site.layer = IO_LAYER_STDIO;
        site.logical_calls = 60000;
        expect(&site, "IO203", true);
        expect(&site, "IO205", false);
    }
}

static void streams_are_told_by_how_many_calls_a_write_serves(void **state)
{
    (void)state;
    struct io_site site = tiny(false);
    site.layer = IO_LAYER_STDIO;
    site.logical_calls = 20000;
    expect(&site, "IO206", true);
    expect(&site, "IO205", false);
    site.logical_calls = 30000;
    expect(&site, "IO206", false);
    expect(&site, "IO205", true);
    expect(&site, "IO201", false);
    site.bytes = 20000 * 4000; /* its buffer was nearly full */
    site.sizes = (struct quantiles)ALL_OF(4000, 20000);
    expect(&site, "IO205", false);
    site.path = "/dev/tty";
    site.sizes = (struct quantiles)ALL_OF(100, 20000);
    site.bytes = 2000000;
    expect(&site, "IO205", false);
}

/* A head of 16 bytes and a body of 100, in turn; `habits` is theirs. */
static void make_record(struct io_site places[2], struct io_habits habits[2])
{
    for (int i = 0; i < 2; i++) {
        places[i] = tiny(false);
        places[i].frames = &rules_frames[i];
        places[i].path = "socket:[tcp 10.0.0.1:80]";
        places[i].pattern = (struct io_pattern){0};
        places[i].habits = &habits[i];
    }
}

static void head_and_body_are_one_finding_at_the_body(void **state)
{
    (void)state;
    struct io_site places[2];
    struct io_habits habits[2] = {{.thread = ""}, {.thread = ""}};
    make_record(places, habits);
    habits[0].adjacent = (struct io_before){19999, &places[1]};
    habits[1].adjacent = (struct io_before){20000, &places[0]};
    struct profile profile = rules_run();
    profile.io_places = places;
    profile.n_io_places = 2;
    struct findings *const findings = rules_look(&profile, NULL);
    assert_int_equal(findings->n, 1);
    const struct finding *const finding = rules_pick(findings, "IO204");
    assert_non_null(finding);
    assert_ptr_equal(finding->io_site, &places[1]);
    assert_float_equal(finding->saves.io_calls.value, 20000, 0);
    assert_non_null(strstr(finding->suggestion.text, "work.c:10"));
    findings_free(findings);
}

static void writes_behind_their_own_like_want_a_buffer(void **state)
{
    (void)state;
    struct io_site places[2];
    struct io_habits habits[2] = {{.thread = ""}, {.thread = ""}};
    make_record(places, habits);
    habits[0].adjacent = (struct io_before){19999, &places[0]};
    assert_false(rules_fires(places, 1, "IO204"));
    assert_true(rules_fires(places, 1, "IO201"));
    habits[0].adjacent = (struct io_before){10000, &places[1]}; /* half: no habit */
    assert_false(rules_fires(places, 2, "IO204"));
}

static void questions_are_not_to_be_collected(void **state)
{
    (void)state;
    struct io_site places[2];
    struct io_habits habits[2] = {{.thread = ""}, {.thread = ""}};
    make_record(places, habits);
    places[1].reads = true;
    places[1].writes = false;
    places[1].op = "read";
    habits[0].adjacent = (struct io_before){10001, &places[0]};
    assert_true(rules_fires(places, 2, "IO201"));
    assert_true(rules_fires(places, 2, "IO202"));
    habits[0].adjacent.count = 10000; /* a read comes between most of them */
    habits[1].reply = (struct io_before){20000, &places[0]};
    assert_false(rules_fires(places, 2, "IO201"));
    assert_false(rules_fires(places, 2, "IO202"));
    places[0].path = "/data/file"; /* nobody answers there */
    assert_true(rules_fires(places, 1, "IO201"));
}

static void a_stream_to_somebody_who_answers_is_to_be_flushed(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = ""};
    struct io_site site = tiny(false);
    site.layer = IO_LAYER_STDIO;
    site.logical_calls = 40000;
    site.path = "pipe:[17]";
    site.habits = &habits;
    expect(&site, "IO205", false);
    habits.adjacent = (struct io_before){19999, &site};
    expect(&site, "IO205", true);
}

static void numbers_at_their_limits_do_no_harm(void **state)
{
    (void)state;
    struct io_site site = tiny(false);
    site.calls = site.bytes = site.failed = site.empty = UINT64_MAX;
    expect(&site, "IO201", false);
    site.failed = site.empty = 0;
    site.latency_ns = (struct quantiles)ALL_OF(UINT64_MAX, UINT64_MAX);
    site.seconds = 1e300;
    site.pattern = (struct io_pattern){UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 8};
    site.place = UINT32_MAX;
    site.n_frames = 0;
    expect(&site, "IO201", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_writes_are_told_with_what_a_buffer_saves),
        cmocka_unit_test(small_means_what_it_costs_and_not_a_megabyte),
        cmocka_unit_test(what_saves_nothing_to_speak_of_is_no_finding),
        cmocka_unit_test(reads_are_told_where_asking_for_more_gives_more),
        cmocka_unit_test(a_file_opened_for_each_record_needs_no_buffer),
        cmocka_unit_test(terminals_and_random_places_are_left_alone),
        cmocka_unit_test(a_byte_at_a_time_comes_before_all_else),
        cmocka_unit_test(streams_are_told_by_how_many_calls_a_write_serves),
        cmocka_unit_test(head_and_body_are_one_finding_at_the_body),
        cmocka_unit_test(writes_behind_their_own_like_want_a_buffer),
        cmocka_unit_test(questions_are_not_to_be_collected),
        cmocka_unit_test(a_stream_to_somebody_who_answers_is_to_be_flushed),
        cmocka_unit_test(numbers_at_their_limits_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
