/* SPDX-License-Identifier: MIT */
/* What each event does to the numbers: one row per sequence. */
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

/* What one process's events amount to. */
struct row {
    const char *name, *script;
    uint64_t allocs, reallocs, frees, bytes, peak, leaked_count, leaked_bytes, temporary, copied;
    uint64_t unknown, inherited, events;
};

static void check(const struct row *row)
{
    char script[4096];
    snprintf(script, sizeof script, "%s%s%s", SCRIPT_HEAD, row->script, SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    const struct metrics *const m = &profile->totals;
    const struct row found = {row->name,
                              row->script,
                              m->alloc_count,
                              m->realloc_count,
                              m->free_count,
                              m->alloc_bytes,
                              m->peak_bytes,
                              m->leaked_count,
                              m->leaked_bytes,
                              m->temporary_count,
                              m->copied_bytes,
                              profile->coverage.unknown_frees,
                              profile->coverage.inherited_frees,
                              m->events};
    if (memcmp(&found, row, sizeof found) != 0)
        fail_msg("%s: allocs %d reallocs %d frees %d bytes %d peak %d leaked %d %d temporary %d "
                 "copied %d unknown %d inherited %d events %d",
                 row->name, (int)found.allocs, (int)found.reallocs, (int)found.frees,
                 (int)found.bytes, (int)found.peak, (int)found.leaked_count,
                 (int)found.leaked_bytes, (int)found.temporary, (int)found.copied,
                 (int)found.unknown, (int)found.inherited, (int)found.events);
    profile_free(profile);
}

static void every_kind_of_call_counts_as_it_should(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nothing", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        {"one leak", "1 malloc 10 0x1000 64 2\n", 1, 0, 0, 64, 64, 1, 64, 0, 0, 0, 0, 1},
        {"zero bytes is a block", "1 malloc 10 0x1000 0 2\n1 free 20 0x1000\n", 1, 0, 1, 0, 0, 0, 0,
         1, 0, 0, 0, 2},
        {"every allocation call",
         "1 malloc 10 0x1000 1 2\n1 calloc 11 0x2000 1 2\n1 realloc_new 12 0x3000 1 2\n"
         "1 reallocarray_new 13 0x4000 1 2\n1 posix_memalign 14 0x5000 1 2\n"
         "1 aligned_alloc 15 0x6000 1 2\n1 memalign 16 0x7000 1 2\n1 valloc 17 0x8000 1 2\n"
         "1 pvalloc 18 0x9000 1 2\n1 mallocx 19 0xa000 1 2\n",
         10, 0, 0, 10, 10, 10, 10, 0, 0, 0, 0, 10},
        {"every release call",
         "1 malloc 10 0x1000 1 2\n1 malloc 11 0x2000 1 2\n1 malloc 12 0x3000 1 2\n"
         "1 malloc 13 0x4000 1 2\n1 malloc 14 0x5000 1 2\n1 malloc 15 0x6000 1 2\n"
         "1 free 20 0x1000\n1 free_sized 21 0x2000\n1 free_aligned_sized 22 0x3000\n"
         "1 cfree 23 0x4000\n1 dallocx 24 0x5000\n1 sdallocx 25 0x6000\n",
         6, 0, 6, 6, 6, 0, 0, 1, 0, 0, 0, 12},
        {"realloc moves and copies the lesser size",
         "1 malloc 10 0x1000 100 2\n1 realloc_begin 20 0x1000 0\n1 realloc_end 21 0x2000 300 3\n"
         "1 realloc_begin 30 0x2000 0\n1 realloc_end 31 0x3000 50 3\n1 free 40 0x3000\n",
         1, 2, 1, 450, 300, 0, 0, 0, 150, 0, 0, 4},
        {"realloc in place copies nothing",
         "1 malloc 10 0x1000 100 2\n1 realloc_begin 20 0x1000 0\n1 realloc_end 21 0x1000 120 2\n",
         1, 1, 0, 220, 120, 1, 120, 0, 0, 0, 0, 2},
        {"failed realloc leaves the block",
         "1 malloc 10 0x1000 100 2\n1 realloc_begin 20 0x1000 0\n1 realloc_fail 21\n"
         "1 free 30 0x1000\n",
         1, 0, 1, 100, 100, 0, 0, 1, 0, 0, 0, 2},
        {"realloc to nothing is a free",
         "1 malloc 10 0x1000 100 2\n1 realloc_begin 20 0x1000 0\n1 realloc_freed 21\n", 1, 0, 1,
         100, 100, 0, 0, 1, 0, 0, 0, 2},
        {"killed inside realloc: the block lives",
         "1 malloc 10 0x1000 100 2\n1 realloc_begin 20 0x1000 0\n", 1, 0, 0, 100, 100, 1, 100, 0, 0,
         0, 0, 1},
        {"realloc of an unknown block is a new one",
         "1 realloc_begin 20 0x1000 0\n1 realloc_end 21 0x2000 70 2\n", 0, 1, 0, 70, 70, 1, 70, 0,
         0, 1, 0, 1},
        {"realloc end without begin", "1 realloc_end 21 0x2000 70 2\n1 free 22 0x2000\n", 0, 1, 1,
         70, 70, 0, 0, 0, 0, 0, 0, 2},
        {"failed realloc of an unknown block", "1 realloc_begin 20 0x1000 0\n1 realloc_fail 21\n",
         0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0},
        {"fail and freed without begin", "1 realloc_fail 21\n1 realloc_freed 22\n", 0, 0, 1, 0, 0,
         0, 0, 0, 0, 1, 0, 1},
        {"free of an unknown block", "1 free 20 0x1000\n", 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1},
        {"double free", "1 malloc 10 0x1000 5 2\n1 free 20 0x1000\n1 free 9000 0x1000\n", 1, 0, 2,
         5, 5, 0, 0, 1, 0, 1, 0, 3},
        {"address used again during a realloc that moved",
         "stream 2 1 100 101 0\n1 malloc 10 0x1000 10 2\n1 realloc_begin 20 0x1000 0\n"
         "2 malloc 25 0x1000 7 0\n1 realloc_end 30 0x2000 20 2\n2 free 40 0x1000\n"
         "1 free 50 0x2000\n",
         2, 1, 2, 37, 27, 0, 0, 1, 10, 0, 0, 5},
        {"mappings are no allocations",
         "1 mmap 10 0x100000 4096 2\n1 munmap 20 0x100000 4096\n1 munmap 30 0x100000 4096\n"
         "1 map_fail 31\n",
         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3},
        {"sizes at the top do not wrap",
         "1 malloc 10 0x1000 18446744073709551615 2\n1 malloc 11 0x2000 18446744073709551615 2\n"
         "1 free 20 0x1000\n1 free 21 0x2000\n",
         2, 0, 2, 2 * ((UINT64_C(1) << 48) - 1), 2 * ((UINT64_C(1) << 48) - 1), 0, 0, 1, 0, 0, 0,
         4},
        {"address 0 is no block", "1 malloc 10 0 5 2\n", 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(&rows[i]);
}

static void temporary_is_freed_before_its_own_thread_allocates_again(void **state)
{
    (void)state;
    static const struct {
        const char *name, *script;
        uint64_t temporary;
    } rows[] = {
        {"at once", "1 malloc 10 0x1000 5 2\n1 free 20 0x1000\n", 1},
        {"after another", "1 malloc 10 0x1000 5 2\n1 malloc 11 0x2000 5 2\n1 free 20 0x1000\n", 0},
        {"the newer of two, then the older",
         "1 malloc 10 0x1000 5 2\n1 malloc 11 0x2000 5 2\n1 free 20 0x2000\n1 free 21 0x1000\n", 1},
        {"other threads do not matter",
         "stream 2 1 100 101 0\n1 malloc 10 0x1000 5 2\n2 malloc 11 0x2000 5 0\n1 free 20 0x1000\n"
         "2 free 30 0x2000\n",
         2},
        {"freed by another thread",
         "stream 2 1 100 101 0\n1 malloc 10 0x1000 5 2\n2 free 20 0x1000\n", 1},
        {"a signal handler is the same thread",
         "stream 2 1 100 100 1\n1 malloc 10 0x1000 5 2\n2 malloc 11 0x2000 5 0\n1 free 20 0x1000\n",
         0},
        {"a realloc between",
         "1 malloc 9 0x2000 5 2\n1 malloc 10 0x1000 5 2\n1 realloc_begin 11 0x2000 0\n"
         "1 realloc_end 12 0x3000 6 2\n1 free 20 0x1000\n",
         0},
        {"a resized block is none",
         "1 malloc 10 0x1000 5 2\n1 realloc_begin 11 0x1000 0\n"
         "1 realloc_end 12 0x1000 6 2\n1 free 20 0x1000\n",
         0},
        {"freed by another thread, then again at the address, stamps inverted",
         "stream 2 1 100 101 0\n1 malloc 10 0x1000 5 2\n1 malloc 20 0x1000 6 2\n2 free 21 0x1000\n"
         "1 malloc 30 0x2000 1 2\n",
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[4096];
        snprintf(script, sizeof script, "%s%s%s", SCRIPT_HEAD, rows[i].script, SCRIPT_TAIL);
        struct profile *const profile = load_script(script);
        if (profile->totals.temporary_count != rows[i].temporary)
            fail_msg("%s: %d", rows[i].name, (int)profile->totals.temporary_count);
        assert_int_equal(profile->coverage.unknown_frees, 0);
        profile_free(profile);
    }
}

static void lifetime_counts_from_the_original_allocation(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 1000 0x1000 5 2\n1 realloc_begin 2000 0x1000 0\n"
                                "1 realloc_end 2001 0x2000 6 3\n1 free 11000 0x2000\n" SCRIPT_TAIL);
    assert_int_equal(profile->lifetime_ns.n, 1);
    assert_int_equal(profile->lifetime_ns.max, 10000);
    for (size_t i = 0; i < profile->n_sites; i++)
        assert_int_equal(profile->sites[i].lifetime_ns.n, profile->sites[i].metrics.realloc_count);
    profile_free(profile);
}

static void mappings_are_followed_through_cuts_and_moves(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 mmap 10 0x100000 8192 2\n1 munmap 20 0x100000 4096\n1 mmap 30 0x200000 4096 2\n"
        "1 remap_begin 40 0x200000 4096\n1 remap_end 41 0x300000 16384 2\n"
        "1 munmap 50 0x300000 16384\n1 map_fail 51\n1 mmap 60 0x400000 4096 2\n"
        "1 remap_begin 70 0x900000 4096\n1 remap_end 71 0xa00000 40960 2\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.mapped_bytes, 8192 + 4096 + 12288 + 4096);
    assert_int_equal(profile->totals.mapped_peak_bytes, 4096 + 16384 + 4096);
    assert_int_equal(profile->totals.events, 7);
    assert_int_equal(profile->totals.alloc_bytes, 0);
    profile_free(profile);
}

static void inverted_stamps_of_two_threads_pair_rightly(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "stream 2 1 100 101 0\n"
        "1 malloc 100 0x1000 10 2\n1 malloc 900 0x1000 20 2\n2 free 1000 0x1000\n"
        "2 free 5000 0x1000\n2 free 6000 0x2000\n1 malloc 6500 0x2000 30 2\n" SCRIPT_TAIL);
    assert_int_equal(profile->coverage.unknown_frees, 0);
    assert_int_equal(profile->totals.free_count, 3);
    assert_int_equal(profile->totals.leaked_count, 0);
    assert_int_equal(profile->totals.peak_bytes, 30);
    assert_int_equal(profile->lifetime_ns.min, 0);
    assert_int_equal(profile->lifetime_ns.max, 4100);
    assert_int_equal(profile->n_remarks, 0);
    profile_free(profile);
}

static void lost_release_is_remarked(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 100 0x1000 10 2\n1 malloc 90000 0x1000 20 2\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.leaked_count, 1);
    assert_int_equal(profile->totals.leaked_bytes, 20);
    assert_int_equal(profile->n_remarks, 1);
    profile_free(profile);
}

