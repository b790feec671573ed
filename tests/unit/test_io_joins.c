/* SPDX-License-Identifier: MIT */
/* How buffers of calls are told from one another. */
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

/* io: time op fd requested result took stack buffer detail; 1 reads, 16 writes. */
static struct profile *load_middle(const char *middle)
{
    char script[65536];
    snprintf(script, sizeof script, SCRIPT_HEAD "%s" SCRIPT_TAIL, middle);
    return load_script(script);
}

static const struct io_site *site_of(const struct profile *profile, bool reads)
{
    for (size_t i = 0; i < profile->n_io_sites; i++)
        if (profile->io_sites[i].reads == reads)
            return &profile->io_sites[i];
    fail();
    return NULL;
}

static void a_buffer_for_each_call_is_fresh_and_single(void **state)
{
    (void)state;
    char script[32768];
    size_t n = 0;
    for (unsigned i = 0; i < 100; i++) /* the allocator gives out the same address again */
        n += (size_t)snprintf(script + n, sizeof script - n,
                              "1 malloc %u 0x1000 4096 2\n1 io %u 1 3 4096 4096 5 3 0x1000 0\n"
                              "1 free %u 0x1000\n",
                              100 * i + 10, 100 * i + 20, 100 * i + 30);
    struct profile *const profile = load_middle(script);
    const struct io_site *const site = site_of(profile, true);
    assert_int_equal(site->calls, 100);
    assert_int_equal(site->heap_calls, 100);
    assert_int_equal(site->fresh_calls, 100);
    assert_int_equal(site->single_calls, 100);
    profile_free(profile);
}

static void a_buffer_used_again_is_neither(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 malloc 10 0x1000 4096 2\n1 io 20 1 3 4096 4096 5 3 0x1000 0\n"
        "1 io 30 1 3 4096 4096 5 3 0x1000 0\n1 io 40 1 3 96 96 5 3 0x1100 0\n"
        "1 io 50 1 3 96 96 5 3 0x1fa0 0\n" /* far inside, but of a block known already */
        "1 free 60 0x1000\n1 io 70 1 3 96 96 5 3 0x1000 0\n1 io 80 1 3 96 96 5 3 0x9000 0\n");
    const struct io_site *const site = site_of(profile, true);
    assert_int_equal(site->calls, 6);
    assert_int_equal(site->heap_calls, 4);
    assert_int_equal(site->fresh_calls, 1);
    assert_int_equal(site->single_calls, 0);
    profile_free(profile);
}

static void headers_of_objects_do_not_hide_their_block(void **state)
{
    (void)state;
    static const struct {
        unsigned buffer;
        unsigned n_heap;
    } rows[] = {{0x1000, 1}, {0x1020, 1}, {0x1021, 1}, {0x1080, 1},
                {0x1fff, 0}, {0x2000, 0}, {0xfff, 0},  {0x7, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[256];
        snprintf(script, sizeof script, "1 malloc 10 0x1000 4096 2\n1 io 20 1 3 9 9 5 3 %u 0\n",
                 rows[i].buffer);
        struct profile *const profile = load_middle(script);
        assert_int_equal(site_of(profile, true)->heap_calls, rows[i].n_heap);
        profile_free(profile);
    }
}

static void a_resized_buffer_stays_the_same(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 malloc 10 0x1000 4096 2\n1 io 20 1 3 4096 4096 5 3 0x1000 0\n1 realloc_begin 30 0x1000 "
        "0\n"
        "1 realloc_end 31 0x8000 8192 2\n1 io 40 1 3 4096 4096 5 3 0x8000 0\n1 free 50 0x8000\n");
    assert_int_equal(site_of(profile, true)->heap_calls, 2);
    assert_int_equal(site_of(profile, true)->fresh_calls, 1);
    assert_int_equal(site_of(profile, true)->single_calls, 0);
    profile_free(profile);
}

static void a_buffer_far_inside_of_a_moved_block_is_found(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 malloc 10 0x1000 4096 2\n1 io 20 1 3 4096 4096 5 3 0x1000 0\n1 realloc_begin 30 0x1000 "
        "0\n"
        "1 realloc_end 31 0x8000 8192 2\n1 io 40 1 3 4096 4096 5 3 0x9000 0\n1 free 50 0x8000\n");
    assert_int_equal(site_of(profile, true)->heap_calls, 2);
    profile_free(profile);
}

static void what_was_read_and_is_written_was_copied(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 io 10 1 3 4096 1000 5 3 0x7000 0\n1 io 20 16 4 1000 600 5 3 0x7000 0\n"
        "1 io 30 16 4 400 400 5 3 0x7258 0\n1 io 40 16 4 10 10 5 3 0x73e8 0\n" /* behind it */
        "1 io 50 1 3 4096 100 5 3 0x7000 0\n1 io 60 16 4 500 500 5 3 0x7000 0\n");
    const struct io_site *const writes = site_of(profile, false);
    assert_int_equal(writes->calls, 4);
    assert_int_equal(writes->copied_calls, 3);
    assert_int_equal(writes->copied_bytes, 1100);
    profile_free(profile);
}

static void memory_is_copied_once(void **state)
{
    (void)state;
    struct profile *const profile =
        load_middle("1 io 10 1 3 4096 1000 5 3 0x7000 0\n1 io 20 16 4 1000 1000 5 3 0x7000 0\n"
                    "1 io 30 16 4 1000 1000 5 3 0x7000 0\n1 io 40 16 5 1000 1000 5 3 0x7000 0\n");
    assert_int_equal(site_of(profile, false)->copied_calls, 1);
    profile_free(profile);
}

static void memory_of_another_block_since_is_no_copy(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 malloc 10 0x1000 4096 2\n1 io 20 1 3 4096 4096 5 3 0x1000 0\n1 free 30 0x1000\n"
        "1 malloc 40 0x1000 8192 2\n1 io 50 16 4 4096 4096 5 3 0x1000 0\n"
        "1 io 60 1 3 4096 4096 5 3 0x1000 0\n1 io 70 16 4 4096 4096 5 3 0x1000 0\n");
    assert_int_equal(site_of(profile, false)->copied_calls, 1);
    profile_free(profile);
}

static void blocks_live_at_the_end_were_not_freed(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 malloc 10 0x1000 64 2\n1 malloc 11 0x2000 64 2\n1 io 20 1 3 9 9 5 3 0x1000 0\n"
        "1 io 21 1 3 9 9 5 3 0x2000 0\n1 free 30 0x2000\n");
    assert_int_equal(site_of(profile, true)->single_calls, 1);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_for_each_call_is_fresh_and_single),
        cmocka_unit_test(a_buffer_used_again_is_neither),
        cmocka_unit_test(headers_of_objects_do_not_hide_their_block),
        cmocka_unit_test(a_resized_buffer_stays_the_same),
        cmocka_unit_test(a_buffer_far_inside_of_a_moved_block_is_found),
        cmocka_unit_test(what_was_read_and_is_written_was_copied),
        cmocka_unit_test(memory_is_copied_once),
        cmocka_unit_test(memory_of_another_block_since_is_no_copy),
        cmocka_unit_test(blocks_live_at_the_end_were_not_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
