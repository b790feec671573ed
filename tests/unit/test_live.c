/* SPDX-License-Identifier: MIT */
/* Whether blocks are found by address through growth, removal and collisions. */
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

#include "reader/live.h"

static struct block block_at(uint64_t address)
{
    return (struct block){.address = address, .size_bytes = address & 0xffff, .site = 1};
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Against a plain array that says which addresses are there. */
static void random_adds_and_takes_agree_with_a_plain_array(void **state)
{
    (void)state;
    enum { N = 4096 };
    static const uint64_t steps[] = {16, 48, 4096, UINT64_C(0x100000000)};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        bool there[N] = {false};
        struct live live = {0};
        uint64_t seed = 42;
        size_t n = 0;
        for (unsigned round = 0; round < 100000; round++) {
            const size_t i = next_random(&seed) % N;
            const uint64_t address = 0x10000 + i * steps[s];
            struct block block;
            assert_int_equal(live_find(&live, address) != NULL, there[i]);
            if (there[i]) {
                assert_true(live_take(&live, address, &block));
                assert_true(block.address == address && block.size_bytes == (address & 0xffff));
                n--;
            } else {
                block = block_at(address);
                assert_int_equal(live_add(&live, &block), 0);
                n++;
            }
            there[i] = !there[i];
            assert_int_equal(live.n_used, n);
        }
        size_t at = 0, n_seen = 0;
        while (live_next(&live, &at))
            n_seen++;
        assert_int_equal(n_seen, n);
        live_fini(&live);
    }
}

static void block_of_many_takes_at_most_72_bytes(void **state)
{
    (void)state;
    struct live live = {0};
    for (uint64_t i = 1; i <= 300000; i++) {
        const struct block block = block_at(i * 32);
        assert_int_equal(live_add(&live, &block), 0);
        if (i > LIVE_BIG_SLOTS)
            assert_true(live.n_slots * sizeof(struct block) <= 72 * live.n_used);
    }
    live_fini(&live);
}

static void big_tables_keep_their_blocks_as_they_grow(void **state)
{
    (void)state;
    enum { N = 600000 };
    static const uint64_t steps[] = {16, 4096, UINT64_C(0x100000000)};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct live live = {0};
        for (uint64_t i = 1; i <= N; i++) {
            const struct block block = block_at(i * steps[s]);
            assert_int_equal(live_add(&live, &block), 0);
        }
        for (uint64_t i = 1; i <= N; i++) {
            const struct block *const block = live_find(&live, i * steps[s]);
            assert_true(block && block->address == i * steps[s] &&
                        block->size_bytes == (block->address & 0xffff));
        }
        assert_int_equal(live.n_used, N);
        live_fini(&live);
    }
}

static void runs_stay_short_whatever_the_distance(void **state)
{
    (void)state;
    static const uint64_t steps[] = {16, 32, 48, 64, 112, 4096, 4112, 65536};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct live live = {0};
        size_t longest = 0, run = 0;
        for (uint64_t i = 0; i < 200000; i++) {
            const struct block block = block_at(UINT64_C(0x555500001000) + i * steps[s]);
            assert_int_equal(live_add(&live, &block), 0);
        }
        for (size_t i = 0; i < live.n_slots; i++) {
            run = live.slots[i].address ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }
        assert_true(longest < 300);
        live_fini(&live);
    }
}

static void block_already_there_is_shown(void **state)
{
    (void)state;
    struct live live = {0};
    struct block block = block_at(16), *there;
    assert_int_equal(live_add_unless(&live, &block, &there), 0);
    assert_null(there);
    block.site = 7;
    assert_int_equal(live_add_unless(&live, &block, &there), 0);
    assert_non_null(there);
    assert_int_equal(there->site, 1);
    assert_int_equal(live.n_used, 1);
    live_fini(&live);
}

static void address_zero_is_never_there(void **state)
{
    (void)state;
    struct live live = {0};
    struct block block = block_at(16);
    assert_null(live_find(&live, 0));
    live_add(&live, &block);
    assert_null(live_find(&live, 0));
    assert_false(live_take(&live, 0, &block));
    live_fini(&live);
}

static void slack_is_kept_exactly_up_to_its_limit(void **state)
{
    (void)state;
    static const uint64_t rows[] = {0, 1, 65535, 65536, 1000000, LIVE_MAX_SLACK_BYTES};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct block block = {.superseded = 1};
        live_describe(&block, LIVE_MAX_SIZE_BYTES, rows[i], UINT32_MAX, UINT32_MAX);
        assert_int_equal(live_slack(&block), rows[i]);
        assert_true(block.size_bytes == LIVE_MAX_SIZE_BYTES);
        assert_true(block.site == UINT32_MAX);
        assert_int_equal(block.thread, LIVE_THREAD_MASK);
        assert_int_equal(block.superseded, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_adds_and_takes_agree_with_a_plain_array),
        cmocka_unit_test(block_of_many_takes_at_most_72_bytes),
        cmocka_unit_test(big_tables_keep_their_blocks_as_they_grow),
        cmocka_unit_test(runs_stay_short_whatever_the_distance),
        cmocka_unit_test(block_already_there_is_shown),
        cmocka_unit_test(address_zero_is_never_there),
        cmocka_unit_test(slack_is_kept_exactly_up_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
