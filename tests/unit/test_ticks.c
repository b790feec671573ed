/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/ticks.h"

static void clocks_go_forward_together(void **state)
{
    (void)state;
    for (int tsc = 0; tsc <= ticks_tsc_is_usable(); tsc++) {
        const struct ticks_moment first = ticks_moment_now(tsc);
        const uint64_t between = ticks_now(tsc);
        const struct ticks_moment second = ticks_moment_now(tsc);
        assert_true(first.ticks <= between && between <= second.ticks);
        assert_true(first.monotonic_ns <= second.monotonic_ns);
        assert_true(second.realtime_ns > INT64_C(1600000000000000000)); /* after 2020 */
    }
}

static void without_the_tsc_ticks_are_nanoseconds(void **state)
{
    (void)state;
    const uint64_t before_ns = ticks_monotonic_ns();
    const uint64_t ticks = ticks_now(false);
    assert_true(before_ns <= ticks && ticks <= ticks_monotonic_ns());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward_together),
        cmocka_unit_test(without_the_tsc_ticks_are_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
