/* SPDX-License-Identifier: MIT */
/* How habits of the same stack in several processes become one row's. */
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

#define SECOND_PROCESS                                                                             \
    "stream 3 2 101 101 0\n"                                                                       \
    "3 image 5 image=2 pid=101 parent_pid=100 start=8 executable=/bin/prog\n"                      \
    "3 module 6 1 /elsewhere/prog aa11 0x900000 0x900000 0xa00000\n"                               \
    "3 node 1 0 0x900101\n3 node 2 1 0x900201\n"

static void sums_are_over_processes(void **state)
{
    (void)state;
    const struct site_habits found = habits_after(
        SECOND_PROCESS "1 calloc 1000 0x10000 70000 2\n3 calloc 500 0x10000 70000 2\n"
                       "1 free 1010 0x10000\n3 free 510 0x10000\n"
                       "1 memalign 2000 0x1000 8 2 24 64\n3 memalign 3000 0x1000 8 2 24 32\n",
        2);
    assert_int_equal(found.calloc_count, 2);
    assert_int_equal(found.aligned_count, 2);
    assert_int_equal(found.alignment_bytes, 64);
    assert_int_equal(found.first_alloc_seconds * 1e9 + 0.5, 500);
    assert_int_equal(found.last_alloc_seconds * 1e9 + 0.5, 3000);
    assert_int_equal(found.leaked_born[0], 1);
    assert_int_equal(found.leaked_born[7], 1); /* the second process was seen last then */
    assert_int_equal(found.leaked_born_bytes[0] + found.leaked_born_bytes[7], 16);
    assert_int_equal(found.fleeting_count, 0); /* both allocate in other ways, too */
}

/* Allocate `n` blocks in a stream and free them in a row. */
static void wave(FILE *out, unsigned stream, unsigned t, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%u malloc %u 0x%x 8 2\n", stream, t + i, 0x1000 + 16 * i);
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%u free %u 0x%x\n", stream, t + n + i, 0x1000 + 16 * i);
}

static void largest_is_that_of_one_process(void **state)
{
    (void)state;
    char *events = NULL;
    size_t n_bytes;
    FILE *const out = open_memstream(&events, &n_bytes);
    fprintf(out, "%s", SECOND_PROCESS);
    wave(out, 1, 100, 40);
    wave(out, 3, 100, 50);
    fclose(out);
    const struct site_habits found = habits_after(events, 2);
    free(events);
    assert_int_equal(found.slots_999, 50);
    assert_int_equal(found.n_bursts, 2);
    assert_int_equal(found.burst_count, 90);
    assert_int_equal(found.largest_burst.count, 50);
    assert_int_equal(found.largest_burst.process_id, 2);
}

static void chains_of_processes_are_added(void **state)
{
    (void)state;
    const struct growth found =
        habits_after(SECOND_PROCESS
                     "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 free 21 0x1000\n"
                     "3 malloc 10 0x1000 8 2\n3 malloc 20 0x2000 16 2\n3 free 21 0x1000\n"
                     "3 malloc 30 0x1000 32 2\n3 free 31 0x2000\n",
                     2)
            .growth;
    assert_int_equal(found.steps, 3);
    assert_int_equal(found.chains, 2);
    assert_int_equal(found.final_max_bytes, 32);
    assert_int_equal(found.final_sum_bytes, 48);
    assert_int_equal(found.longest_steps, 2);
}

static void one_process_may_be_asked_for(void **state)
{
    (void)state;
    const struct profile_options options = {.habits = true, .process_id = 2};
    struct profile *const profile = load_script_with(
        SCRIPT_HEAD SECOND_PROCESS "1 calloc 10 0x1000 8 2\n3 calloc 10 0x1000 8 2\n" SCRIPT_TAIL,
        &options);
    assert_int_equal(profile->n_sites, 1);
    assert_int_equal(profile->sites[0].habits->calloc_count, 1);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_over_processes),
        cmocka_unit_test(largest_is_that_of_one_process),
        cmocka_unit_test(chains_of_processes_are_added),
        cmocka_unit_test(one_process_may_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
