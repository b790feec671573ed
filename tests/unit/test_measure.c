/* SPDX-License-Identifier: MIT */
/* What a replay comes to, by the replayer itself: calls, bytes, what techniques serve. No figure here depends
 * on speed. */
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

#include "replay/replay.h"
#include "tests/support/load_script.h"

#define PLAYER TEST_BUILD_ROOT "/replay/heapwise-replayer"

static const char *const native[] = {"native"};

static int replay(const char *script, const struct replay_options *options,
                  struct replay_result **result_out, struct trace_error *error_out)
{
    struct trace_bytes trace = trace_write(script);
    char path[64];
    const int fd = trace_file(trace.bytes, trace.n_bytes, path);
    const int result = replay_measure(path, options, result_out, error_out);
    close(fd);
    free(trace.bytes);
    return result;
}

static struct replay_result *replay_with(const char *script, const struct replay_plan *plan)
{
    const struct replay_options options = {.allocators = native,
                                           .n_allocators = 1,
                                           .plan = plan,
                                           .each_row = true,
                                           .n_runs = 2,
                                           .player = PLAYER};
    struct replay_result *result = NULL;
    struct trace_error error = {.reason = ""};
    if (replay(script, &options, &result, &error))
        fail_msg("%s: %s", error.record, error.reason);
    return result;
}

static void calls_and_bytes_are_the_traces(void **state)
{
    (void)state;
    struct replay_result *const result = replay_with(
        SCRIPT_HEAD "1 malloc 10 0x1000 100000 1\n1 calloc 11 0x20000 50 2\n"
                    "1 aligned_alloc 12 0x30000 64 2 120 4096\n1 realloc_begin 13 0x1000 0\n"
                    "1 realloc_end 14 0x40000 200000 1\n1 free 15 0x20000\n" SCRIPT_TAIL,
        NULL);
    static const uint64_t expected[OPS_N_CALLS] = {1, 1, 1, 1, 1};
    assert_memory_equal(result->n_calls, expected, sizeof expected);
    assert_int_equal(result->n_all_calls, 5);
    assert_int_equal(result->n_variants, 1);
    const struct replay_variant *const variant = &result->variants[0];
    assert_string_equal(variant->allocator, "native");
    assert_non_null(strstr(variant->module, "libc"));
    assert_int_equal(variant->n_failed, 0);
    assert_true(variant->live_at_peak_bytes.least == 200114);
    assert_true(variant->live_at_peak_bytes.most == 200114);
    assert_true(variant->rss_at_peak_bytes.median >= 196608); /* each page was touched */
    assert_true(variant->peak_rss_bytes.median >= variant->rss_at_peak_bytes.median);
    replay_free(result);
}

static void threads_hand_blocks_to_each_other(void **state)
{
    enum { N_BLOCKS = 2000, LINE = 64 };
    char *const script = malloc((size_t)N_BLOCKS * 4 * LINE + 4096);
    (void)state;
    size_t n =
        (size_t)sprintf(script, "%sstream 2 1 100 101 0\nstream 3 1 100 102 0\n", SCRIPT_HEAD);
    for (unsigned i = 0; i < N_BLOCKS; i++)
        n += (size_t)sprintf(script + n,
                             "%u malloc %u 0x1000 64 0\n%u realloc_begin %u 0x1000 0\n"
                             "%u realloc_end %u 0x2000 128 0\n%u free %u 0x2000\n",
                             1 + i % 3, 10 + 5 * i, 1 + (i + 1) % 3, 11 + 5 * i, 1 + (i + 1) % 3,
                             12 + 5 * i, 1 + (i + 2) % 3, 13 + 5 * i);
    strcpy(script + n, SCRIPT_TAIL);
    struct replay_result *const result = replay_with(script, NULL);
    assert_int_equal(result->n_threads, 3);
    assert_int_equal(result->n_all_calls, 3 * N_BLOCKS);
    assert_int_equal(result->variants[0].n_failed, 0);
    replay_free(result);
    free(script);
}

/* As jemalloc does it; glibc's realloc(p, 0) would free the block, and what follows free it again. */
static void a_block_resized_to_nothing_stays(void **state)
{
    (void)state;
    struct replay_result *const result =
        replay_with(SCRIPT_HEAD "1 malloc 10 0x1000 500 1\n1 realloc_begin 11 0x1000 0\n"
                                "1 realloc_end 12 0x2000 0 1\n1 malloc 13 0x3000 500 1\n"
                                "1 realloc_begin 14 0x2000 0\n1 realloc_end 15 0x4000 600 1\n"
                                "1 realloc_begin 16 0x4000 0\n1 realloc_end 17 0x4000 0 1\n"
                                "1 free 18 0x4000\n1 free 19 0x3000\n" SCRIPT_TAIL,
                    NULL);
    assert_int_equal(result->n_all_calls, 7);
    assert_int_equal(result->variants[0].n_failed, 0);
    replay_free(result);
}

