/* SPDX-License-Identifier: MIT */
/* How peaks, slack and highest live counts come out. */
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

#include "tests/support/load_script.h"

static const struct site *site_of(const struct profile *profile, uint64_t offset)
{
    for (size_t i = 0; i < profile->n_sites; i++)
        if (profile->sites[i].n_frames &&
            profile->frames[profile->sites[i].frames[0]].offset == offset)
            return &profile->sites[i];
    fail_msg("no site at %d", (int)offset);
    return NULL;
}

static void sites_hold_what_was_live_at_the_peak(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 50 3\n" /* 150 */
                    "1 free 30 0x1000\n1 malloc 40 0x3000 60 3\n"         /* 110 */
                    "1 malloc 50 0x4000 90 2\n"                           /* 200: the peak */
                    "1 free 60 0x2000\n1 malloc 70 0x5000 50 2\n"         /* 200 again: not new */
                    "1 free 80 0x3000\n1 free 90 0x4000\n1 free 95 0x5000\n" SCRIPT_TAIL);
    const struct site *const a = site_of(profile, 0x200), *const b = site_of(profile, 0x300);
    assert_int_equal(profile->totals.peak_bytes, 200);
    assert_int_equal(profile->totals.peak_count, 3);
    assert_int_equal(a->metrics.peak_bytes, 90);
    assert_int_equal(a->metrics.peak_count, 1);
    assert_int_equal(b->metrics.peak_bytes, 110);
    assert_int_equal(b->metrics.peak_count, 2);
    assert_int_equal(a->max_live_bytes, 140);
    assert_int_equal(b->max_live_bytes, 110);
    assert_true(profile->peak_seconds > 49e-9 && profile->peak_seconds < 51e-9);
    profile_free(profile);
}

/* Against a plain simulation: after each step sum everything up. */
static void peaks_of_sites_agree_with_a_simulation(void **state)
{
    (void)state;
    enum { N_STEPS = 3000, N_BLOCKS = 40 };
    char *const script = malloc(N_STEPS * 64 + 4096);
    size_t n = (size_t)sprintf(script, "%s", SCRIPT_HEAD);
    uint64_t size[N_BLOCKS] = {0}, best[2] = {0}, best_total = 0, seed = 11;
    unsigned owner[N_BLOCKS] = {0};
    for (unsigned i = 0; i < N_STEPS; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const unsigned at = (unsigned)(seed >> 40) % N_BLOCKS;
        if (size[at]) {
            n += (size_t)sprintf(script + n, "1 free %u 0x%x\n", 100 + i, 0x1000 + at * 64);
            size[at] = 0;
        } else {
            owner[at] = (unsigned)(seed >> 50) & 1;
            size[at] = 1 + (seed >> 33) % 1000;
            n += (size_t)sprintf(script + n, "1 malloc %u 0x%x %u %u\n", 100 + i, 0x1000 + at * 64,
                                 (unsigned)size[at], 2 + owner[at]);
        }
        uint64_t sums[2] = {0, 0};
        for (unsigned j = 0; j < N_BLOCKS; j++)
            sums[owner[j]] += size[j];
        if (sums[0] + sums[1] > best_total) {
            best_total = sums[0] + sums[1];
            best[0] = sums[0];
            best[1] = sums[1];
        }
    }
    sprintf(script + n, "%s", SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->totals.peak_bytes, best_total);
    assert_int_equal(site_of(profile, 0x200)->metrics.peak_bytes, best[0]);
    assert_int_equal(site_of(profile, 0x300)->metrics.peak_bytes, best[1]);
    profile_free(profile);
    free(script);
}

static void slack_is_usable_less_requested_at_the_peak(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n"       /* 24 usable */
                                "1 malloc 20 0x2000 100 2 128\n" /* said to be 128 */
                                "1 malloc 30 0x3000 24 3\n"      /* exactly 24 */
                                "1 malloc 40 0x4000 50 3 20\n"   /* nonsense: none */
                                "1 free 50 0x1000\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.slack_bytes, 23 + 28);
    assert_int_equal(site_of(profile, 0x200)->metrics.slack_bytes, 51);
    assert_int_equal(site_of(profile, 0x300)->metrics.slack_bytes, 0);
    profile_free(profile);
}

static void sums_over_sites_are_the_totals(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 50 3\n1 realloc_begin 30 0x1000 0\n"
        "1 realloc_end 31 0x3000 400 3\n1 free 40 0x2000\n1 calloc 50 0x4000 8 0\n"
        "1 free 60 0x4000\n1 malloc 70 0x5000 9 1\n" SCRIPT_TAIL);
    struct metrics sum = {0};
    for (size_t i = 0; i < profile->n_sites; i++) {
        const struct metrics *const m = &profile->sites[i].metrics;
        sum.alloc_count += m->alloc_count;
        sum.realloc_count += m->realloc_count;
        sum.free_count += m->free_count;
        sum.alloc_bytes += m->alloc_bytes;
        sum.peak_bytes += m->peak_bytes;
        sum.leaked_bytes += m->leaked_bytes;
        sum.slack_bytes += m->slack_bytes;
        sum.temporary_count += m->temporary_count;
    }
    assert_int_equal(profile->n_sites, 4);
    assert_int_equal(sum.alloc_count, profile->totals.alloc_count);
    assert_int_equal(sum.realloc_count, profile->totals.realloc_count);
    assert_int_equal(sum.free_count, profile->totals.free_count);
    assert_int_equal(sum.alloc_bytes, profile->totals.alloc_bytes);
    assert_int_equal(sum.peak_bytes, profile->totals.peak_bytes);
    assert_int_equal(sum.leaked_bytes, profile->totals.leaked_bytes);
    assert_int_equal(sum.slack_bytes, profile->totals.slack_bytes);
    assert_int_equal(sum.temporary_count, profile->totals.temporary_count);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_hold_what_was_live_at_the_peak),
        cmocka_unit_test(peaks_of_sites_agree_with_a_simulation),
        cmocka_unit_test(slack_is_usable_less_requested_at_the_peak),
        cmocka_unit_test(sums_over_sites_are_the_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
