/* SPDX-License-Identifier: MIT */
/* Which operations a trace becomes, thread by thread, and what waits for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/compile.h"
#include "tests/support/load_script.h"

struct words {
    char text[4096];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    words->n +=
        (size_t)vsnprintf(words->text + words->n, sizeof words->text - words->n, format, arguments);
    va_end(arguments);
    assert_true(words->n < sizeof words->text);
}

/* An op as a word: +SLOT:SIZE (c: calloc, aN: aligned to 2^N), ~ resize, - release, ?SLOT=TURN wait,
 * tTHREAD start, e epoch, <SLOT the block takes that one's place; then ^ peak, * moved, /ROW. */
static void say_op(struct words *words, const struct ops_op *op)
{
    const unsigned alignment = op->flags & OPS_ALIGNMENT_MASK;
    switch (op->kind) {
    case OPS_MALLOC: say(words, " +%u:%u", op->slot, (unsigned)op->bytes); break;
    case OPS_CALLOC: say(words, " c%u:%u", op->slot, (unsigned)op->bytes); break;
    case OPS_ALIGNED: say(words, " a%u,%u:%u", alignment, op->slot, (unsigned)op->bytes); break;
    case OPS_RESIZE: say(words, " ~%u:%u", op->slot, (unsigned)op->bytes); break;
    case OPS_RELEASE: say(words, " -%u", op->slot); break;
    case OPS_WAIT: say(words, " ?%u=%u", op->slot, (unsigned)op->bytes); break;
    case OPS_THREAD: say(words, " t%u", op->slot); break;
    case OPS_GROW: say(words, " <%u", op->slot); break;
    default: break;
    }
    if (op->flags & OPS_PEAK)
        say(words, "^");
    if (op->flags & OPS_MOVED)
        say(words, "*");
    if (op->row)
        say(words, "/%u", op->row);
}

/* Follow a thread's list to its end; returns how many epochs it enters. */
static unsigned say_list(struct words *words, const struct compiled *compiled, uint32_t thread)
{
    const struct ops_thread *const table =
        (const struct ops_thread *)(const void *)(compiled->file.bytes + compiled->head.threads_at);
    const struct ops_op *op = ops_writer_op(&compiled->file, table[thread].first_at);
    unsigned n_epochs = 0;
    say(words, "%s%u:", thread ? " | " : "", thread);
    if (table[thread].is_unstarted)
        say(words, " unstarted");
    for (; op->kind != OPS_END; op++) {
        if (op->kind == OPS_JUMP)
            op = ops_writer_op(&compiled->file, op->bytes) - 1;
        else
            say_op(words, op);
        n_epochs += op->kind == OPS_EPOCH;
    }
    return n_epochs;
}

static void compile(const char *script, const struct compile_options *options,
                    struct compiled *compiled_out)
{
    struct trace_error error;
    struct trace_bytes trace = trace_write(script);
    char path[64];
    const int fd = trace_file(trace.bytes, trace.n_bytes, path);
    assert_int_equal(compile_trace(path, options, compiled_out, &error), 0);
    close(fd);
    free(trace.bytes);
}

static void check_with(const char *script, const struct compile_options *options,
                       const char *expected)
{
    struct compiled compiled;
    struct words words = {.n = 0};
    compile(script, options, &compiled);
    for (uint32_t i = 0; i < compiled.head.n_threads; i++)
        say_list(&words, &compiled, i);
    assert_string_equal(words.text, expected);
    compiled_fini(&compiled);
}

static void check(const char *script, const char *expected)
{
    const struct compile_options options = {.process_id = 1};
    check_with(script, &options, expected);
}

static void one_thread_waits_for_nothing(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 calloc 11 0x2000 8 1\n"
                      "1 posix_memalign 12 0x3000 64 1 120 64\n1 realloc_begin 13 0x1000 0\n"
                      "1 realloc_end 14 0x4000 100 1\n1 free 15 0x2000\n1 free 16 0x4000\n"
                      "1 malloc 17 0x2000 5 1\n" SCRIPT_TAIL,
          "0: +1:64 c2:8 a6,3:64 ~1:100^ -2 -1 +1:5");
}