/* Three blocks at once of one site, freed from the first on, twice; the ids of both sites. */
#define BURSTS                                                                                     \
    SCRIPT_HEAD                                                                                    \
    "1 malloc 10 0x1000 32 1\n1 malloc 11 0x2000 32 1\n1 malloc 12 0x3000 32 1\n"                  \
    "1 free 20 0x1000\n1 free 21 0x2000\n1 free 22 0x3000\n"                                       \
    "1 malloc 30 0x1000 32 1\n1 malloc 31 0x2000 32 1\n1 malloc 32 0x3000 40 1\n"                  \
    "1 malloc 33 0x4000 32 3\n1 free 40 0x1000\n1 free 41 0x2000\n1 free 42 0x3000\n" SCRIPT_TAIL

static void find_site(const char *script, uint64_t n_allocations, char site_out[17])
{
    struct profile *const profile = load_script(script);
    for (size_t i = 0; i < profile->n_sites; i++)
        if (profile->sites[i].metrics.alloc_count == n_allocations)
            memcpy(site_out, profile->sites[i].id, 17);
    profile_free(profile);
}

static void techniques_serve_what_fits(void **state)
{
    static const struct {
        uint8_t technique;
        bool is_shared;
        uint64_t bytes, slots, n_served, n_overflowed;
    } rows[] = {
        {REPLAY_POOL, false, 32, 3, 5, 1},    /* one is too large */
        {REPLAY_POOL, false, 40, 3, 6, 0},    /* all fit, and are used again */
        {REPLAY_POOL, true, 40, 3, 6, 0},     /* likewise with a lock */
        {REPLAY_ARENA, false, 4096, 0, 6, 0}, /* emptied between the bursts */
        {REPLAY_ARENA, true, 4096, 0, 6, 0},  {REPLAY_STACK, false, 32, 0, 5, 1},
        {REPLAY_STACK, false, 39, 0, 5, 1},   {REPLAY_REUSE, false, 64, 0, 2, 4},
        {REPLAY_RESERVE, false, 64, 0, 6, 0},
    };
    char site[17];
    (void)state;
    find_site(BURSTS, 6, site);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct replay_plan_row row = {.technique = rows[i].technique,
                                      .is_shared = rows[i].is_shared,
                                      .bytes = rows[i].bytes,
                                      .slots = rows[i].slots};
        const struct replay_plan plan = {.rows = &row, .n_rows = 1};
        memcpy(row.site, site, sizeof site);
        struct replay_result *const result = replay_with(BURSTS, &plan);
        assert_int_equal(result->n_variants, 3); /* native, the plan, its row alone */
        assert_true(result->rows[0].is_found);
        assert_int_equal(result->rows[0].n_served, rows[i].n_served);
        assert_int_equal(result->rows[0].n_overflowed, rows[i].n_overflowed);
        assert_int_equal(result->rows[0].n_releases, 6);
        assert_int_equal(result->variants[1].row, -1);
        assert_int_equal(result->variants[2].row, 1);
        assert_int_equal(result->rows[0].alone, 2);
        for (size_t j = 0; j < result->n_variants; j++)
            assert_true(result->variants[j].live_at_peak_bytes.median == 136);
        replay_free(result);
    }
}

/* A pool of slots for whole pages; more than fits into one goes to the allocator. */
static void a_full_arena_overflows(void **state)
{
    static const char script[] =
        SCRIPT_HEAD "1 malloc 10 0x1000 4000 1\n1 malloc 11 0x2000 4000 1\n1 free 12 0x1000\n"
                    "1 malloc 13 0x1000 50 1\n1 free 14 0x2000\n1 free 15 0x1000\n" SCRIPT_TAIL;
    struct replay_plan_row row = {.technique = REPLAY_ARENA, .bytes = 4096};
    const struct replay_plan plan = {.rows = &row, .n_rows = 1};
    (void)state;
    find_site(script, 3, row.site);
    struct replay_result *const result = replay_with(script, &plan);
    assert_int_equal(result->rows[0].n_served, 2); /* the first died before the third came */
    assert_int_equal(result->rows[0].n_overflowed, 1);
    replay_free(result);
}

/* Two sites whose blocks die together; in the second round an arena of half the size would be full. */
static void rows_of_a_group_share_an_arena(void **state)
{
    static const char script[] = SCRIPT_HEAD
        "1 malloc 10 0x1000 1000 1\n1 malloc 11 0x2000 1000 3\n1 malloc 12 0x3000 1000 3\n"
        "1 free 13 0x1000\n1 free 14 0x2000\n1 free 15 0x3000\n"
        "1 malloc 20 0x1000 2000 1\n1 malloc 21 0x2000 2000 3\n1 malloc 22 0x3000 500 3\n"
        "1 free 23 0x1000\n1 free 24 0x2000\n1 free 25 0x3000\n" SCRIPT_TAIL;
    struct replay_plan_row rows[] = {
        {.technique = REPLAY_ARENA, .bytes = 4096, .group = 5},
        {.technique = REPLAY_ARENA, .bytes = 4096, .group = 5},
    };
    const struct replay_plan plan = {.rows = rows, .n_rows = 2};
    (void)state;
    find_site(script, 2, rows[0].site);
    find_site(script, 4, rows[1].site);
    struct replay_result *const result = replay_with(script, &plan);
    assert_int_equal(result->n_variants, 3); /* the second row is measured with the first */
    assert_int_equal(result->rows[0].alone, 2);
    assert_int_equal(result->rows[1].alone, -1);
    assert_int_equal(result->rows[0].n_served, 2);
    assert_int_equal(result->rows[1].n_served, 3);
    assert_int_equal(result->rows[1].n_overflowed, 1);
    replay_free(result);
}

