/* SPDX-License-Identifier: MIT */
#include "report/sections.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct report_options defaults = {.top = REPORT_TOP_TEXT, .stacks = REPORT_STACKS};

/* What stands in the last column of a row. */
static const char *words(const struct view *view, size_t row)
{
    assert_true(row < view->n_rows);
    const struct view_row *at = &view->rows[row];
    assert_int_equal(at->n_cells, view->n_columns);
    const struct view_cell *cell = &at->cells[at->n_cells - 1];
    return cell->unit == UNIT_FRAME ? cell->frame->function : cell->text;
}

static void places_are_ordered_by_calls_with_callers_below(void **state)
{
    (void)state;
    static const struct {
        enum view_row_kind kind;
        uint32_t depth;
        const char *words;
        uint64_t calls; /* 0: no figure */
    } rows[] = {
        {VIEW_ROW_HEAD, 0, "xmalloc", 85000},     {VIEW_ROW_BRANCH, 1, "parse_line", 60000},
        {VIEW_ROW_CHAIN, 1, "parse_file", 0},     {VIEW_ROW_CHAIN, 1, "main", 0},
        {VIEW_ROW_BRANCH, 1, "cache_put", 25000}, {VIEW_ROW_BRANCH, 2, "worker", 20000},
        {VIEW_ROW_BRANCH, 2, "parse_file", 5000}, {VIEW_ROW_CHAIN, 2, "main", 0},
    };
    struct view view;
    assert_int_equal(view_most_calls(profile_fixture(), &defaults, &view), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(view.rows[i].kind, rows[i].kind);
        assert_int_equal(view.rows[i].depth, rows[i].depth);
        assert_string_equal(words(&view, i), rows[i].words);
        assert_int_equal(view.rows[i].cells[0].integer, rows[i].calls);
    }
    assert_true(view.rows[0].cells[1].real > 0.93 && view.rows[0].cells[1].real < 0.931);
    view_fini(&view);
}

static void library_frames_below_the_place_are_named(void **state)
{
    (void)state;
    struct view view;
    size_t found = 0;
    assert_int_equal(view_most_calls(profile_fixture(), &defaults, &view), 0);
    for (size_t i = 0; i + 1 < view.n_rows; i++)
        if (view.rows[i].kind == VIEW_ROW_HEAD && strcmp(words(&view, i), "parse_file") == 0)
            found += strcmp(words(&view, i + 1), "through fopen") == 0;
    assert_int_equal(found, 1);
    view_fini(&view);
}

static void budget_of_stacks_is_kept(void **state)
{
    (void)state;
    for (size_t stacks = 1; stacks <= 6; stacks++) {
        const struct report_options options = {.has_top = true, .top = 1, .stacks = stacks};
        struct view view;
        size_t ends = 0;
        assert_int_equal(view_peak(profile_fixture(), &options, &view), 0);
        for (size_t i = 0; i < view.n_rows; i++)
            ends += view.rows[i].kind == VIEW_ROW_BRANCH && view.rows[i].depth > 0 &&
                    (i + 1 == view.n_rows || view.rows[i + 1].depth <= view.rows[i].depth);
        assert_true(ends <= 2 * stacks + 1); /* doubled for the largest, and one "more callers" */
        view_fini(&view);
    }
}

static void long_chains_are_folded(void **state)
{
    (void)state;
    const struct report_options all = {.has_top = true, .top = 0, .stacks = 5};
    struct view view;
    size_t folds = 0, levels = 0;
    assert_int_equal(view_leaks(profile_fixture(), &all, &view), 0);
    for (size_t i = 0; i < view.n_rows; i++) {
        folds += strcmp(words(&view, i), "... 7 more frames") == 0;
        levels += strncmp(words(&view, i), "level_", 6) == 0;
    }
    assert_int_equal(folds, 1);
    assert_int_equal(levels, 5);
    view_fini(&view);
}

static void leaks_of_others_are_left_to_notes(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_leaks(profile_fixture(), &defaults, &view), 0);
    assert_int_equal(view.rows[0].cells[0].integer, 10240);
    assert_true(view.rows[0].cells[1].real > 0.99); /* of the program's own leaks */
    for (size_t i = 0; i < view.n_rows; i++)
        assert_string_not_equal(words(&view, i), "[no stack]");
    assert_int_equal(view.n_notes, 2);
    assert_non_null(strstr(view.notes[0], "4.10 kB in 1 block that the C and C++ runtime"));
    assert_non_null(strstr(view.notes[1], "72.7 kB in 1 block suppressed"));
    view_fini(&view);
}

static void what_is_not_shown_is_summed_up(void **state)
{
    (void)state;
    const struct report_options options = {.has_top = true, .top = 2, .stacks = 5};
    struct view view;
    assert_int_equal(view_most_calls(profile_fixture(), &options, &view), 0);
    assert_int_equal(view.n_notes, 1);
    assert_string_equal(view.notes[0], "4 more places (2,321, 2.5 %) not shown; --top 0 shows all");
    view_fini(&view);
}

static void a_metric_with_a_section_is_not_sorted_twice(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        size_t notes_and_rows_at_least;
    } rows[] = {{"peak_bytes", 0}, {"temporary_count", 0}, {"copied_bytes", 1}, {"alloc_rate", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report_options options = {.sort = metrics_find(rows[i].metric), .stacks = 5};
        struct view view;
        assert_int_equal(view_sorted(profile_fixture(), &options, &view), 0);
        assert_int_equal(view.n_rows > 0, rows[i].notes_and_rows_at_least);
        view_fini(&view);
    }
}

/* Sites whose indices lie outside of the profile, and stacks as deep as they come. */
static void damaged_sites_do_no_harm(void **state)
{
    (void)state;
    enum { DEEP = 5000 };
    uint32_t *deep = calloc(DEEP, sizeof *deep);
    assert_non_null(deep);
    const uint32_t outside[] = {0, 4000000000u, 1};
    struct site sites[] = {
        {.id = "1", .n_frames = 3, .frames = outside, .place = 0, .metrics = {.alloc_count = 5}},
        {.id = "2", .n_frames = 3, .frames = outside, .place = 1, .metrics = {.alloc_count = 4}},
        {.id = "3",
         .n_frames = 3,
         .frames = outside,
         .place = 77,
         .metrics = {.alloc_count = UINT64_MAX}},
        {.id = "4", .n_frames = DEEP, .frames = deep, .place = 2, .metrics = {.alloc_count = 3}},
    };
    struct profile damaged = *profile_fixture();
    damaged.sites = sites;
    damaged.n_sites = sizeof sites / sizeof *sites;
    const struct report_options all = {.has_top = true, .top = 0, .stacks = 0};
    struct view view;
    assert_int_equal(view_most_calls(&damaged, &all, &view), 0);
    assert_true(view.n_rows > 4 && view.n_rows < 100);
    view_fini(&view);
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_ordered_by_calls_with_callers_below),
        cmocka_unit_test(library_frames_below_the_place_are_named),
        cmocka_unit_test(budget_of_stacks_is_kept),
        cmocka_unit_test(long_chains_are_folded),
        cmocka_unit_test(leaks_of_others_are_left_to_notes),
        cmocka_unit_test(what_is_not_shown_is_summed_up),
        cmocka_unit_test(a_metric_with_a_section_is_not_sorted_twice),
        cmocka_unit_test(damaged_sites_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
