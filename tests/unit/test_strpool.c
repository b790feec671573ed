/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/strpool.h"

static void same_text_gives_the_same_pointer(void **state)
{
    (void)state;
    struct strpool pool = {0};
    const char *first = strpool_keep(&pool, "malloc", 6);
    assert_string_equal(first, "malloc");
    assert_ptr_equal(strpool_keep(&pool, "malloc_usable_size", 6), first);
    assert_ptr_not_equal(strpool_keep(&pool, "mallo", 5), first);
    assert_ptr_not_equal(strpool_keep(&pool, "mallocx", 7), first);
    assert_int_equal(pool.n_used, 3);
    strpool_fini(&pool);
}

static void pointers_survive_growth(void **state)
{
    (void)state;
    enum { N = 5000 };
    static const char *kept[N];
    struct strpool pool = {0};
    char text[32];
    for (int i = 0; i < N; i++) {
        const int n = snprintf(text, sizeof text, "name %d", i);
        kept[i] = strpool_keep(&pool, text, (size_t)n);
    }
    for (int i = 0; i < N; i++) {
        const int n = snprintf(text, sizeof text, "name %d", i);
        assert_string_equal(kept[i], text);
        assert_ptr_equal(strpool_keep(&pool, text, (size_t)n), kept[i]);
    }
    assert_int_equal(pool.n_used, N);
    strpool_fini(&pool);
}

static void empty_text_needs_no_memory(void **state)
{
    (void)state;
    struct strpool pool = {0};
    assert_string_equal(strpool_keep(&pool, "", 0), "");
    assert_string_equal(strpool_keep(&pool, "\0x", 2), "");
    assert_int_equal(pool.n_slots, 0);
    strpool_fini(&pool);
    strpool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_text_gives_the_same_pointer),
        cmocka_unit_test(pointers_survive_growth),
        cmocka_unit_test(empty_text_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