static void a_reserve_saves_growth_and_resizes(void **state)
{
    static const char script[] =
        SCRIPT_HEAD "1 malloc 10 0x1000 64 1\n1 malloc 20 0x2000 128 1\n1 free 30 0x1000\n"
                    "1 realloc_begin 40 0x2000 0\n1 realloc_end 41 0x3000 5000 1\n"
                    "1 realloc_begin 50 0x3000 0\n1 realloc_end 51 0x9000 9000 1\n1 free 60 "
                    "0x9000\n" SCRIPT_TAIL;
    struct replay_plan_row row = {.technique = REPLAY_RESERVE, .bytes = 5000};
    const struct replay_plan plan = {.rows = &row, .n_rows = 1};
    (void)state;
    find_site(script, 2, row.site);
    struct replay_result *const result = replay_with(script, &plan);
    assert_int_equal(result->rows[0].n_served, 4);
    assert_int_equal(result->rows[0].n_overflowed, 0);
    assert_true(result->variants[1].live_at_peak_bytes.median == 9000);
    replay_free(result);
}

/* With a profile at hand the trace is read once, and comes to the same. */
static void a_profile_may_be_given(void **state)
{
    const struct profile_options wanted = {.habits = true};
    struct profile *const profile = load_script_with(BURSTS, &wanted);
    struct replay_plan_row row = {.technique = REPLAY_POOL, .bytes = 32, .slots = 3};
    const struct replay_plan plan = {.rows = &row, .n_rows = 1};
    const struct replay_options options = {.allocators = native,
                                           .n_allocators = 1,
                                           .plan = &plan,
                                           .n_runs = 1,
                                           .profile = profile,
                                           .player = PLAYER};
    struct replay_result *result = NULL;
    struct trace_error error = {.reason = ""};
    (void)state;
    find_site(BURSTS, 6, row.site);
    assert_int_equal(replay(BURSTS, &options, &result, &error), 0);
    assert_int_equal(result->process_id, 1);
    assert_int_equal(result->rows[0].n_served, 5);
    assert_int_equal(result->rows[0].n_overflowed, 1);
    replay_free(result);
    profile_free(profile);
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *allocator, *player, *record;
        int error;
    } rows[] = {
        {"nomalloc", PLAYER, "allocator", -ENOENT},
        {"/nowhere/x.so", PLAYER, "allocator", -ENOENT},
        {"/proc/self/exe", PLAYER, "allocator", -EINVAL}, /* nothing that can be preloaded */
        {"native", "/nowhere/replayer", "replayer", -ENOEXEC},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct replay_options options = {
            .allocators = &rows[i].allocator, .n_allocators = 1, .player = rows[i].player};
        struct replay_result *result = NULL;
        struct trace_error error = {.reason = ""};
        assert_int_equal(replay(SCRIPT_HEAD SCRIPT_TAIL, &options, &result, &error), rows[i].error);
        assert_string_equal(error.record, rows[i].record);
        assert_true(error.reason[0]);
    }
}

static void a_size_that_nobody_has_is_counted(void **state)
{
    (void)state;
    struct replay_result *const result = replay_with(
        SCRIPT_HEAD "1 malloc 10 0x1000 281474976710655 1\n1 malloc 11 0x2000 8 1\n"
                    "1 realloc_begin 12 0x2000 0\n1 realloc_end 13 0x3000 281474976710655 1\n"
                    "1 free 20 0x1000\n1 free 21 0x3000\n" SCRIPT_TAIL,
        NULL);
    assert_int_equal(result->n_all_calls, 5);
    assert_int_equal(result->variants[0].n_failed, 2);
    replay_free(result);
}

static void an_empty_trace_is_replayed(void **state)
{
    (void)state;
    struct replay_result *const result = replay_with(SCRIPT_HEAD SCRIPT_TAIL, NULL);
    assert_int_equal(result->n_all_calls, 0);
    assert_int_equal(result->process_id, 1);
    replay_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_bytes_are_the_traces),
        cmocka_unit_test(threads_hand_blocks_to_each_other),
        cmocka_unit_test(a_block_resized_to_nothing_stays),
        cmocka_unit_test(techniques_serve_what_fits),
        cmocka_unit_test(a_full_arena_overflows),
        cmocka_unit_test(rows_of_a_group_share_an_arena),
        cmocka_unit_test(a_reserve_saves_growth_and_resizes),
        cmocka_unit_test(a_profile_may_be_given),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_size_that_nobody_has_is_counted),
        cmocka_unit_test(an_empty_trace_is_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
