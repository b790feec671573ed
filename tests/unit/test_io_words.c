/* SPDX-License-Identifier: MIT */
#include "report/io_words.h"

#include "report/io_stacks.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { ROOM = 2000 };

/* All rows' words, with '|' between them. */
static void join(const struct view *view, char text[ROOM])
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t r = 0; r < view->n_rows; r++) {
        const struct view_cell *const cell = &view->rows[r].cells[0];
        assert_int_equal(view->rows[r].kind, VIEW_ROW_CHAIN);
        n += (size_t)snprintf(text + n, ROOM - n, "%s%s%s", r ? "|" : "",
                              cell->lead ? cell->lead : "", cell->text);
        assert_true(n < ROOM);
    }
}

static void expect_of_sites(const struct io_site *sites, size_t n, const char *expected)
{
    const struct profile profile = {.io_recorded = true, .n_io_sites = n, .io_sites = sites};
    struct io_stacks stacks;
    struct view view;
    char text[ROOM];
    const struct site *range_sites[40];
    assert_true(n <= 40);
    assert_int_equal(io_stacks_of_sites(&profile, NULL, &stacks), 0);
    for (size_t i = 0; i < n; i++)
        range_sites[i] = &stacks.profile.sites[i];
    const struct calltree_range range = {range_sites, n, 0};
    view_init(&view, "", "", "");
    view_column(&view, "words", "", UNIT_TEXT);
    io_words_of_place(&stacks.profile, &range, &view);
    assert_false(view.failed);
    join(&view, text);
    assert_string_equal(text, expected);
    view_fini(&view);
    io_stacks_fini(&stacks);
}

