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
    struct freed_row rows[HABITS_FREED_AT];
    assert_int_equal(freed_list(pool, findings->profile, rows), 2);
    assert_true(rows[0].percent == 75 && rows[1].percent == 25);
    assert_true(freed_by_same_function(pool, findings->profile).value == 75);
    assert_true(freed_by_other_thread(pool).value == 25);
    assert_string_equal(rows[0].frame->function, "parse_line");
}

static void what_was_not_recorded_is_unknown(void **state)
{
    (void)state;
    const struct findings *const findings = findings_fixture();
    for (size_t i = 1; i < findings->n; i++) { /* no habits; no site at all */
        assert_false(freed_by_same_function(findings->ranked[i], findings->profile).known);
        assert_false(freed_by_other_thread(findings->ranked[i]).known);
    }
}

/* parse() frees from two stacks; a function without a name by two calls. */
static void stacks_of_one_place_are_one_row(void **state)
{
    (void)state;
    static const struct profile_frame frames[] = {
        {"parse", "a.c", "/bin/a", 0x10, 7}, {"main", "a.c", "/bin/a", 0x20, 9},
        {"parse", "a.c", "/bin/a", 0x30, 7}, {"", "", "/bin/a", 0x40, 0},
        {"", "", "/bin/a", 0x50, 0},
    };
    static const uint32_t stacks[] = {0, 1, 2, 1, 3, 4};
    static const struct freed_at places[] = {{2, stacks + 1, 0, 4}, {2, stacks, 0, 3},
                                             {1, stacks + 2, 0, 2}, {1, stacks + 4, 0, 1},
                                             {1, stacks + 5, 0, 5}, {0, NULL, 0, 5}};
    const struct site_habits habits = {.freed_seen_count = 20, .n_freed_at = 6, .freed_at = places};
    const struct site site = {.habits = &habits};
    const struct finding finding = {.site = &site};
    const struct profile profile = {.frames = frames, .n_frames = 5};
    struct freed_row rows[HABITS_FREED_AT];
    assert_int_equal(freed_list(&finding, &profile, rows), 5);
    static const struct {
        const struct profile_frame *frame;
        double percent;
    } expected[] = {{NULL, 25}, {frames, 25}, {frames + 4, 25}, {frames + 1, 20}, {frames + 3, 5}};
    for (size_t i = 0; i < 5; i++) {
        assert_ptr_equal(rows[i].frame, expected[i].frame);
        assert_true(rows[i].percent == expected[i].percent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_of_the_frees_seen),
        cmocka_unit_test(what_was_not_recorded_is_unknown),
        cmocka_unit_test(stacks_of_one_place_are_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
