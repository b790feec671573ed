/* SPDX-License-Identifier: MIT */
/* Order by key; equal keys keep the order they came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/hash.h"
#include "reader/keysort.h"

static void check(uint64_t (*key_of)(uint32_t i), uint32_t n)
{
    struct keysort_item *const items = calloc(n + (size_t)1, sizeof *items);
    assert_non_null(items);
    for (uint32_t i = 0; i < n; i++)
        items[i] = (struct keysort_item){.key = key_of(i), .value = i, .extra = ~i};
    assert_int_equal(keysort(items, n), 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(items[i].key, key_of(items[i].value));
        assert_int_equal(items[i].extra, ~items[i].value);
        if (i == 0)
            continue;
        assert_true(items[i - 1].key <= items[i].key);
        if (items[i - 1].key == items[i].key)
            assert_true(items[i - 1].value < items[i].value);
    }
    free(items);
}

static uint64_t spread(uint32_t i)
{
    return hash_mix(i);
}
static uint64_t few(uint32_t i)
{
    return hash_mix(i) % 7 << 40;
}
static uint64_t same(uint32_t i)
{
    (void)i;
    return UINT64_MAX;
}
static uint64_t falling(uint32_t i)
{
    return UINT64_MAX - i;
}

static void items_come_by_key_and_then_as_they_were(void **state)
{
    (void)state;
    static uint64_t (*const keys[])(uint32_t i) = {spread, few, same, falling};
    static const uint32_t sizes[] = {0, 1, 2, 31, 32, 33, 255, 257, 5000};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check(keys[k], sizes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_by_key_and_then_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
