/* SPDX-License-Identifier: MIT */
/* The sections of input and output. */
#include "report/sections.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct report_options options = {.top = 10, .stacks = 5};

typedef int builder(const struct profile *, const struct report_options *, struct view *);

static const char *last(const struct view *view, size_t row)
{
    assert_true(row < view->n_rows);
    const struct view_row *at = &view->rows[row];
    const struct view_cell *cell = &at->cells[at->n_cells - 1];
    return cell->unit == UNIT_FRAME ? cell->frame->function : cell->text;
}

/* Index of the first row that ends with these words. */
static size_t find(const struct view *view, const char *words)
{
    for (size_t i = 0; i < view->n_rows; i++)
        if (view->rows[i].n_cells == view->n_columns && strcmp(last(view, i), words) == 0)
            return i;
    fail_msg("no row '%s'", words);
    return 0;
}

static size_t count_heads(const struct view *view)
{
    size_t n = 0;
    for (size_t i = 0; i < view->n_rows; i++)
        n += view->rows[i].kind == VIEW_ROW_HEAD;
    return n;
}

static void places_are_ordered_by_time(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_hot_io(profile_fixture(), &options, &view), 0);
    assert_string_equal(last(&view, 0), "xmalloc");
    assert_true(view.rows[0].cells[0].integer >= 68999999 &&
                view.rows[0].cells[0].integer <= 69000000);
    assert_int_equal(view.rows[0].cells[2].integer, 1655);
    assert_int_equal(view.rows[0].cells[3].integer, 4095000 + 107196 + 500);
    uint64_t before = UINT64_MAX;
    for (size_t i = 0; i < view.n_rows; i++) {
        if (view.rows[i].kind != VIEW_ROW_HEAD)
            continue;
        assert_true(view.rows[i].cells[0].integer <= before);
        before = view.rows[i].cells[0].integer;
    }
    /* A copy inside the kernel is one call here. */
    assert_int_equal(view.rows[find(&view, "parse_file")].kind, VIEW_ROW_BRANCH);
    assert_true(find(&view, "[no stack]") > 0);
    view_fini(&view);
}

static void sort_by_a_metric_of_io_orders_places_and_files(void **state)
{
    (void)state;
    static const struct {
        builder *build;
        const char *sort, *first;
        uint64_t value; /* in the first column; 0: not looked at */
    } rows[] = {
        {view_hot_io, "io_read_bytes", "xmalloc", 4095000},
        {view_hot_io, "io_write_calls", "xmalloc", 650},
        {view_hot_io, "leaked_bytes", "xmalloc", 0},
        {view_files, "io_write_calls", "/tmp/\033[31mevil\n|<b>\xff", 0},
        {view_files, "stat_count", "/etc/demo.conf", 0},
        {view_files, NULL, "/var/lib/demo/demo.db", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report_options sorted = {
            .top = 10, .stacks = 5, .sort = rows[i].sort ? metrics_find(rows[i].sort) : NULL};
        struct view view;
        assert_int_equal(rows[i].build(profile_fixture(), &sorted, &view), 0);
        assert_string_equal(last(&view, 0), rows[i].first);
        if (rows[i].value)
            assert_int_equal(view.rows[0].cells[0].integer, rows[i].value);
        view_fini(&view);
    }
}

static void a_metric_that_is_nowhere_says_so(void **state)
{
    (void)state;
    struct view view;
    const struct report_options sorted = {.stacks = 5, .sort = metrics_find("seek_count")};
    assert_int_equal(view_hot_io(profile_fixture(), &sorted, &view), 0);
    assert_int_equal(view.n_rows, 0);
    assert_string_equal(view.notes[0], "0 everywhere");
    view_fini(&view);
}

static void files_that_were_not_used_are_summed_up(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_files(profile_fixture(), &options, &view), 0);
    assert_int_equal(count_heads(&view), 6);
    assert_int_equal(view.n_notes, 1);
    assert_string_equal(view.notes[0],
                        "2 more names neither read nor written: 1 open, 9 failed opens, 38 stats");
    const struct view_row *row = &view.rows[find(&view, "/srv/demo/data/input, \"big\".csv")];
    assert_int_equal(row->cells[1].integer, 1002);
    assert_int_equal(row->cells[2].integer, 4102304);
    assert_string_equal(last(&view, find(&view, "read 4.0 times over") + 1),
                        "4 opens, 4 stats, 3 seeks");
    view_fini(&view);
}

