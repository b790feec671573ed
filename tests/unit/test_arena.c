/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "preload/arena.h"

/* Every case takes from the same arena; the last one uses it up. */

static void memory_is_aligned_zeroed_and_ours(void **state)
{
    static const struct {
        size_t n_bytes, alignment, expected;
    } rows[] = {{1, 0, 16}, {24, 8, 16}, {100, 64, 64}, {0, 16, 16}, {10, 4096, 4096}};
    const uint8_t *end = arena_memory;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *const at = arena_take(rows[i].n_bytes, rows[i].alignment);

        assert_non_null(at);
        assert_true(at >= end);
        assert_int_equal((uintptr_t)at % rows[i].expected, 0);
        assert_true(arena_owns(at));
        assert_int_equal(arena_usable_bytes(at), rows[i].n_bytes);
        for (size_t k = 0; k < rows[i].n_bytes; k++)
            assert_int_equal(at[k], 0);
        memset(at, 0xff, rows[i].n_bytes);
        end = at + rows[i].n_bytes;
    }
    assert_true(end <= arena_memory + ARENA_BYTES);
}

static void other_addresses_are_not_ours(void **state)
{
    int on_stack;
    (void)state;

    assert_false(arena_owns(&on_stack));
    assert_false(arena_owns(NULL));
    assert_false(arena_owns(arena_memory - 1));
    assert_false(arena_owns(arena_memory + ARENA_BYTES));
}

static void growing_keeps_the_content(void **state)
{
    char *const small = arena_take(6, 0);
    (void)state;

    strcpy(small, "hello");
    assert_ptr_equal(arena_resize(small, 3), small);
    char *const large = arena_resize(small, 1000);
    assert_ptr_not_equal(large, small);
    assert_string_equal(large, "hello");
    assert_int_equal(arena_usable_bytes(large), 1000);
}

static void what_cannot_fit_is_refused_and_takes_nothing(void **state)
{
    (void)state;
    assert_null(arena_take(SIZE_MAX, 16));
    assert_null(arena_take(ARENA_BYTES + 1, 16));
    assert_null(arena_take(16, (size_t)ARENA_BYTES * 2));
    assert_null(arena_take(ARENA_BYTES, 16)); /* its prefix does not fit beside it */
    assert_non_null(arena_take(16, 16));
}

enum { N_THREADS = 4, N_PIECES = 200 };

/* What a thread fills its pieces with. */
static uint8_t value_of(uint8_t **pieces)
{
    return (uint8_t)((uintptr_t)pieces / (N_PIECES * sizeof *pieces));
}

static void *take_pieces(void *pieces_out)
{
    uint8_t **const pieces = pieces_out;
    for (unsigned i = 0; i < N_PIECES; i++) {
        pieces[i] = arena_take(1 + i % 40, 0);
        memset(pieces[i], value_of(pieces), 1 + i % 40);
    }
    return NULL;
}

static void threads_share_without_overlap(void **state)
{
    static uint8_t *pieces[N_THREADS][N_PIECES];
    pthread_t threads[N_THREADS];
    (void)state;
    for (unsigned t = 0; t < N_THREADS; t++)
        pthread_create(&threads[t], NULL, take_pieces, pieces[t]);
    for (unsigned t = 0; t < N_THREADS; t++)
        pthread_join(threads[t], NULL);
    for (unsigned t = 0; t < N_THREADS; t++)
        for (unsigned i = 0; i < N_PIECES; i++)
            for (unsigned k = 0; k < 1 + i % 40; k++)
                assert_int_equal(pieces[t][i][k], value_of(pieces[t]));
}

static void an_empty_arena_gives_null(void **state)
{
    size_t n = 0;
    (void)state;
    while (arena_take(1000, 16))
        n++;
    assert_true(n > 50);
    assert_true(n * 1000 < ARENA_BYTES);
    assert_null(arena_take(1000, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_zeroed_and_ours),
        cmocka_unit_test(other_addresses_are_not_ours),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(what_cannot_fit_is_refused_and_takes_nothing),
        cmocka_unit_test(threads_share_without_overlap),
        cmocka_unit_test(an_empty_arena_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
