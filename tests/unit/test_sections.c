/* SPDX-License-Identifier: MIT */
#include "report/sections.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const struct report_options options = {.top = 10, .stacks = 5};

static void builders_give_the_section_of_their_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sections_count(); i++) {
        struct view view;
        assert_int_equal(sections_build(i, profile_fixture(), &options, &view), 0);
        assert_string_equal(view.id, sections_at(i)->id);
        view_fini(&view);
    }
    assert_null(sections_at(sections_count()));
}

static void what_was_lost_comes_first(void **state)
{
    (void)state;
    assert_string_equal(sections_at(0)->id, "coverage");
}

/* An emitter may rely on it: the last cell of a row in a tree is a frame or words, numbers before it. */
static void every_row_has_the_shape_of_its_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sections_count(); i++) {
        struct view view;
        assert_int_equal(sections_build(i, profile_fixture(), &options, &view), 0);
        for (size_t r = 0; r < view.n_rows; r++) {
            const struct view_row *row = &view.rows[r];
            assert_true(row->n_cells <= view.n_columns);
            if (row->kind != VIEW_ROW_PLAIN)
                assert_int_equal(row->n_cells, view.n_columns);
            if (row->kind == VIEW_ROW_HEAD)
                assert_int_equal(row->depth, 0);
            if (row->kind == VIEW_ROW_BRANCH)
                assert_true(r > 0 && row->depth > 0 && view.rows[r - 1].depth + 1 >= row->depth);
        }
        view_fini(&view);
    }
}

static void last_branches_are_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sections_count(); i++) {
        struct view view;
        assert_int_equal(sections_build(i, profile_fixture(), &options, &view), 0);
        for (size_t r = 0; r < view.n_rows; r++) {
            if (view.rows[r].kind != VIEW_ROW_BRANCH)
                continue;
            size_t next = r + 1;
            while (next < view.n_rows && (view.rows[next].depth > view.rows[r].depth ||
                                          view.rows[next].kind == VIEW_ROW_CHAIN))
                next++;
            const bool sibling = next < view.n_rows && view.rows[next].kind == VIEW_ROW_BRANCH &&
                                 view.rows[next].depth == view.rows[r].depth;
            assert_int_equal(view.rows[r].last, !sibling);
        }
        view_fini(&view);
    }
}

static void empty_profile_gives_no_rows_of_sites(void **state)
{
    (void)state;
    for (size_t i = 0; i < sections_count(); i++) {
        struct view view;
        assert_int_equal(sections_build(i, profile_fixture_empty(), &options, &view), 0);
        if (strcmp(view.id, "rates") != 0)
            assert_int_equal(view.n_rows, 0);
        view_fini(&view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_give_the_section_of_their_row),
        cmocka_unit_test(what_was_lost_comes_first),
        cmocka_unit_test(every_row_has_the_shape_of_its_columns),
        cmocka_unit_test(last_branches_are_marked),
        cmocka_unit_test(empty_profile_gives_no_rows_of_sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
