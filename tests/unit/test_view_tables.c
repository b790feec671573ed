/* SPDX-License-Identifier: MIT */
/* The sections that are plain tables: rates, sizes, lifetimes, processes. */
#include "report/sections.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct report_options options = {.top = 10, .stacks = 5};

static const struct view_row *find_row(const struct view *view, const char *first)
{
    for (size_t i = 0; i < view->n_rows; i++)
        if (view->rows[i].cells[0].text && strcmp(view->rows[i].cells[0].text, first) == 0)
            return &view->rows[i];
    fail_msg("no row '%s'", first);
    return NULL;
}

static void rates_show_every_total(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint64_t value;
    } rows[] = {
        {"allocations", 89821},
        {"reallocations", 1500},
        {"frees", 89810},
        {"temporary", 59100},
        {"requested", 30966144},
        {"peak heap", 1678816},
        {"slack at peak", 12104},
        {"peak RSS", 5000000},
        {"leaked", 87104},
        {"mapped", 8192000},
        {"reads", 1402},
        {"writes", 672},
        {"stdio calls", 60300},
        {"syncs", 5},
        {"opens", 19},
        {"seeks", 3},
        {"stats", 42},
    };
    struct view view;
    assert_int_equal(view_rates(profile_fixture(), &options, &view), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(find_row(&view, rows[i].what)->cells[1].integer, rows[i].value);
    assert_string_equal(find_row(&view, "leaked")->cells[3].text, "14 blocks never freed");
    assert_string_equal(find_row(&view, "reads")->cells[3].text, "5.92 MB, 3.95 MB/s");
    view_fini(&view);
}

static void shares_of_sums_are_of_sums(void **state)
{
    (void)state;
    static const struct process processes[] = {
        {.id = 1, .totals = {.peak_bytes = 1000, .slack_bytes = 100, .mapped_peak_bytes = 4096}},
        {.id = 2, .totals = {.peak_bytes = 600, .slack_bytes = 300, .mapped_peak_bytes = 8192}},
    };
    struct profile profile = *profile_fixture();
    profile.processes = processes;
    profile.n_processes = 2;
    profile.totals.peak_bytes = 1000;
    profile.totals.slack_bytes = 400;
    profile.totals.mapped_peak_bytes = 12288;
    struct view view;
    assert_int_equal(view_rates(&profile, &options, &view), 0);
    assert_string_equal(find_row(&view, "slack at peak")->cells[3].text,
                        "25.0 % on top, each process at its own peak");
    assert_string_equal(find_row(&view, "mapped")->cells[3].text,
                        "anonymous; all processes' peaks: 12.3 kB");
    view_fini(&view);
}

static bool has_row(const struct view *view, const char *first)
{
    for (size_t i = 0; i < view->n_rows; i++)
        if (strcmp(view->rows[i].cells[0].text, first) == 0)
            return true;
    return false;
}

static void rates_of_a_short_run_claim_no_busiest_second(void **state)
{
    (void)state;
    struct profile brief = *profile_fixture();
    struct view view;
    brief.totals.duration_seconds = 0.003;
    brief.peak_seconds = 0.002;
    brief.peak_rss_bytes = 0;
    brief.n_processes = 1;
    assert_int_equal(view_rates(&brief, &options, &view), 0);
    assert_int_equal(find_row(&view, "allocations")->n_cells, 3);
    assert_int_equal(find_row(&view, "requested")->n_cells, 3);
    assert_non_null(strstr(find_row(&view, "peak heap")->cells[3].text, "after 2.00 ms"));
    assert_false(has_row(&view, "peak RSS"));
    view_fini(&view);
}

static void rates_of_an_empty_run_are_zero(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_rates(profile_fixture_empty(), &options, &view), 0);
    assert_true(find_row(&view, "frees")->cells[2].real == 0);
    view_fini(&view);
}