/* Frees count where their block came from; a time without a call before it counts nowhere. */
static void timed_calls_stand_at_their_sites(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 call_time 5 0 7\n1 call_time 6 1 7\n"
                                "1 malloc 10 0x1000 64 2\n1 call_time 11 0 30\n"
                                "1 malloc 12 0x2000 64 3\n1 free 13 0x1000\n"
                                "1 call_time 14 1 20\n1 free 15 0x9000\n1 call_time 16 1 99\n"
                                "1 call_time 17 9 99\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct site *const site = &profile->sites[i];
        const bool first = site->metrics.free_count == 1;
        assert_int_equal(site->alloc_call_ns.n, first);
        assert_int_equal(site->free_call_ns.n, first);
        assert_true(!first || (site->alloc_call_ns.max == 30 && site->free_call_ns.max == 20));
    }
    profile_free(profile);
}

static void times_of_calls_are_parts_of_ticks(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "run cycles_per_tick=10\n1 malloc 10 0x1000 64 2\n"
                                "1 call_time 11 0 300\n1 free 110 0x1000\n" SCRIPT_TAIL);
    assert_int_equal(profile->sites[0].alloc_call_ns.max, 30);
    assert_int_equal(profile->sites[0].lifetime_ns.max, 100);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_call_counts_as_it_should),
        cmocka_unit_test(timed_calls_stand_at_their_sites),
        cmocka_unit_test(times_of_calls_are_parts_of_ticks),
        cmocka_unit_test(temporary_is_freed_before_its_own_thread_allocates_again),
        cmocka_unit_test(lifetime_counts_from_the_original_allocation),
        cmocka_unit_test(mappings_are_followed_through_cuts_and_moves),
        cmocka_unit_test(inverted_stamps_of_two_threads_pair_rightly),
        cmocka_unit_test(lost_release_is_remarked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