static void top_limits_every_section(void **state)
{
    (void)state;
    static const struct {
        builder *build;
        size_t rows; /* heads, or rows of a plain table */
        const char *note;
    } rows[] = {
        {view_hot_io, 1, "3 more places"},
        {view_files, 1, "5 more files not shown; --top 0 shows all"},
        {view_slowest_calls, 1, NULL},
        {view_flushes, 1, NULL},
        {view_blocking, 0, "2 more threads not shown; --top 0 shows all"},
        {view_open_descriptors, 1, NULL},
    };
    const struct report_options top = {.has_top = true, .top = 1, .stacks = 5};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view view;
        assert_int_equal(rows[i].build(profile_fixture(), &top, &view), 0);
        assert_int_equal(count_heads(&view), rows[i].rows);
        if (rows[i].rows == 0)
            assert_int_equal(view.n_rows, 1);
        if (rows[i].note)
            assert_int_equal(strncmp(view.notes[0], rows[i].note, strlen(rows[i].note)), 0);
        view_fini(&view);
    }
}

static void flushes_are_syncs_and_small_writes_of_stdio(void **state)
{
    (void)state;
    struct view view;
    static const struct {
        struct io_site site;
        bool shown;
    } rows[] = {
        {{.op = "fsync", .calls = 1}, true},
        {{.op = "write", .writes = true, .calls = 9, .sizes = {.p50 = 10, .n = 9}}, false},
        {{.op = "write",
          .layer = IO_LAYER_STDIO,
          .writes = true,
          .calls = 9,
          .sizes = {.p50 = 10, .n = 9}},
         true},
        {{.op = "write",
          .layer = IO_LAYER_STDIO,
          .writes = true,
          .calls = 9,
          .sizes = {.p50 = 4096, .n = 9}},
         false},
        {{.op = "write", /* the last one, at the exit: every stream has it */
          .layer = IO_LAYER_STDIO,
          .writes = true,
          .calls = 1,
          .sizes = {.p50 = 10, .n = 1}},
         false},
        {{.op = "read",
          .layer = IO_LAYER_STDIO,
          .reads = true,
          .calls = 9,
          .sizes = {.p50 = 10, .n = 9}},
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile one = *profile_fixture();
        struct io_site site = rows[i].site;
        site.path = "";
        one.io_sites = &site;
        one.n_io_sites = 1;
        assert_int_equal(view_flushes(&one, &options, &view), 0);
        assert_int_equal(view.n_rows > 0, rows[i].shown);
        view_fini(&view);
    }
}

static void slowest_calls_tell_when_where_and_on_what(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_slowest_calls(profile_fixture(), &options, &view), 0);
    assert_int_equal(count_heads(&view), 3);
    assert_true(view.rows[0].cells[0].real == 0.012);
    assert_string_equal(view.rows[0].cells[2].text, "4711");
    assert_string_equal(last(&view, 1), "/var/lib/demo/demo.db");
    assert_string_equal(view.rows[1].cells[view.rows[1].n_cells - 1].lead, "fsync: ");
    assert_string_equal(last(&view, 2), "cache_put");
    const struct view_row *const without_stack = &view.rows[view.n_rows - 1];
    assert_string_equal(without_stack->cells[without_stack->n_cells - 1].lead, "write");
    view_fini(&view);
}