static void a_resize_that_failed_is_left_out(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 realloc_begin 13 0x1000 0\n1 realloc_fail 14\n"
                      "1 free 15 0x1000\n" SCRIPT_TAIL,
          "0: +1:64^ -1");
}

static void a_block_is_waited_for_where_another_thread_had_it(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "stream 2 1 100 101 0\n"
                      "1 malloc 10 0x1000 64 1\n2 malloc 20 0x2000 32 0\n2 free 30 0x1000\n"
                      "1 realloc_begin 40 0x2000 0\n1 realloc_end 41 0x3000 50 1\n"
                      "1 free 50 0x3000\n" SCRIPT_TAIL,
          "0: +1:64 t1 ?2=1 ~2:50 -2 | 1: +2:32^ ?1=1 -1");
}

static void a_thread_reuses_the_slots_it_freed(void **state)
{
    (void)state;
    /* Slot 1 is freed by thread 1 and its; thread 0 takes a new one. */
    check(SCRIPT_HEAD "stream 2 1 100 101 0\n1 malloc 10 0x1000 64 1\n2 free 20 0x1000\n"
                      "1 malloc 30 0x1000 64 1\n2 malloc 40 0x5000 8 0\n" SCRIPT_TAIL,
          "0: +1:64 t1 +2:64 | 1: ?1=1 -1 +1:8^");
}

static void a_program_whose_main_thread_is_silent(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "stream 2 1 100 101 0\nstream 3 1 100 102 0\n"
                      "2 malloc 10 0x1000 64 0\n3 malloc 20 0x2000 8 0\n" SCRIPT_TAIL,
          "0: | 1: unstarted +1:64 t2 | 2: +2:8^");
}

static void an_address_given_out_twice_is_freed_between(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 malloc 20 0x1000 32 1\n"
                      "1 malloc 5000 0x2000 1 1\n" SCRIPT_TAIL,
          "0: +1:64^ +2:32 +3:1 -1");
}

static void exec_frees_what_is_left(void **state)
{
    (void)state;
    check(SCRIPT_HEAD
          "1 malloc 10 0x1000 64 1\n1 malloc 11 0x2000 32 1\n1 free 12 0x1000\nwatermark 15\n"
          "stream 2 2 100 100 0\n"
          "2 image 20 image=2 pid=100 parent_pid=1 parent_image=0 fork_id=0 start=7 "
          "executable=/bin/next arguments=[next] allocator=/lib/libc.so.6\n"
          "2 malloc 30 0x1000 8 0\n" SCRIPT_TAIL,
          "0: +1:64 +2:32^ -1 -2 +2:8");
}

#define GROWTH                                                                                     \
    "1 malloc 10 0x1000 64 1\n1 malloc 20 0x2000 128 1\n1 free 30 0x1000\n"                        \
    "1 malloc 40 0x3000 256 1\n1 free 50 0x2000\n1 malloc 60 0x4000 16 1\n1 free 70 0x3000\n"

static void growth_is_seen_where_the_plan_reserves(void **state)
{
    struct replay_plan_row rows[] = {{.technique = REPLAY_POOL, .bytes = 256, .slots = 2},
                                     {.technique = REPLAY_RESERVE, .bytes = 256}};
    const struct replay_plan plan = {.rows = rows, .n_rows = 2};
    const uint16_t pooled[] = {1}, reserved[] = {2};
    const struct compile_options options = {
        .process_id = 1, .plan = &plan, .row_of_site = reserved, .n_site_rows = 1};
    struct compile_options other = options;
    (void)state;
    other.row_of_site = pooled;
    check(SCRIPT_HEAD GROWTH SCRIPT_TAIL, "0: +1:64 +2:128 -1 +1:256^ -2 +2:16 -1");
    check_with(SCRIPT_HEAD GROWTH SCRIPT_TAIL, &options,
               "0: <0 +1:64/2 <1 +2:128/2 -1*/2 <2 +1:256^/2 -2*/2 <0 +2:16/2 -1/2");
    check_with(SCRIPT_HEAD GROWTH SCRIPT_TAIL, &other,
               "0: +1:64/1 +2:128/1 -1/1 +1:256^/1 -2/1 +2:16/1 -1/1");
}

