/* SPDX-License-Identifier: MIT */
#include "report/site_tree.h"

#include "report/sections.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A wrapper called from many places: frame 0 is the wrapper, 1..N_CALLERS its callers, the last main. */
enum { N_CALLERS = 20, MAIN = N_CALLERS + 1, N_FRAMES = N_CALLERS + 2 };

static struct profile_frame frames[N_FRAMES];
static char names[N_FRAMES][16];
static uint32_t stacks[N_CALLERS][3];
static struct site sites[N_CALLERS];
static struct profile profile = {
    .n_sites = N_CALLERS, .sites = sites, .n_frames = N_FRAMES, .frames = frames};

static int setup(void **state)
{
    (void)state;
    profile.totals = (struct metrics){0};
    for (uint32_t i = 0; i < N_FRAMES; i++) {
        snprintf(names[i], sizeof names[i], i == MAIN ? "main" : i ? "caller_%u" : "wrapper", i);
        frames[i] = (struct profile_frame){names[i], "a.c", "/bin/x", i, i + 1, false};
    }
    for (uint32_t i = 0; i < N_CALLERS; i++) {
        memcpy(stacks[i], (uint32_t[]){0, i + 1, MAIN}, sizeof stacks[i]);
        sites[i] = (struct site){
            .n_frames = 3, .frames = stacks[i], .metrics = {.alloc_count = 1000 - 10 * i}};
        profile.totals.alloc_count += sites[i].metrics.alloc_count;
    }
    return 0;
}

static size_t count_rows(const struct view *view, enum view_row_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < view->n_rows; i++)
        n += view->rows[i].kind == kind;
    return n;
}

static void callers_beyond_the_budget_become_one_row(void **state)
{
    (void)state;
    const struct report_options options = {.has_top = true, .top = 10, .stacks = 5};
    struct view view;
    assert_int_equal(view_most_calls(&profile, &options, &view), 0);
    /* The wrapper has all calls, so twice five callers, and one row for the others. */
    assert_int_equal(count_rows(&view, VIEW_ROW_BRANCH), 11);
    const struct view_row *rest = &view.rows[view.n_rows - 1];
    assert_string_equal(rest->cells[rest->n_cells - 1].text, "10 more callers");
    uint64_t shown = 0;
    for (size_t i = 1; i < view.n_rows; i++)
        shown += view.rows[i].cells[0].integer;
    assert_int_equal(shown, profile.totals.alloc_count);
    view_fini(&view);
}

static void all_callers_are_shown_when_asked_for(void **state)
{
    (void)state;
    const struct report_options options = {.stacks = 0};
    struct view view;
    assert_int_equal(view_most_calls(&profile, &options, &view), 0);
    assert_int_equal(count_rows(&view, VIEW_ROW_BRANCH), N_CALLERS);
    assert_true(view.rows[view.n_rows - 2].last);
    view_fini(&view);
}

static void a_caller_with_nearly_all_is_no_fork(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_CALLERS; i++)
        sites[i].metrics.alloc_count = i == 7 ? 1000000 : 1;
    const struct report_options some = {.stacks = 5}, all = {.stacks = 0};
    struct view view;
    assert_int_equal(view_most_calls(&profile, &some, &view), 0);
    assert_string_equal(view.rows[1].cells[view.rows[1].n_cells - 1].frame->function, "caller_8");
    assert_int_equal(count_rows(&view, VIEW_ROW_BRANCH), 2);
    view_fini(&view);
    assert_int_equal(view_most_calls(&profile, &all, &view), 0);
    assert_int_equal(count_rows(&view, VIEW_ROW_BRANCH), N_CALLERS);
    view_fini(&view);
}

static void where_the_budget_ends_the_largest_is_followed(void **state)
{
    (void)state;
    const struct report_options options = {.stacks = 1};
    profile.totals.alloc_count *= 10; /* less than half of all: one path only */
    struct view view;
    assert_int_equal(view_most_calls(&profile, &options, &view), 0);
    assert_int_equal(count_rows(&view, VIEW_ROW_HEAD), 1);
    assert_int_equal(count_rows(&view, VIEW_ROW_BRANCH), 2);
    view_fini(&view);
}

static void sums_stay_at_their_limit(void **state)
{
    (void)state;
    assert_true(site_tree_add(1, 2) == 3);
    assert_true(site_tree_add(UINT64_MAX, 2) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(callers_beyond_the_budget_become_one_row, setup),
        cmocka_unit_test_setup(all_callers_are_shown_when_asked_for, setup),
        cmocka_unit_test_setup(a_caller_with_nearly_all_is_no_fork, setup),
        cmocka_unit_test_setup(where_the_budget_ends_the_largest_is_followed, setup),
        cmocka_unit_test(sums_stay_at_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
