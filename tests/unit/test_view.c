/* SPDX-License-Identifier: MIT */
#include "report/view.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void rows_hold_the_cells_that_were_added(void **state)
{
    (void)state;
    struct view view;
    view_init(&view, "id", "TITLE", "subtitle");
    view_column(&view, "a", "A", UNIT_COUNT);
    view_column(&view, "b", "B", UNIT_TEXT);
    view_row(&view, VIEW_ROW_PLAIN, 0, false);
    view_integer(&view, UNIT_COUNT, 7);
    view_text(&view, "seven");
    view_text(&view, "one cell too many is left out");
    view_row(&view, VIEW_ROW_BRANCH, 1, true);
    view_skip(&view);
    assert_false(view.failed);
    assert_int_equal(view.n_rows, 2);
    assert_int_equal(view.rows[0].n_cells, 2);
    assert_int_equal(view.rows[0].cells[0].integer, 7);
    assert_string_equal(view.rows[0].cells[1].text, "seven");
    assert_int_equal(view.rows[1].cells[0].unit, UNIT_NONE);
    view_fini(&view);
}

static void many_rows_and_notes_are_kept(void **state)
{
    (void)state;
    struct view view;
    view_init(&view, "id", "TITLE", "");
    view_column(&view, "a", "A", UNIT_COUNT);
    for (unsigned i = 0; i < 1000; i++) {
        view_row(&view, VIEW_ROW_PLAIN, 0, false);
        view_integer(&view, UNIT_COUNT, i);
        view_note(&view, "note %u", i);
    }
    assert_int_equal(view.n_rows, 1000);
    assert_int_equal(view.rows[999].cells[0].integer, 999);
    assert_string_equal(view.notes[500], "note 500");
    view_fini(&view);
}

static void too_many_columns_fail_the_view(void **state)
{
    (void)state;
    struct view view;
    view_init(&view, "id", "TITLE", "");
    for (int i = 0; i <= VIEW_MAX_COLUMNS; i++)
        view_column(&view, "a", "A", UNIT_COUNT);
    assert_true(view.failed);
    view_fini(&view);
    view_fini(&view);
}

static void cells_without_a_row_are_ignored(void **state)
{
    (void)state;
    struct view view;
    view_init(&view, "id", "TITLE", "");
    view_text(&view, "nowhere");
    assert_int_equal(view.n_rows, 0);
    view_fini(&view);
}

static void share_of_nothing_is_zero(void **state)
{
    (void)state;
    assert_true(view_share(1, 0) == 0);
    assert_true(view_share(1, 4) == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_the_cells_that_were_added),
        cmocka_unit_test(many_rows_and_notes_are_kept),
        cmocka_unit_test(too_many_columns_fail_the_view),
        cmocka_unit_test(cells_without_a_row_are_ignored),
        cmocka_unit_test(share_of_nothing_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