static void blocks_that_stay_are_left_out_where_only_temporary_ones_are_meant(void **state)
{
    struct replay_plan_row rows[] = {
        {.technique = REPLAY_REUSE, .bytes = 256, .only_temporary = true}};
    const struct replay_plan plan = {.rows = rows, .n_rows = 1};
    const uint16_t row_of_site[] = {1};
    const struct compile_options options = {
        .process_id = 1, .plan = &plan, .row_of_site = row_of_site, .n_site_rows = 1};
    static const struct {
        const char *calls, *expected;
    } cases[] = {
        /* the second is released after a third came, which is released at once, another release between */
        {"1 malloc 10 0x1000 1 1\n1 free 20 0x1000\n1 malloc 30 0x1000 2 1\n"
         "1 malloc 40 0x2000 3 1\n1 free 50 0x1000\n1 free 60 0x2000\n",
         "0: +1:1/1 -1/1 +1:2 +2:3^/1 -1 -2/1"},
        /* resized in between */
        {"1 malloc 10 0x1000 1 1\n1 realloc_begin 20 0x1000 0\n1 realloc_end 21 0x1000 9 1\n"
         "1 free 30 0x1000\n",
         "0: +1:1 ~1:9^ -1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char script[4096];
        snprintf(script, sizeof script, "%s%s%s", SCRIPT_HEAD, cases[i].calls, SCRIPT_TAIL);
        check_with(script, &options, cases[i].expected);
    }
}

/* Another thread released it, and had it before: nothing of that is the first one's. */
static void a_block_that_another_thread_releases_is_not_temporary(void **state)
{
    struct replay_plan_row rows[] = {
        {.technique = REPLAY_REUSE, .bytes = 256, .only_temporary = true}};
    const struct replay_plan plan = {.rows = rows, .n_rows = 1};
    const uint16_t row_of_site[] = {1, 1};
    const struct compile_options options = {
        .process_id = 1, .plan = &plan, .row_of_site = row_of_site, .n_site_rows = 2};
    struct compiled compiled;
    (void)state;
    compile(SCRIPT_HEAD "stream 2 1 100 101 0\n2 node 1 0 0x400101\n"
                        "2 malloc 10 0x1000 1 1\n1 free 20 0x1000\n1 malloc 30 0x1000 1 1\n"
                        "2 free 40 0x1000\n" SCRIPT_TAIL,
            &options, &compiled);
    const struct ops_op *op = (const struct ops_op *)(const void *)compiled.file.bytes;
    for (size_t i = 0; i < compiled.file.n_bytes / sizeof *op; i++)
        if (op[i].kind == OPS_RELEASE && op[i].slot == 1 && op[i].bytes == 0)
            assert_int_equal(op[i].row, 0);
    compiled_fini(&compiled);
}

static void rows_know_the_threads_they_meet(void **state)
{
    struct replay_plan_row rows[] = {{.technique = REPLAY_POOL, .bytes = 256, .slots = 2}};
    const struct replay_plan plan = {.rows = rows, .n_rows = 1};
    const uint16_t row_of_site[] = {1, 1};
    const struct compile_options options = {
        .process_id = 1, .plan = &plan, .row_of_site = row_of_site, .n_site_rows = 2};
    static const struct {
        const char *calls;
        unsigned n_threads, is_met_by_several, crosses;
    } cases[] = {
        {"1 malloc 10 0x1000 64 1\n1 free 20 0x1000\n", 1, 0, 0},
        {"1 malloc 10 0x1000 64 1\n2 free 20 0x1000\n", 1, 0, 1},
        {"1 malloc 10 0x1000 64 1\n2 malloc 20 0x2000 64 0\n", 2, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char script[4096];
        struct compiled compiled;
        snprintf(script, sizeof script, "%sstream 2 1 100 101 0\n%s%s", SCRIPT_HEAD, cases[i].calls,
                 SCRIPT_TAIL);
        compile(script, &options, &compiled);
        const struct ops_row *const row =
            (const struct ops_row *)(const void *)(compiled.file.bytes + compiled.head.rows_at);
        assert_int_equal(row->n_threads, cases[i].n_threads);
        assert_int_equal(row->is_met_by_several, cases[i].is_met_by_several);
        assert_int_equal(row->crosses, cases[i].crosses);
        compiled_fini(&compiled);
    }
}

/* A long list is in several chunks and epochs, and its slots are as many as lived at once. */
static void long_lists_are_chained(void **state)
{
    enum { N_PAIRS = 20000, LINE = 64 };
    char *const script = malloc((size_t)N_PAIRS * 2 * LINE + 4096);
    struct compiled compiled;
    const struct compile_options options = {.process_id = 1};
    (void)state;
    size_t n = (size_t)sprintf(script, "%s", SCRIPT_HEAD);
    for (unsigned i = 0; i < N_PAIRS; i++)
        n += (size_t)sprintf(script + n, "1 malloc %u 0x1000 64 1\n1 free %u 0x1000\n", 10 + 2 * i,
                             11 + 2 * i);
    strcpy(script + n, SCRIPT_TAIL);
    compile(script, &options, &compiled);
    struct words words = {.n = 0};
    const struct ops_thread *const table =
        (const struct ops_thread *)(const void *)(compiled.file.bytes + compiled.head.threads_at);
    const struct ops_op *op = ops_writer_op(&compiled.file, table[0].first_at);
    uint64_t n_calls = 0, n_jumps = 0;
    for (; op->kind != OPS_END; op++) {
        n_calls += op->kind < OPS_N_CALLS;
        n_jumps += op->kind == OPS_JUMP;
        if (op->kind == OPS_JUMP)
            op = ops_writer_op(&compiled.file, op->bytes) - 1;
    }
    assert_int_equal(n_calls, 2 * N_PAIRS);
    assert_in_range(n_jumps, 10, 30);
    assert_int_equal(compiled.head.n_slots, 1);
    assert_int_equal(compiled.head.n_calls[OPS_MALLOC], N_PAIRS);
    assert_int_equal(compiled.head.n_epochs, (2 * N_PAIRS + OPS_EPOCH_CALLS - 1) / OPS_EPOCH_CALLS);
    assert_int_equal(words.n, 0);
    compiled_fini(&compiled);
    free(script);
}

/* An image that goes on after its exec contradicts itself: no op may touch a slot that is free. */
static void a_trace_that_contradicts_itself_stays_in_order(void **state)
{
    (void)state;
    check(SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 realloc_begin 11 0x1000 0\nwatermark 15\n"
                      "stream 2 2 100 100 0\n"
                      "2 image 20 image=2 pid=100 parent_pid=1 parent_image=0 fork_id=0 start=7 "
                      "executable=/bin/next arguments=[next] allocator=/lib/libc.so.6\n"
                      "2 malloc 30 0x1000 8 0\n2 free 31 0x1000\nwatermark 35\n"
                      "1 realloc_end 40 0x3000 128 1\n1 free 50 0x3000\n" SCRIPT_TAIL,
          "0: +1:64 -1 +1:8 -1^");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_waits_for_nothing),
        cmocka_unit_test(a_resize_that_failed_is_left_out),
        cmocka_unit_test(a_block_is_waited_for_where_another_thread_had_it),
        cmocka_unit_test(a_thread_reuses_the_slots_it_freed),
        cmocka_unit_test(a_program_whose_main_thread_is_silent),
        cmocka_unit_test(an_address_given_out_twice_is_freed_between),
        cmocka_unit_test(exec_frees_what_is_left),
        cmocka_unit_test(growth_is_seen_where_the_plan_reserves),
        cmocka_unit_test(blocks_that_stay_are_left_out_where_only_temporary_ones_are_meant),
        cmocka_unit_test(a_block_that_another_thread_releases_is_not_temporary),
        cmocka_unit_test(rows_know_the_threads_they_meet),
        cmocka_unit_test(long_lists_are_chained),
        cmocka_unit_test(a_trace_that_contradicts_itself_stays_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
