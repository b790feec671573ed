/* SPDX-License-Identifier: MIT */
/* What is counted of a site's allocations, releases and leaks beyond what a report shows. */
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

#include "tests/support/site_habits_script.h"

static void habits_are_gathered_only_when_asked_for(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 64 2\n" SCRIPT_TAIL);
    assert_null(profile->sites[0].habits);
    profile_free(profile);
}

static void calls_that_ask_for_more_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *name, *events;
        uint64_t calloc_count, aligned_count, alignment_bytes;
    } rows[] = {
        {"malloc", "1 malloc 10 0x1000 64 2\n", 0, 0, 0},
        {"calloc", "1 calloc 10 0x1000 64 2\n1 malloc 11 0x2000 64 2\n", 1, 0, 0},
        {"aligned",
         "1 posix_memalign 10 0x1000 100 2 104 64\n1 aligned_alloc 11 0x2000 100 2 104 4096\n"
         "1 memalign 12 0x3000 100 2 104 32\n1 malloc 13 0x4000 100 2\n",
         0, 3, 4096},
        {"a page", "1 valloc 10 0x1000 100 2\n1 pvalloc 11 0x2000 100 2\n", 0, 2, 4096},
        {"no power of two", "1 memalign 10 0x1000 100 2 104 48\n", 0, 1, 32},
        {"resized",
         "1 malloc 10 0x1000 8 3\n1 realloc_begin 20 0x1000 2\n"
         "1 realloc_end 21 0x2000 100 2 104 128\n",
         0, 0, 128},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct site_habits found = habits_after(rows[i].events, 2);
        if (found.calloc_count != rows[i].calloc_count ||
            found.aligned_count != rows[i].aligned_count ||
            found.alignment_bytes != rows[i].alignment_bytes)
            fail_msg("%s: calloc %d aligned %d to %d", rows[i].name, (int)found.calloc_count,
                     (int)found.aligned_count, (int)found.alignment_bytes);
    }
}

static void times_are_those_of_first_and_last_request(void **state)
{
    (void)state;
    const struct site_habits found =
        habits_after("1 malloc 1000000 0x1000 8 2\n1 malloc 2000000 0x2000 8 2\n"
                     "1 malloc 3000000 0x3000 8 3\n1 realloc_begin 4000000 0x1000 0\n"
                     "1 realloc_end 5000000 0x1000 9 2\n1 free 6000000 0x1000\n",
                     2);
    assert_true(found.first_alloc_seconds == 0.001);
    assert_true(found.last_alloc_seconds == 0.005);
}

/* Allocate and free `n_calm` times with `calm` blocks live, then allocate up to `peak` of them. */
static struct site_habits waves(unsigned calm, unsigned n_calm, unsigned peak)
{
    char *events = NULL;
    size_t n_bytes;
    unsigned t = 10;
    FILE *const out = open_memstream(&events, &n_bytes);
    for (unsigned i = 1; i < calm; i++)
        fprintf(out, "1 malloc %u 0x%x 8 2\n", t++, 0x1000 + 16 * i);
    for (unsigned i = 0; i < n_calm; i++, t += 2)
        fprintf(out, "1 malloc %u 0x%x 8 2\n1 free %u 0x%x\n", t, 0x1000, t + 1, 0x1000);
    for (unsigned i = calm; i <= peak; i++)
        fprintf(out, "1 malloc %u 0x%x 8 2\n", t++, 0x1000 + 16 * i);
    fclose(out);
    const struct site_habits found = habits_after(events, 2);
    free(events);
    return found;
}

