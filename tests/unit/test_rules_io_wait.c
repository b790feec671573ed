/* SPDX-License-Identifier: MIT */
/* When is an answer waited for one by one, nothing asked for, a descriptor kept, a thread held up: io_wait.c and
 * io_thread.c? */
#include "tests/support/io_rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 5,000 reads of 20 bytes from a socket, 20 us each. */
static struct io_site waiting(const struct io_habits *habits)
{
    return (struct io_site){AT_LINE(0),
                            .op = "read",
                            .reads = true,
                            .path = "socket:[tcp 10.0.0.1:6379]",
                            .n_files = 1,
                            .calls = 5000,
                            .bytes = 100000,
                            .seconds = 0.1,
                            .sizes = ALL_OF(20, 5000),
                            .latency_ns = ALL_OF(20000, 5000),
                            .short_calls = 5000,
                            .habits = habits};
}

static struct findings *look_at(const struct profile *run, const struct io_site *site)
{
    static struct profile profile;
    profile = *run;
    profile.io_places = site;
    profile.n_io_places = 1;
    return rules_look(&profile, NULL);
}

/* ---- IO240 ---- */

static struct io_habits replies(void)
{
    return (struct io_habits){.thread = "",
                              .reply = {5000, NULL},
                              .reply_seconds = 0.1,
                              .reply_bytes = 100000,
                              .request_bytes = 50000};
}

static void a_question_per_item_says_what_a_batch_saves(void **state)
{
    (void)state;
    const struct io_habits habits = replies();
    const struct io_site site = waiting(&habits);
    const struct profile run = rules_run();
    struct findings *const findings = look_at(&run, &site);
    assert_int_equal(findings->n, 1);
    const struct finding *const finding = rules_pick(findings, "IO240");
    assert_float_equal(finding->saves.io_calls.value, 9000, 1e-6);
    assert_float_equal(finding->saves.seconds.value, 0.09, 1e-9);
    assert_float_equal(finding->percentage, 10, 1e-9); /* 5,000 reads and as many writes */
    findings_free(findings);
}

static void each_limit_of_questions_counts(void **state)
{
    (void)state;
    struct io_habits habits = replies();
    struct io_site site = waiting(&habits);
    habits.reply.count = 2500; /* half of the reads: no habit */
    assert_false(rules_fires(&site, 1, "IO240"));
    habits.reply.count = 2501;
    assert_true(rules_fires(&site, 1, "IO240"));
    habits.reply_seconds = 0.0001;
    assert_false(rules_fires(&site, 1, "IO240"));
    habits = replies();
    site.path = "/data/file"; /* written and read again */
    assert_false(rules_fires(&site, 1, "IO240"));
}

/* ---- IO241 ---- */

static void spinning_is_told_and_one_dry_call_after_each_piece_is_not(void **state)
{
    (void)state;
    struct io_habits habits = {.thread = "", .longest_dry_run = 4000};
    struct io_site site = waiting(&habits);
    site.failed = site.would_block = 4000;
    site.latency_ns = (struct quantiles)ALL_OF(300, 5000);
    site.seconds = 0.0015;
    assert_true(rules_fires(&site, 1, "IO241"));
    habits.longest_dry_run = 9; /* a loop around epoll has 1 */
    assert_false(rules_fires(&site, 1, "IO241"));
    habits.longest_dry_run = 10;
    assert_true(rules_fires(&site, 1, "IO241"));
    site.failed = site.would_block = 2499;
    assert_false(rules_fires(&site, 1, "IO241"));
}

static void the_end_of_a_file_asked_for_again_counts_as_dry(void **state)
{
    (void)state;
    const struct io_habits habits = {.thread = "", .longest_dry_run = 4500};
    struct io_site site = waiting(&habits);
    site.path = "/data/log";
    site.empty = 4500;
    const struct profile run = rules_run();
    struct findings *const findings = look_at(&run, &site);
    const struct finding *const finding = rules_pick(findings, "IO241");
    assert_non_null(strstr(finding->suggestion.text, "moves nothing is the end"));
    findings_free(findings);
}