static void one_site_tells_call_file_size_and_time(void **state)
{
    (void)state;
    static const struct {
        struct io_site site;
        const char *words;
    } rows[] = {
        {{.op = "read",
          .reads = true,
          .path = "/a",
          .n_files = 1,
          .calls = 3,
          .sizes = {.p50 = 4096, .p99 = 4096, .n = 3},
          .latency_ns = {.p50 = 1200, .p99 = 8100, .n = 100}},
         "read: /a|median 4.10 kB in 1.20 us, p99 8.10 us"},
        {{.op = "fsync", .path = "/a", .n_files = 1, .calls = 1, .latency_ns = {.p50 = 10, .n = 1}},
         "fsync: /a|10 ns"},
        {{.op = "fsync",
          .path = "/a",
          .n_files = 1,
          .calls = 9,
          .latency_ns = {.p50 = 10, .max = 20, .n = 9}},
         "fsync: /a|median 10 ns, max 20 ns"},
        {{.op = "write", .path = "", .n_files = 12, .calls = 1}, "write: 12 files"},
        {{.op = "write", .path = "", .n_files = 0, .calls = 1}, "write"},
        {{.op = "write",
          .layer = IO_LAYER_STDIO,
          .path = "/a",
          .n_files = 1,
          .calls = 8,
          .logical_calls = 1000},
         "write by stdio: /a|1,000 stdio calls, 125 per write"},
        {{.op = "write",
          .layer = IO_LAYER_STDIO,
          .path = "/a",
          .n_files = 1,
          .calls = 2,
          .logical_calls = 3},
         "write by stdio: /a|3 stdio calls, 1.5 per write"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_of_sites(&rows[i].site, 1, rows[i].words);
}

static void remarks_are_made_where_a_number_speaks(void **state)
{
    (void)state;
    static const struct {
        struct io_site site;
        const char *words;
    } rows[] = {
        {{.calls = 100, .sizes = {.min = 1, .p50 = 1, .p99 = 1, .max = 1, .n = 100}},
         "op|median 1 B|all of 1 byte"},
        {{.calls = 100, .sizes = {.min = 1, .p50 = 1, .p99 = 1, .max = 900, .n = 100}},
         "op|median 1 B|99 % of 1 byte"},
        {{.calls = 100, .sizes = {.min = 2, .p50 = 4, .p99 = 64, .max = 900, .n = 100}},
         "op|median 4 B|99 % of at most 64 bytes"},
        {{.calls = 9, .sizes = {.min = 1, .p50 = 1, .p99 = 1, .max = 1, .n = 9}}, "op|median 1 B"},
        {{.calls = 100, .pattern = {10, 0, 90}}, "op|90.0 % at random positions"},
        {{.calls = 100, .pattern = {95, 5, 0}}, "op"},
        {{.calls = 100, .single_calls = 98, .fresh_calls = 99},
         "op|98.0 % use a block for that call only"},
        {{.calls = 100, .fresh_calls = 50}, "op|50.0 % use a block not used before"},
        {{.calls = 100, .inner_allocs = 1000}, "op|1,000 blocks allocated inside stdio"},
        {{.calls = 180, .inner_allocs = 3}, "op"}, /* every stream has its buffer */
        {{.calls = 1, .copied_bytes = 5000}, "op|5.00 kB passed on as they were read"},
        {{.calls = 3, .failed = 3, .would_block = 1, .interrupted = 2}, "op|1 EAGAIN, 2 EINTR"},
        {{.calls = 10, .failed = 1}, "op|1 failed"},
        {{.calls = 10, .empty = 5, .short_calls = 6}, "op|50.0 % moved nothing"},
        {{.calls = 10, .short_calls = 1000}, "op|100.0 % moved less than asked for"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct io_site site = rows[i].site;
        site.op = "op";
        site.path = "";
        expect_of_sites(&site, 1, rows[i].words);
    }
}

static void stacks_of_one_place_are_told_together(void **state)
{
    (void)state;
    const struct io_site sites[] = {
        {.op = "read", .path = "/a", .n_files = 1, .calls = 2, .seconds = 1},
        {.op = "write", .path = "", .n_files = 5, .calls = 3, .seconds = 9},
        {.op = "read",
         .path = "/a",
         .n_files = 1,
         .calls = 4,
         .seconds = 2,
         .sizes = {.p50 = 7, .n = 1}},
        {.op = "write", .path = "/b", .n_files = 1, .calls = 5, .seconds = 1},
    };
    expect_of_sites(sites, 4, "8 write: several files|6 read: /a|median 7 B");
}

/* Percentiles cannot be added, but those of the parts are bounds for those of the whole. */
static void several_stacks_bound_the_median_of_all(void **state)
{
    (void)state;
    const struct io_site sites[] = {
        {.op = "read",
         .path = "/a",
         .n_files = 1,
         .calls = 90,
         .sizes = {.p50 = 72, .p99 = 80, .max = 80, .n = 90},
         .latency_ns = {.p50 = 1200, .p99 = 2000, .max = 3000, .n = 90}},
        {.op = "read",
         .path = "/a",
         .n_files = 1,
         .calls = 10,
         .sizes = {.p50 = 4096, .p99 = 4096, .max = 4096, .n = 10},
         .latency_ns = {.p50 = 5000, .p99 = 9000, .max = 9000, .n = 10}},
    };
    expect_of_sites(sites, 2,
                    "read: /a|median 72 B to 4.10 kB in 1.20 us to 5.00 us|p99 at most 9.00 us");
}

static void many_kinds_are_summed_up(void **state)
{
    (void)state;
    char names[40][8];
    struct io_site sites[40];
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "op%zu", i);
        sites[i] =
            (struct io_site){.op = names[i], .path = "", .calls = 100, .seconds = i == 10 ? 9 : 1};
    }
    expect_of_sites(sites, 40, "100 op10|100 op0|100 op1|3,700 calls of other kinds");
}

static void files_tell_what_is_remarkable(void **state)
{
    (void)state;
    static const struct {
        struct io_file file;
        const char *words;
    } rows[] = {
        {{.opens = 1, .read_bytes = 100, .unique_read_bytes = 100}, ""},
        {{.read_bytes = 400, .unique_read_bytes = 100}, "read 4.0 times over"},
        {{.read_bytes = 400}, ""}, /* not known */
        {{.opens = 3, .failed_opens = 1, .stats = 2}, "3 opens, 1 failed open, 2 stats"},
        {{.fsyncs = 1, .sync_seconds = 0.002}, "1 sync, 2.00 ms"},
        {{.turns = 12}, "12 turns between reading and writing"},
        {{.pattern = {1, 1, 98}}, "98.0 % at random positions"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view view;
        char text[ROOM];
        view_init(&view, "", "", "");
        view_column(&view, "words", "", UNIT_TEXT);
        io_words_of_file(&rows[i].file, &view);
        join(&view, text);
        assert_string_equal(text, rows[i].words);
        view_fini(&view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_site_tells_call_file_size_and_time),
        cmocka_unit_test(remarks_are_made_where_a_number_speaks),
        cmocka_unit_test(stacks_of_one_place_are_told_together),
        cmocka_unit_test(several_stacks_bound_the_median_of_all),
        cmocka_unit_test(many_kinds_are_summed_up),
        cmocka_unit_test(files_tell_what_is_remarkable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
