/* SPDX-License-Identifier: MIT */
/* Which frees are a burst, and what ends one. */
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

/* A script in the making: blocks are numbered, times count up. */
struct script {
    FILE *out;
    char *text;
    size_t n_bytes;
    unsigned t;
};

static void begin(struct script *script)
{
    script->t = 10;
    script->out = open_memstream(&script->text, &script->n_bytes);
}

static void allocate(struct script *script, unsigned stream, unsigned stack, unsigned first,
                     unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        fprintf(script->out, "%u malloc %u 0x%x 8 %u\n", stream, script->t++, 0x1000 + 16 * i,
                stack);
}

static void release(struct script *script, unsigned stream, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        fprintf(script->out, "%u free %u 0x%x\n", stream, script->t++, 0x1000 + 16 * i);
}

static struct profile *load(struct script *script)
{
    fclose(script->out);
    struct profile *const profile = load_habits(script->text);
    free(script->text);
    return profile;
}

/* `n` blocks freed in a row, `between` in the middle of them. */
static void check_row(unsigned n, const char *between, uint64_t n_bursts, uint64_t burst_count)
{
    struct script script;
    begin(&script);
    allocate(&script, 1, 2, 0, n);
    allocate(&script, 1, 3, 1000, 2);
    release(&script, 1, 0, n / 2);
    if (*between)
        fprintf(script.out, between, script.t, script.t + 1);
    script.t += 2;
    release(&script, 1, n / 2, n - n / 2);
    struct profile *const profile = load(&script);
    const struct site_habits found = habits_of(profile, 2);
    if (found.n_bursts != n_bursts || found.burst_count != burst_count)
        fail_msg("%u, %s: %d bursts of %d", n, between, (int)found.n_bursts,
                 (int)found.burst_count);
    profile_free(profile);
}

static void allocations_and_resizes_end_a_burst(void **state)
{
    (void)state;
    check_row(31, "", 0, 0);
    check_row(32, "", 1, 32);
    check_row(32, "1 malloc %u 0xf000 8 3\n", 0, 0);
    check_row(64, "1 malloc %u 0xf000 8 3\n", 2, 64);
    check_row(32, "1 realloc_begin %u 0x4e80 0\n1 realloc_end %u 0xf000 9 3\n", 0, 0);
    check_row(32, "1 realloc_begin %u 0x4e80 0\n1 realloc_fail %u\n", 0, 0);
    check_row(32, "1 free %u 0x4e80\n", 1, 32);
    check_row(32, "2 malloc %u 0xf000 8 3\n", 1, 32);
}

static void burst_tells_of_births_and_death(void **state)
{
    (void)state;
    struct script script;
    begin(&script);
    allocate(&script, 1, 2, 0, 40);
    script.t = 1000;
    release(&script, 1, 10, 30);
    release(&script, 1, 0, 10);
    struct profile *const profile = load(&script);
    const struct burst found = habits_of(profile, 2).largest_burst;
    assert_int_equal(found.process_id, 1);
    assert_int_equal(found.count, 40);
    assert_int_equal(found.bytes, 320);
    assert_int_equal(found.first_born_seconds * 1e9 + 0.5, 10);
    assert_int_equal(found.last_born_seconds * 1e9 + 0.5, 49);
    assert_int_equal(found.died_seconds * 1e9 + 0.5, 1039);
    profile_free(profile);
}

static void sites_whose_blocks_die_together_share_an_id(void **state)
{
    (void)state;
    struct script script;
    begin(&script);
    allocate(&script, 1, 2, 0, 100);
    allocate(&script, 1, 3, 100, 90);
    for (unsigned i = 0; i < 50; i++) {
        release(&script, 1, i, 1);
        release(&script, 1, 100 + i, 1);
    }
    allocate(&script, 1, 3, 200, 1);
    release(&script, 1, 150, 40);
    release(&script, 1, 50, 50);
    struct profile *const profile = load(&script);
    const struct site_habits two = habits_of(profile, 2), three = habits_of(profile, 3);
    assert_int_equal(two.n_bursts, 2);
    assert_int_equal(three.n_bursts, 2);
    assert_int_equal(three.burst_count, 90);
    assert_int_equal(three.largest_burst.count, 50);
    assert_int_not_equal(two.largest_burst.id, 0);
    assert_int_equal(two.largest_burst.id, three.largest_burst.id); /* of equal ones the first */
    profile_free(profile);
}

/* Each thread has its own row of frees, however they lie in time. */
static void threads_free_blocks_of_one_site_in_turns(void **state)
{
    (void)state;
    struct script script;
    begin(&script);
    allocate(&script, 1, 2, 0, 200);
    for (unsigned i = 0; i < 40; i++) {
        release(&script, 1, i, 1);
        release(&script, 2, 100 + i, 1);
    }
    allocate(&script, 2, 3, 300, 1); /* ends the second thread's */
    for (unsigned i = 40; i < 60; i++) {
        release(&script, 1, i, 1);
        release(&script, 2, 100 + i, 1);
    }
    struct profile *const profile = load(&script);
    const struct site_habits found = habits_of(profile, 2);
    assert_int_equal(found.n_bursts, 2);
    assert_int_equal(found.burst_count, 100);
    assert_int_equal(found.largest_burst.count, 60);
    assert_int_equal(found.freed_elsewhere_count, 60);
    profile_free(profile);
}

static void single_frees_between_allocations_are_no_burst(void **state)
{
    (void)state;
    struct script script;
    begin(&script);
    for (unsigned i = 0; i < 100; i++) {
        allocate(&script, 1, 2, 0, 1);
        release(&script, 1, 0, 1);
    }
    struct profile *const profile = load(&script);
    assert_int_equal(habits_of(profile, 2).n_bursts, 0);
    assert_int_equal(habits_of(profile, 2).largest_burst.id, 0);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_and_resizes_end_a_burst),
        cmocka_unit_test(burst_tells_of_births_and_death),
        cmocka_unit_test(sites_whose_blocks_die_together_share_an_id),
        cmocka_unit_test(threads_free_blocks_of_one_site_in_turns),
        cmocka_unit_test(single_frees_between_allocations_are_no_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