static void rates_tell_io_only_where_it_was_recorded(void **state)
{
    (void)state;
    struct profile old = *profile_fixture();
    struct view view;
    old.io_recorded = false;
    assert_int_equal(view_rates(&old, &options, &view), 0);
    assert_false(has_row(&view, "reads"));
    assert_false(has_row(&view, "I/O time"));
    view_fini(&view);
    old.io_recorded = true;
    old.totals.io_read_calls = old.totals.fsync_count = 0;
    assert_int_equal(view_rates(&old, &options, &view), 0);
    assert_true(has_row(&view, "reads"));
    assert_false(has_row(&view, "syncs"));
    view_fini(&view);
}

static void sizes_are_shares_of_all_calls(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_sizes(profile_fixture(), &options, &view), 0);
    assert_int_equal(view.n_rows, 4);
    double sum = 0;
    for (size_t i = 0; i < view.n_rows; i++)
        sum += view.rows[i].cells[2].real;
    assert_true(sum > 0.999 && sum < 1.001);
    assert_string_equal(view.rows[0].cells[0].text, "1-16");
    assert_string_equal(view.rows[3].cells[0].text, "1024");
    assert_int_equal(view.rows[2].cells[5].unit, UNIT_NONE); /* nothing was freed there */
    view_fini(&view);
}

static void lifetimes_begin_with_all_blocks(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_lifetimes(profile_fixture(), &options, &view), 0);
    assert_int_equal(view.rows[0].cells[0].integer, 89807);
    assert_int_equal(view.rows[1].cells[0].integer, 60000);
    uint64_t before = UINT64_MAX;
    for (size_t i = 1; i < view.n_rows; i++) {
        if (view.rows[i].kind != VIEW_ROW_HEAD)
            continue;
        assert_true(view.rows[i].cells[0].integer <= before);
        before = view.rows[i].cells[0].integer;
    }
    view_fini(&view);
}

static void lifetimes_keep_to_the_top(void **state)
{
    (void)state;
    const struct report_options top = {.has_top = true, .top = 2};
    struct view view;
    size_t heads = 0;
    assert_int_equal(view_lifetimes(profile_fixture(), &top, &view), 0);
    for (size_t i = 0; i < view.n_rows; i++)
        heads += view.rows[i].kind == VIEW_ROW_HEAD;
    assert_int_equal(heads, 2);
    view_fini(&view);
}

/* Whether a row of the view ends with these words, or with this function. */
static bool has_last(const struct view *view, const char *words)
{
    for (size_t i = 0; i < view->n_rows; i++) {
        const struct view_cell *const last = &view->rows[i].cells[view->rows[i].n_cells - 1];
        if ((last->text && strcmp(last->text, words) == 0) ||
            (last->frame && strcmp(last->frame->function, words) == 0))
            return true;
    }
    return false;
}

static void lifetimes_show_what_tells_stacks_apart(void **state)
{
    (void)state;
    static const struct profile_frame frames[] = {
        {"make", "s.h", "/bin/x", 1, 1, false}, {"grow", "", "/bin/x", 2, 0, false},
        {"append", "", "/bin/x", 3, 0, false},  {"parse", "", "/bin/x", 4, 0, false},
        {"line", "", "/bin/x", 5, 0, false},    {"main", "", "/bin/x", 6, 0, false},
        {"parse", "", "/bin/x", 7, 0, false},
    };
    static const uint32_t plain[] = {1, 2, 3, 4, 5}, direct[] = {1, 2, 3, 5};
    static const uint32_t again[] = {1, 2, 6, 4, 5}, inner[] = {0, 0, 1, 2, 3, 4, 5};
    const struct site sites[] = {
        {.n_frames = 5, .frames = plain, .lifetime_ns.n = 4},
        {.n_frames = 4, .frames = direct, .lifetime_ns.n = 3},
        {.n_frames = 5, .frames = again, .lifetime_ns.n = 2},
        {.n_frames = 7, .frames = inner, .place = 2, .lifetime_ns.n = 1},
    };
    const struct profile alike = {
        .n_sites = 4, .sites = sites, .n_frames = 7, .frames = frames, .lifetime_ns.n = 10};
    struct view view;
    assert_int_equal(view_lifetimes(&alike, &options, &view), 0);
    assert_true(has_last(&view, "line"));
    assert_true(has_last(&view, "at x+0x4 in parse"));
    assert_true(has_last(&view, "at x+0x7 in parse"));
    assert_true(has_last(&view, "through make"));
    view_fini(&view);
}

