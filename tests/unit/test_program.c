/* SPDX-License-Identifier: MIT */
/* Which calls a trace is read as: their order, their blocks, what is left out and counted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/program.h"
#include "tests/support/load_script.h"

/* Calls as words: +BLOCK:SIZE, ~BLOCK:SIZE (resize), -BLOCK, each with @THREAD where that is not the main
 * one; ! behind an inferred release; ^ where most bytes live; x at an exec. */
struct log {
    char words[1024];
    size_t n;
    uint64_t n_blocks;
    struct program_request last;
    int answer;
};

__attribute__((format(printf, 2, 3))) static void say(struct log *log, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log->n += (size_t)vsnprintf(log->words + log->n, sizeof log->words - log->n, format, arguments);
    va_end(arguments);
    assert_true(log->n < sizeof log->words);
}

static void say_thread(struct log *log, uint32_t thread, bool is_main)
{
    if (!is_main)
        say(log, "@%u", thread);
}

static int on_acquire(void *context, const struct program_request *request, uint64_t *block_out)
{
    struct log *const log = context;
    *block_out = ++log->n_blocks;
    log->last = *request;
    say(log, " +%llu:%llu", (unsigned long long)log->n_blocks,
        (unsigned long long)request->size_bytes);
    say_thread(log, request->thread, request->is_main);
    return log->answer;
}

static int on_resize(void *context, const struct program_request *request, uint64_t block)
{
    struct log *const log = context;
    say(log, " ~%llu:%llu", (unsigned long long)block, (unsigned long long)request->size_bytes);
    say_thread(log, request->thread, request->is_main);
    return 0;
}

static int on_release(void *context, const struct program_release *release, uint64_t block)
{
    struct log *const log = context;
    say(log, " -%llu", (unsigned long long)block);
    say_thread(log, release->thread, release->is_main);
    say(log, "%s", release->is_inferred ? "!" : "");
    return 0;
}

static void on_peaked(void *context)
{
    say(context, "^");
}

static int on_replaced(void *context, const struct program_release *release)
{
    (void)release;
    say(context, " x");
    return 0;
}

static int read_program(const char *script, uint32_t process_id, struct log *log,
                        struct program_counts *counts_out)
{
    const struct program_sink sink = {.context = log,
                                      .acquire = on_acquire,
                                      .resize = on_resize,
                                      .release = on_release,
                                      .peaked = on_peaked,
                                      .replaced = on_replaced};
    struct program program = {.sink = &sink, .process_id = process_id};
    struct trace_error error;
    struct trace_bytes trace = trace_write(script);
    char path[64];
    bool truncated = false;
    const int fd = trace_file(trace.bytes, trace.n_bytes, path);
    const int result = program_load(path, &program, &truncated, &error);
    close(fd);
    free(trace.bytes);
    *counts_out = program.counts;
    return result;
}

static void check(const char *script, uint32_t process_id, const char *expected,
                  struct program_counts expected_counts)
{
    struct log log = {.n = 0};
    struct program_counts counts;
    assert_int_equal(read_program(script, process_id, &log, &counts), 0);
    assert_string_equal(log.words, expected);
    assert_memory_equal(&counts, &expected_counts, sizeof counts);
}

static void calls_come_in_the_order_of_time(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "stream 2 1 100 101 0\n"
                      "1 malloc 10 0x1000 64 1\n2 malloc 20 0x2000 32 0\n1 free 30 0x2000\n"
                      "2 free 40 0x1000\n1 calloc 50 0x1000 16 1\n" SCRIPT_TAIL,
          1, " +1:64^ +2:32@1^ -2 -1@1 +3:16",
          (struct program_counts){
              .acquisitions = 3, .releases = 2, .peak_bytes = 96, .peak_count = 2});
}

static void a_resized_block_stays_the_same(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 realloc_begin 20 0x1000 0\n"
                      "1 realloc_end 21 0x3000 128 1\n1 realloc_begin 30 0x3000 0\n"
                      "1 realloc_fail 31\n1 realloc_begin 40 0x3000 0\n"
                      "1 realloc_freed 41\n" SCRIPT_TAIL,
          1, " +1:64^ ~1:128^ -1",
          (struct program_counts){.acquisitions = 1,
                                  .resizes = 1,
                                  .releases = 1,
                                  .failed_resizes = 1,
                                  .peak_bytes = 128,
                                  .peak_count = 1});
}

static void what_was_never_seen_is_counted(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 free 10 0x1000\n1 realloc_begin 20 0x2000 0\n"
                      "1 realloc_end 21 0x3000 128 1\n1 free 3000 0x3000\n"
                      "1 realloc_begin 9000 0x4000 0\n1 realloc_freed 9001\n" SCRIPT_TAIL,
          1, " +1:128^ -1",
          (struct program_counts){.acquisitions = 1,
                                  .releases = 1,
                                  .unknown_resizes = 1,
                                  .unknown_releases = 2,
                                  .peak_bytes = 128,
                                  .peak_count = 1});
}

static void an_address_given_out_twice_was_released_between(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 malloc 20 0x1000 32 1\n"
                      "1 malloc 5000 0x2000 1 1\n1 free 6000 0x1000\n" SCRIPT_TAIL,
          1, " +1:64^ +2:32 +3:1 -1! -2",
          (struct program_counts){.acquisitions = 3,
                                  .releases = 1,
                                  .inferred_releases = 1,
                                  .peak_bytes = 64,
                                  .peak_count = 1});
}

