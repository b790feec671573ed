/* SPDX-License-Identifier: MIT */
/* Whether ids are found again after any growth. */
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

#include "reader/idmap.h"

static void every_key_keeps_its_value(void **state)
{
    (void)state;
    struct idmap map = {0};
    assert_int_equal(idmap_get(&map, 7), 0);
    for (uint64_t i = 0; i < 5000; i++)
        assert_int_equal(idmap_put(&map, i * UINT64_C(0x100000001), (uint32_t)i + 1), 0);
    assert_int_equal(map.n_used, 5000);
    for (uint64_t i = 0; i < 5000; i++)
        assert_int_equal(idmap_get(&map, i * UINT64_C(0x100000001)), i + 1);
    assert_int_equal(idmap_get(&map, 12345678), 0);
    idmap_fini(&map);
}

static void later_value_replaces_the_earlier(void **state)
{
    (void)state;
    struct idmap map = {0};
    assert_int_equal(idmap_put(&map, 0, 1), 0);
    assert_int_equal(idmap_put(&map, 0, 2), 0);
    assert_int_equal(idmap_get(&map, 0), 2);
    assert_int_equal(map.n_used, 1);
    idmap_fini(&map);
    idmap_fini(&map);
}

static void joined_maps_have_the_keys_of_both(void **state)
{
    (void)state;
    struct idmap set = {0}, other = {0};
    assert_int_equal(idmap_join(&set, &other), 0);
    assert_int_equal(set.n_used, 0);
    idmap_put(&set, 1, 1);
    for (uint64_t i = 0; i < 100; i++)
        idmap_put(&other, i, 7);
    assert_int_equal(idmap_join(&set, &other), 0);
    assert_int_equal(set.n_used, 100);
    assert_int_equal(idmap_get(&set, 99), 1);
    assert_int_equal(other.n_used, 100);
    idmap_fini(&set);
    idmap_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_keeps_its_value),
        cmocka_unit_test(joined_maps_have_the_keys_of_both),
        cmocka_unit_test(later_value_replaces_the_earlier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