static void one_process_needs_no_table(void **state)
{
    (void)state;
    struct profile one = *profile_fixture();
    one.n_processes = 1;
    struct view view;
    assert_int_equal(view_processes(&one, &options, &view), 0);
    assert_int_equal(view.n_rows, 0);
    view_fini(&view);
}

static void processes_stand_below_their_parents(void **state)
{
    (void)state;
    static const struct process tree[] = {
        {.id = 1, .pid = 10, .allocator = ""},
        {.id = 2, .parent_id = 1, .pid = 11, .allocator = ""},
        {.id = 3, .parent_id = 1, .pid = 12, .allocator = ""},
        {.id = 4, .parent_id = 2, .pid = 13, .allocator = ""},
        {.id = 5, .parent_id = 99, .pid = 14, .allocator = ""}, /* parent unknown */
        {.id = 6, .parent_id = 6, .pid = 15, .allocator = ""},  /* its own parent */
    };
    static const struct {
        uint32_t id, depth;
        bool last;
    } rows[] = {{1, 0, false}, {2, 1, false}, {4, 2, true},
                {3, 1, true},  {5, 0, false}, {6, 0, true}};
    struct profile forest = *profile_fixture();
    forest.processes = tree;
    forest.n_processes = sizeof tree / sizeof *tree;
    struct view view;
    assert_int_equal(view_processes(&forest, &options, &view), 0);
    assert_int_equal(view.n_rows, forest.n_processes);
    for (size_t i = 0; i < view.n_rows; i++) {
        assert_int_equal(view.rows[i].cells[0].integer, rows[i].id);
        assert_int_equal(view.rows[i].depth, rows[i].depth);
        assert_int_equal(view.rows[i].last, rows[i].last);
    }
    view_fini(&view);
}

static void a_long_line_of_descendants_is_bounded(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct process *line = calloc(N, sizeof *line);
    assert_non_null(line);
    for (uint32_t i = 0; i < N; i++)
        line[i] = (struct process){.id = i + 1, .parent_id = i, .allocator = ""};
    struct profile deep = *profile_fixture();
    deep.processes = line;
    deep.n_processes = N;
    const struct report_options all = {.has_top = true, .top = 0};
    struct view view;
    assert_int_equal(view_processes(&deep, &all, &view), 0);
    assert_true(view.n_rows > 10 && view.n_rows <= N);
    view_fini(&view);
    free(line);
}

static void status_names_exit_and_signal(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_processes(profile_fixture(), &options, &view), 0);
    assert_string_equal(view.rows[0].cells[2].text, "1");
    assert_string_equal(view.rows[1].cells[2].text, "SIGSEGV");
    assert_non_null(strstr(view.rows[0].cells[7].text, "after 1 exec: demo"));
    view_fini(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_show_every_total),
        cmocka_unit_test(shares_of_sums_are_of_sums),
        cmocka_unit_test(rates_of_a_short_run_claim_no_busiest_second),
        cmocka_unit_test(rates_of_an_empty_run_are_zero),
        cmocka_unit_test(rates_tell_io_only_where_it_was_recorded),
        cmocka_unit_test(sizes_are_shares_of_all_calls),
        cmocka_unit_test(lifetimes_begin_with_all_blocks),
        cmocka_unit_test(lifetimes_keep_to_the_top),
        cmocka_unit_test(lifetimes_show_what_tells_stacks_apart),
        cmocka_unit_test(one_process_needs_no_table),
        cmocka_unit_test(processes_stand_below_their_parents),
        cmocka_unit_test(a_long_line_of_descendants_is_bounded),
        cmocka_unit_test(status_names_exit_and_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