static void threads_tell_their_share(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_blocking(profile_fixture(), &options, &view), 0);
    assert_int_equal(view.n_rows, 3);
    assert_true(view.rows[0].cells[1].real > 0.0501 && view.rows[0].cells[1].real < 0.0503);
    assert_string_equal(last(&view, 0), "4711 demo, process 1");
    assert_string_equal(last(&view, 2), "4712, process 2");
    view_fini(&view);
}

static void closed_descriptors_are_not_listed(void **state)
{
    (void)state;
    struct view view;
    assert_int_equal(view_open_descriptors(profile_fixture(), &options, &view), 0);
    assert_int_equal(count_heads(&view), 1);
    assert_int_equal(view.rows[0].cells[0].integer, 4);
    assert_int_equal(view.rows[0].cells[2].integer, 10);
    view_fini(&view);
}

static builder *const builders[] = {view_hot_io,  view_files,    view_slowest_calls,
                                    view_flushes, view_blocking, view_open_descriptors};

static void sections_without_io_are_left_out(void **state)
{
    (void)state;
    struct profile none = *profile_fixture();
    none.n_io_sites = none.n_io_files = none.n_io_openers = 0;
    none.n_io_slow_calls = none.n_io_threads = 0;
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        struct view view;
        assert_int_equal(builders[i](&none, &options, &view), 0);
        assert_int_equal(view.n_rows + view.n_notes, 0);
        view_fini(&view);
    }
}

/* Numbers that cannot be, frames outside of the table, and names a page long. */
static void damaged_io_does_no_harm(void **state)
{
    (void)state;
    static const uint32_t outside[] = {0, 4000000000u, 1};
    char name[5000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const struct io_site site = {.id = "1",
                                 .n_frames = 3,
                                 .frames = outside,
                                 .place = 77,
                                 .op = name,
                                 .path = name,
                                 .n_files = 1,
                                 .calls = UINT64_MAX,
                                 .bytes = UINT64_MAX,
                                 .seconds = __builtin_inf(),
                                 .logical_calls = UINT64_MAX,
                                 .pattern = {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    const struct io_file file = {.path = name,
                                 .read_calls = UINT64_MAX,
                                 .read_bytes = UINT64_MAX,
                                 .unique_read_bytes = 1,
                                 .seconds = __builtin_nan("")};
    const struct io_slow_call call = {
        .seconds = -1, .op = name, .path = name, .n_frames = 3, .frames = outside, .place = 1};
    const struct io_opener opener = {
        .op = name, .path = name, .open_at_end = UINT64_MAX, .n_frames = 3, .frames = outside};
    const struct io_thread thread = {.name = name, .seconds = __builtin_inf()};
    struct profile damaged = *profile_fixture();
    damaged.io_sites = &site;
    damaged.io_files = &file;
    damaged.io_slow_calls = &call;
    damaged.io_openers = &opener;
    damaged.io_threads = &thread;
    damaged.n_io_sites = damaged.n_io_files = damaged.n_io_openers = 1;
    damaged.n_io_slow_calls = damaged.n_io_threads = 1;
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        struct view view;
        assert_int_equal(builders[i](&damaged, &options, &view), 0);
        view_fini(&view);
    }
    for (size_t i = 0; i < report_n_formats(); i++) {
        FILE *out = fopen("/dev/null", "we");
        assert_non_null(out);
        assert_int_equal(report_emit(report_format_at(i), &damaged, &options, out), 0);
        fclose(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_ordered_by_time),
        cmocka_unit_test(sort_by_a_metric_of_io_orders_places_and_files),
        cmocka_unit_test(a_metric_that_is_nowhere_says_so),
        cmocka_unit_test(files_that_were_not_used_are_summed_up),
        cmocka_unit_test(top_limits_every_section),
        cmocka_unit_test(flushes_are_syncs_and_small_writes_of_stdio),
        cmocka_unit_test(slowest_calls_tell_when_where_and_on_what),
        cmocka_unit_test(threads_tell_their_share),
        cmocka_unit_test(closed_descriptors_are_not_listed),
        cmocka_unit_test(sections_without_io_are_left_out),
        cmocka_unit_test(damaged_io_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
