/* SPDX-License-Identifier: MIT */
/* Medians, least and most of a few runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replay/spread.h"

static void the_middle_is_found_in_any_order(void **state)
{
    static const struct {
        double values[5];
        size_t n;
        double median, least, most;
    } rows[] = {
        {{7}, 1, 7, 7, 7},
        {{3, 1}, 2, 2, 1, 3},
        {{9, 1, 5}, 3, 5, 1, 9},
        {{4, 4, 1, 100}, 4, 4, 1, 100},
        {{0, 0, 0, 0, 1000}, 5, 0, 0, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double values[5];
        memcpy(values, rows[i].values, sizeof values);
        const struct replay_spread spread = spread_of(values, rows[i].n);
        assert_true(spread.median == rows[i].median);
        assert_true(spread.least == rows[i].least);
        assert_true(spread.most == rows[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_is_found_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
