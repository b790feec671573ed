/* SPDX-License-Identifier: MIT */
#include "findings/freed.h"
#include "tests/support/findings_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void shares_are_of_the_frees_seen(void **state)
{
    (void)state;
    const struct findings *const findings = findings_fixture();
    const struct finding *const pool = findings->ranked[0];
    const struct site_habits *const habits = freed_habits(pool);
    assert_true(freed_percent(pool, &habits->freed_at[0]).value == 75);
    assert_true(freed_by_same_function(pool, findings->profile).value == 75);
    assert_true(freed_by_other_thread(pool).value == 25);
    assert_string_equal(freed_frame(&habits->freed_at[0], findings->profile)->function,
                        "parse_line");
}

static void what_was_not_recorded_is_unknown(void **state)
{
    (void)state;
    const struct findings *const findings = findings_fixture();
    for (size_t i = 1; i < findings->n; i++) { /* no habits; no site at all */
        assert_false(freed_by_same_function(findings->ranked[i], findings->profile).known);
        assert_false(freed_by_other_thread(findings->ranked[i]).known);
    }
    assert_null(freed_frame(&(struct freed_at){0}, findings->profile));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_of_the_frees_seen),
        cmocka_unit_test(what_was_not_recorded_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