static void slots_leave_out_one_allocation_in_a_thousand(void **state)
{
    (void)state;
    static const struct {
        unsigned calm, n_calm, peak, least, most;
    } rows[] = {
        {1, 1, 1, 1, 1},
        {1, 2000, 3, 1, 1},
        {1, 1998, 3, 1, 1},
        {1, 1500, 3, 2, 2},
        {40, 10, 49, 49, 49},
        {1, 10, 63, 63, 63},
        {300, 20000, 310, 300, 318},
        {1000, 5000, 1003, 1000, 1003},
        {1, 10, 500, 500, 500},
        {1, 1000, 1000, 999, 1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct site_habits found = waves(rows[i].calm, rows[i].n_calm, rows[i].peak);
        if (found.slots_999 < rows[i].least || found.slots_999 > rows[i].most)
            fail_msg("%u: %d slots", (unsigned)i, (int)found.slots_999);
    }
}

static void frees_by_another_thread_are_counted(void **state)
{
    (void)state;
    const struct site_habits found =
        habits_after("1 malloc 10 0x1000 8 2\n1 malloc 11 0x2000 8 2\n1 malloc 12 0x3000 8 2\n"
                     "2 malloc 13 0x4000 8 2\n2 free 20 0x1000\n1 free 21 0x2000\n"
                     "2 free 22 0x3000\n1 free 23 0x4000\n",
                     2);
    assert_int_equal(found.freed_elsewhere_count, 3);
}

/* Stamps the wrong way round: the other thread's free is seen before the allocation. */
static void free_seen_too_early_is_by_its_own_thread(void **state)
{
    (void)state;
    const struct site_habits found = habits_after("2 free 10 0x1000\n1 malloc 11 0x1000 8 2\n", 2);
    assert_int_equal(found.freed_elsewhere_count, 1);
}

static void large_blocks_freed_too_soon_were_not_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *events;
        uint64_t count, bytes;
    } rows[] = {
        {"sooner", "1 calloc 10 0x10000 65536 2\n1 free 1033 0x10000\n", 1, 65536},
        {"just in time", "1 calloc 10 0x10000 65536 2\n1 free 1034 0x10000\n", 0, 0},
        {"at once", "1 calloc 10 0x10000 65536 2\n1 free 10 0x10000\n", 1, 65536},
        {"smaller", "1 calloc 10 0x10000 65535 2\n1 free 11 0x10000\n", 0, 0},
        {"malloc", "1 malloc 10 0x10000 65536 2\n1 free 11 0x10000\n", 0, 0},
        {"both", "1 calloc 10 0x10000 65536 2\n1 free 11 0x10000\n1 malloc 12 0x10000 65536 2\n", 0,
         0},
        {"two",
         "1 calloc 10 0x10000 99999 2\n1 free 11 0x10000\n1 calloc 20 0x10000 70000 2\n"
         "1 free 21 0x10000\n1 calloc 30 0x10000 70000 2\n1 free 9000 0x10000\n",
         2, 169999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct site_habits found = habits_after(rows[i].events, 2);
        if (found.fleeting_count != rows[i].count || found.fleeting_bytes != rows[i].bytes)
            fail_msg("%s: %d of %d bytes", rows[i].name, (int)found.fleeting_count,
                     (int)found.fleeting_bytes);
    }
}

/* Two ticks to the nanosecond. */
static void speeds_are_per_nanosecond_not_per_tick(void **state)
{
    (void)state;
    const struct profile_options options = {.habits = true};
    struct profile *const profile =
        load_script_with("run clock=tsc root_pid=5\nclock 0 0 0\nstream 1 1 5 5 0\n"
                         "1 calloc 10 0x10000 65536 0\n1 free 2000 0x10000\n"
                         "1 calloc 3010 0x10000 65536 0\n1 free 5110 0x10000\n"
                         "clock 2000000 1000000 0\nend 2000000 events=4\n",
                         &options);
    assert_int_equal(profile->sites[0].habits->fleeting_count, 1);
    profile_free(profile);
}

static void leaks_are_told_apart_by_when_they_were_born(void **state)
{
    (void)state;
    const struct site_habits found =
        habits_after("1 malloc 10 0x1000 8 2\n1 malloc 100000000 0x2000 8 2\n"
                     "1 malloc 400000000 0x3000 8 2\n1 free 500000000 0x3000\n"
                     "1 malloc 510000000 0x4000 100 2\n1 malloc 990000000 0x5000 8 2\n",
                     2);
    static const uint64_t born[HABITS_EIGHTHS] = {2, 0, 0, 0, 1, 0, 0, 1};
    static const uint64_t bytes[HABITS_EIGHTHS] = {16, 0, 0, 0, 100, 0, 0, 8};
    assert_memory_equal(found.leaked_born, born, sizeof born);
    assert_memory_equal(found.leaked_born_bytes, bytes, sizeof bytes);
}

static void what_went_with_an_exec_is_no_leak(void **state)
{
    (void)state;
    struct profile *const profile =
        load_habits("1 malloc 10 0x1000 8 2\n1 exec 20 /bin/other\nstream 3 2 100 100 0\n"
                    "3 image 30 image=2 pid=100 parent_pid=1 start=7 executable=/bin/prog\n"
                    "3 module 31 1 /bin/prog aa11 0x400000 0x400000 0x500000\n3 node 1 0 0x400101\n"
                    "3 node 2 1 0x400201\n3 malloc 900000000 0x1000 5 2\n");
    const struct site_habits found = habits_of(profile, 2);
    assert_int_equal(profile->sites[0].metrics.leaked_count, 1);
    assert_int_equal(found.leaked_born[0], 0);
    assert_int_equal(found.leaked_born[7], 1);
    assert_int_equal(found.leaked_born_bytes[7], 5);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(habits_are_gathered_only_when_asked_for),
        cmocka_unit_test(calls_that_ask_for_more_are_counted),
        cmocka_unit_test(times_are_those_of_first_and_last_request),
        cmocka_unit_test(slots_leave_out_one_allocation_in_a_thousand),
        cmocka_unit_test(frees_by_another_thread_are_counted),
        cmocka_unit_test(free_seen_too_early_is_by_its_own_thread),
        cmocka_unit_test(large_blocks_freed_too_soon_were_not_written),
        cmocka_unit_test(speeds_are_per_nanosecond_not_per_tick),
        cmocka_unit_test(leaks_are_told_apart_by_when_they_were_born),
        cmocka_unit_test(what_went_with_an_exec_is_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
