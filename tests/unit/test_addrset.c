/* SPDX-License-Identifier: MIT */
/* Whether a set of addresses holds what it should while it shrinks. */
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

#include "reader/addrset.h"

static void each_address_is_taken_once(void **state)
{
    (void)state;
    struct addrset set = {0};
    assert_false(addrset_take(&set, 16));
    for (uint64_t i = 1; i <= 10000; i++)
        assert_int_equal(addrset_add(&set, i * 16), 0);
    assert_int_equal(addrset_add(&set, 16), 0);
    assert_int_equal(set.n_used, 10000);
    for (uint64_t i = 1; i <= 10000; i += 2)
        assert_true(addrset_take(&set, i * 16));
    for (uint64_t i = 1; i <= 10000; i++)
        assert_int_equal(addrset_take(&set, i * 16), i % 2 == 0);
    assert_int_equal(set.n_used, 0);
    assert_false(addrset_take(&set, 0));
    addrset_fini(&set);
}

static void another_set_joins(void **state)
{
    (void)state;
    struct addrset a = {0}, b = {0};
    addrset_add(&a, 16);
    addrset_add(&b, 16);
    addrset_add(&b, 32);
    assert_int_equal(addrset_add_all(&a, &b), 0);
    assert_int_equal(a.n_used, 2);
    assert_true(addrset_take(&a, 32));
    addrset_fini(&a);
    addrset_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_taken_once),
        cmocka_unit_test(another_set_joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