/* ---- IO242 ---- */

static const struct finding *look_at_opener(const struct io_opener *opener,
                                            struct findings **findings_out)
{
    static struct profile profile;
    profile = rules_run();
    profile.io_openers = opener;
    profile.n_io_openers = 1;
    *findings_out = rules_look(&profile, NULL);
    return rules_pick(*findings_out, "IO242");
}

static void descriptors_left_open_are_told(void **state)
{
    (void)state;
    static const struct {
        uint64_t opens, open_at_end, max_open;
        bool fires;
        enum finding_severity severity;
    } rows[] = {
        {500, 500, 500, true, SEVERITY_HIGH},
        {128, 128, 128, true, SEVERITY_HIGH},
        {50, 50, 50, true, SEVERITY_LOW},
        {49, 49, 49, false, 0},
        {101, 50, 50, false, 0}, /* most were closed */
        {100, 100, 1, false, 0}, /* one in each of a hundred processes */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct io_opener opener = {AT_LINE(0),
                                         .op = "openat",
                                         .path = "/data/part",
                                         .opens = rows[i].opens,
                                         .open_at_end = rows[i].open_at_end,
                                         .max_open = rows[i].max_open};
        struct findings *findings;
        const struct finding *const finding = look_at_opener(&opener, &findings);
        assert_int_equal(finding != NULL, rows[i].fires);
        if (finding)
            assert_in_range(finding->severity, SEVERITY_LOW, rows[i].severity);
        findings_free(findings);
    }
}

/* ---- IO243 ---- */

static bool blocks(const char *pattern, const char *thread, int32_t tid, double longest_seconds)
{
    const char *patterns[] = {pattern};
    const struct findings_config config = {.latency_threads = patterns,
                                           .n_latency_threads = pattern != NULL};
    const struct io_habits habits = {.thread = thread, .longest_seconds = longest_seconds};
    const struct io_site site = waiting(&habits);
    const struct io_thread threads[] = {{.process_id = 1, .tid = tid, .name = "work"}};
    const struct process process = {.id = 1, .pid = 100, .allocator = ""};
    struct profile profile = rules_run();
    profile.io_places = &site;
    profile.n_io_places = 1;
    profile.io_threads = threads;
    profile.n_io_threads = 1;
    profile.processes = &process;
    profile.n_processes = 1;
    struct findings *const findings = rules_look(&profile, &config);
    const bool found = rules_pick(findings, "IO243") != NULL;
    findings_free(findings);
    return found;
}

static void only_threads_that_were_named_must_not_wait(void **state)
{
    (void)state;
    assert_false(blocks(NULL, "render", 101, 0.01));
    assert_true(blocks("render", "render", 101, 0.01));
    assert_true(blocks("ren*", "render", 101, 0.01));
    assert_false(blocks("render", "loader", 101, 0.01));
    assert_false(blocks("render", "", 101, 0.01)); /* several threads call from there */
    assert_false(blocks("render", "render", 101, 0.0009));
}

static void main_is_the_first_thread_whatever_its_name(void **state)
{
    (void)state;
    assert_true(blocks("main", "work", 100, 0.01));
    assert_false(blocks("main", "work", 101, 0.01));
    assert_true(blocks("main", "main", 101, 0.01));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_per_item_says_what_a_batch_saves),
        cmocka_unit_test(each_limit_of_questions_counts),
        cmocka_unit_test(spinning_is_told_and_one_dry_call_after_each_piece_is_not),
        cmocka_unit_test(the_end_of_a_file_asked_for_again_counts_as_dry),
        cmocka_unit_test(descriptors_left_open_are_told),
        cmocka_unit_test(only_threads_that_were_named_must_not_wait),
        cmocka_unit_test(main_is_the_first_thread_whatever_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
