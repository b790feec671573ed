/* SPDX-License-Identifier: MIT */
/* Whether what a storage hands out is zeroed, apart and aligned. */
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

#include "reader/storage.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4000, 65000, 70000, 3, 1 << 20, 8};
    struct storage storage = {0};
    for (size_t round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *const piece = storage_new(&storage, sizes[i]);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % 16, 0);
            for (size_t j = 0; j < sizes[i]; j++)
                assert_int_equal(piece[j], 0);
            memset(piece, 0xff, sizes[i]);
        }
    storage_fini(&storage);
    storage_fini(&storage);
}

static void big_pieces_are_zeroed_and_given_back(void **state)
{
    (void)state;
    enum { BIG = 5 << 20 };
    for (size_t round = 0; round < 3; round++) {
        struct storage storage = {0};
        unsigned char *const small = storage_new(&storage, 100);
        unsigned char *const big = storage_new(&storage, BIG + round);
        assert_true(small && big);
        for (size_t i = 0; i < BIG; i += 511)
            assert_int_equal(big[i], 0);
        memset(big, 0xff, BIG + round);
        assert_int_equal(small[99], 0);
        storage_fini(&storage);
    }
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct storage storage = {0};
    assert_null(storage_array(&storage, SIZE_MAX / 4, 8));
    assert_null(storage_new(&storage, SIZE_MAX - 4));
    storage_fini(&storage);
}

static void text_ends_at_its_first_nul(void **state)
{
    (void)state;
    struct storage storage = {0};
    assert_string_equal(storage_text(&storage, "ab\0cd", 5), "ab");
    assert_string_equal(storage_text(&storage, "abcd", 3), "abc");
    assert_string_equal(storage_text(&storage, "", 0), "");
    storage_fini(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(big_pieces_are_zeroed_and_given_back),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(text_ends_at_its_first_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
