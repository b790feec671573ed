/* SPDX-License-Identifier: MIT */
/* When does a block take more room than it needs? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void odd_size(struct place_case *run)
{
    place_case_blocks(run, 0, 20000, 25);
    run->places[0].metrics.peak_count = 20000;
    run->places[0].metrics.peak_bytes = 500000;
    run->places[0].metrics.slack_bytes = 300000;
}

static void fits(struct place_case *run)
{
    run->places[0].sizes.min = run->places[0].sizes.max = 24;
}
static void far_above(struct place_case *run)
{
    run->places[0].sizes.min = run->places[0].sizes.max = 29;
}
static void several_sizes(struct place_case *run)
{
    run->places[0].sizes.min = 24;
}
static void too_few(struct place_case *run)
{
    run->places[0].metrics.peak_count = 4095;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.peak_bytes = 50 * 320000 + 1;
}
static void not_borne_out(struct place_case *run)
{
    run->places[0].metrics.slack_bytes = 149999;
}
static void unknown_allocator(struct place_case *run)
{
    run->profile.allocator = "/opt/libmine.so";
}

static void blocks_just_above_a_class_are_told(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"24 bytes", fits},
        {"29 bytes", far_above},
        {"two sizes", several_sizes},
        {"less than 64 KiB to save", too_few},
        {"less than 2 % of the peak", too_small_a_share},
        {"half of the slack expected", not_borne_out},
        {"an unknown allocator", unknown_allocator},
    };
    place_case_limits("AL131", odd_size, changes, N_OF(changes));
}

/* Which size is told to fit; 0: silent. */
static void classes_are_those_of_the_allocator(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        const char *allocator;
        uint64_t bytes, fits;
    } rows[] = {
        {"/lib/libc.so.6", 41, 40},
        {"/lib/libc.so.6", 33, 0},
        {"/lib/libc-2.31.so", 57, 56},
        {"/usr/lib/libjemalloc.so.2", 33, 32},
        {"/usr/lib/libjemalloc.so.2", 129, 128},
        {"/usr/lib/libjemalloc.so.2", 161, 160},
        {"/usr/lib/libjemalloc.so.2", 160, 0},
        {"/usr/lib/libmimalloc.so.2.0", 1025, 1024},
        {"/usr/lib/libmimalloc.so.2.0", 1281, 1280},
        {"/usr/lib/libjemalloc.so.2", 16, 0},
        {"/usr/lib/libjemalloc.so.2", 65537, 0},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        odd_size(&run);
        run.profile.allocator = rows[i].allocator;
        run.places[0].sizes.min = run.places[0].sizes.max = rows[i].bytes;
        run.places[0].metrics.slack_bytes = 1000000000;
        const struct finding *const finding = place_case_find(&run, "AL131");
        assert_int_equal(finding != NULL, rows[i].fits != 0);
        if (finding)
            assert_true(finding->saves.peak_bytes.value ==
                        20000.0 * (double)(rows[i].bytes - rows[i].fits));
    }
    place_case_fini();
}

static void aligned(struct place_case *run)
{
    place_case_blocks(run, 0, 5000, 64);
    run->habits[0].aligned_count = 5000;
    run->habits[0].alignment_bytes = 128;
}

static void larger(struct place_case *run)
{
    run->places[0].sizes.max = 65;
}
static void as_malloc(struct place_case *run)
{
    run->places[0].sizes.max = 8;
    run->habits[0].alignment_bytes = 16;
}
static void too_few_aligned(struct place_case *run)
{
    run->habits[0].aligned_count = 99;
    run->profile.totals.alloc_count = 1000;
}
static void too_few_of_all(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}

static void blocks_smaller_than_their_alignment_are_told(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"more than half of the alignment", larger},
        {"an alignment of 16", as_malloc},
        {"99 blocks", too_few_aligned},
        {"less than 5 % of allocations", too_few_of_all},
    };
    place_case_limits("AL132", aligned, changes, N_OF(changes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_just_above_a_class_are_told),
        cmocka_unit_test(classes_are_those_of_the_allocator),
        cmocka_unit_test(blocks_smaller_than_their_alignment_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