static void a_release_stamped_too_early_is_repaired(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "stream 2 1 100 101 0\n"
                      "2 free 10 0x1000\n1 malloc 20 0x1000 64 1\n" SCRIPT_TAIL,
          1, " +1:64^ -1@1",
          (struct program_counts){
              .acquisitions = 1, .releases = 1, .peak_bytes = 64, .peak_count = 1});
}

static void exec_takes_all_blocks(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\nwatermark 15\nstream 2 2 100 100 0\n"
                      "2 image 20 image=2 pid=100 parent_pid=1 parent_image=0 fork_id=0 start=7 "
                      "executable=/bin/next arguments=[next] allocator=/lib/libc.so.6\n"
                      "2 malloc 30 0x1000 8 0\n2 free 40 0x1000\n" SCRIPT_TAIL,
          1, " +1:64^ x +2:8 -2",
          (struct program_counts){.acquisitions = 2,
                                  .releases = 1,
                                  .inferred_releases = 1,
                                  .peak_bytes = 64,
                                  .peak_count = 1});
}

#define CHILD                                                                                      \
    SCRIPT_HEAD                                                                                    \
    "1 malloc 10 0x1000 64 1\n1 fork 20 1\nwatermark 21\nstream 2 2 200 200 0\n"                   \
    "2 image 30 image=2 pid=200 parent_pid=100 parent_image=1 fork_id=1 start=9 "                  \
    "executable=/bin/prog arguments=[prog] allocator=/lib/libc.so.6\n"                             \
    "2 free 40 0x1000\n2 malloc 50 0x1000 8 0\n1 free 60 0x1000\n" SCRIPT_TAIL

static void processes_are_kept_apart(void **state)
{
    (void)state;
    check(CHILD, 1, " +1:64^ -1",
          (struct program_counts){
              .acquisitions = 1, .releases = 1, .peak_bytes = 64, .peak_count = 1});
    check(CHILD, 2, " +1:8^",
          (struct program_counts){
              .acquisitions = 1, .inherited_releases = 1, .peak_bytes = 8, .peak_count = 1});
}

static void kinds_and_alignments_are_told(void **state)
{
    static const struct {
        const char *call;
        uint8_t kind, alignment_log2;
    } rows[] = {
        {"1 malloc 10 0x1000 64 1\n", PROGRAM_MALLOC, 0},
        {"1 calloc 10 0x1000 64 1\n", PROGRAM_CALLOC, 0},
        {"1 realloc_new 10 0x1000 64 1\n", PROGRAM_MALLOC, 0},
        {"1 posix_memalign 10 0x1000 64 1 120 64\n", PROGRAM_ALIGNED, 6},
        {"1 aligned_alloc 10 0x1000 64 1 120 4096\n", PROGRAM_ALIGNED, 12},
        {"1 valloc 10 0x1000 64 1\n", PROGRAM_ALIGNED, 12},
        {"1 mallocx 10 0x1000 64 1\n", PROGRAM_MALLOC, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[2048];
        struct log log = {.n = 0};
        struct program_counts counts;
        snprintf(script, sizeof script, "%s%s%s", SCRIPT_HEAD, rows[i].call, SCRIPT_TAIL);
        assert_int_equal(read_program(script, 1, &log, &counts), 0);
        assert_int_equal(log.last.kind, rows[i].kind);
        assert_int_equal(log.last.alignment_log2, rows[i].alignment_log2);
    }
}

static void site_numbers_are_the_profiles(void **state)
{
    static const char script[] = SCRIPT_HEAD
        "1 malloc 10 0x1000 1 1\n1 malloc 20 0x2000 2 3\n1 malloc 30 0x3000 3 3\n" SCRIPT_TAIL;
    struct log log = {.n = 0};
    struct program_counts counts;
    (void)state;
    struct profile *const profile = load_script(script);
    assert_int_equal(read_program(script, 1, &log, &counts), 0);
    assert_int_equal(profile->n_site_rows, 2);
    assert_in_range(log.last.site, 1, 2);
    const struct site *const site = &profile->sites[profile->row_of_site[log.last.site - 1]];
    assert_int_equal(site->metrics.alloc_count, 2);
    profile_free(profile);
}

static void what_the_sink_refuses_ends_the_reading(void **state)
{
    struct log log = {.answer = -ENOMEM};
    struct program_counts counts;
    (void)state;
    assert_int_equal(read_program(SCRIPT_HEAD
                                  "1 malloc 10 0x1000 64 1\n1 free 20 0x1000\n" SCRIPT_TAIL,
                                  1, &log, &counts),
                     -ENOMEM);
    assert_string_equal(log.words, " +1:64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_come_in_the_order_of_time),
        cmocka_unit_test(a_resized_block_stays_the_same),
        cmocka_unit_test(what_was_never_seen_is_counted),
        cmocka_unit_test(an_address_given_out_twice_was_released_between),
        cmocka_unit_test(a_release_stamped_too_early_is_repaired),
        cmocka_unit_test(exec_takes_all_blocks),
        cmocka_unit_test(processes_are_kept_apart),
        cmocka_unit_test(kinds_and_alignments_are_told),
        cmocka_unit_test(site_numbers_are_the_profiles),
        cmocka_unit_test(what_the_sink_refuses_ends_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
