/* SPDX-License-Identifier: MIT */
/* Which module an address belongs to while libraries come and go. */
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

#include "reader/modmap.h"

static void load(struct modmap *map, uint32_t object, uint64_t start, uint64_t end)
{
    const struct module module = {.start = start, .end = end, .bias = start, .object = object};
    assert_int_equal(modmap_add(map, &module), 0);
}

static uint32_t now(struct modmap *map, uint64_t address)
{
    const struct module *const module = modmap_now(map, address);
    return module ? module->object : 0;
}

static void last_loaded_one_that_covers_wins(void **state)
{
    (void)state;
    struct modmap map = {0};
    assert_int_equal(now(&map, 0x1000), 0);
    load(&map, 1, 0x1000, 0x2000);
    load(&map, 2, 0x3000, 0x4000);
    assert_int_equal(now(&map, 0x1000), 1);
    assert_int_equal(now(&map, 0x1fff), 1);
    assert_int_equal(now(&map, 0x2000), 0);
    assert_int_equal(now(&map, 0x3fff), 2);
    assert_int_equal(map.generation, 0);
    load(&map, 3, 0x1800, 0x2800);
    assert_int_equal(map.generation, 1);
    assert_int_equal(now(&map, 0x1000), 1);
    assert_int_equal(now(&map, 0x1800), 3);
    assert_int_equal(now(&map, 0x17ff), 1);
    assert_int_equal(now(&map, 0x1fff), 3);
    modmap_fini(&map);
}

static void address_before_its_module_belongs_to_the_next_one(void **state)
{
    (void)state;
    struct modmap map = {0};
    load(&map, 1, 0x1000, 0x2000);
    load(&map, 2, 0x5000, 0x6000);
    load(&map, 3, 0x5000, 0x7000);
    assert_int_equal(modmap_later(&map, 1, 0x5800)->object, 2);
    assert_int_equal(modmap_later(&map, 2, 0x5800)->object, 3);
    assert_int_equal(modmap_later(&map, 0, 0x6800)->object, 3);
    assert_null(modmap_later(&map, 3, 0x5800));
    assert_null(modmap_later(&map, 0, 0x9000));
    modmap_fini(&map);
}

static void modules_are_bounded(void **state)
{
    (void)state;
    struct modmap map = {.n_modules = MODMAP_MAX_MODULES};
    const struct module module = {.start = 1, .end = 2};
    assert_int_equal(modmap_add(&map, &module), -E2BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_loaded_one_that_covers_wins),
        cmocka_unit_test(address_before_its_module_belongs_to_the_next_one),
        cmocka_unit_test(modules_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
