/* SPDX-License-Identifier: MIT */
#include "report/cells.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static void cells_are_said_in_their_unit(void **state)
{
    (void)state;
    static const struct profile_frame stripped = {"", "", "/lib/a\nb.so", 0x10, 0, false};
    static char foreign[] = "a\tb\xff";
    static const struct {
        struct view_cell cell;
        const char *words;
    } rows[] = {
        {{.unit = UNIT_NONE, .integer = 7}, ""},
        {{.unit = UNIT_BAR, .real = 0.5}, ""},
        {{.unit = UNIT_COUNT, .integer = 12345}, "12,345"},
        {{.unit = UNIT_BYTES, .integer = 12345}, "12.3 kB"},
        {{.unit = UNIT_NS, .integer = 12345}, "12.3 us"},
        {{.unit = UNIT_SHARE, .real = 0.5}, "50.0 %"},
        {{.unit = UNIT_SECONDS, .real = 2}, "2.00 s"},
        {{.unit = UNIT_TEXT, .text = foreign}, "a\\x09b\\xff"},
        {{.unit = UNIT_TEXT}, ""},
        {{.unit = UNIT_FRAME, .frame = &stripped}, "a\\x0ab.so+0x10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        cells_add(&out, &rows[i].cell, false);
        assert_string_equal(buffer_string(&out), rows[i].words);
        buffer_fini(&out);
    }
}

static void words_stand_left_and_numbers_right(void **state)
{
    (void)state;
    assert_true(cells_is_left(UNIT_TEXT) && cells_is_left(UNIT_FRAME) && cells_is_left(UNIT_BAR));
    assert_false(cells_is_left(UNIT_COUNT) || cells_is_left(UNIT_SHARE) || cells_is_left(UNIT_NS));
}

static void lines_about_the_run_are_escaped(void **state)
{
    (void)state;
    struct profile profile = *profile_fixture();
    profile.trace_name = "a\033b.hwt";
    struct buffer out = {0};
    cells_add_run(&out, &profile, false);
    assert_string_equal(buffer_string(&out), "demo --input 'two words.txt' '\\x1b]0;title\\x07'");
    buffer_reset(&out);
    cells_add_facts(&out, &profile, false);
    assert_string_equal(buffer_string(&out),
                        "2026-01-31T12:00:00Z, 1.50 s, exit status 1, trace a\\x1bb.hwt");
    buffer_reset(&out);
    cells_add_summary(&out, &profile);
    assert_string_equal(
        buffer_string(&out),
        "1.50 s, 91,321 calls (60,881/s), peak 1.68 MB, leaked 87.1 kB, 0 events lost");
    buffer_fini(&out);
}

static void scope_names_a_process_that_is_there(void **state)
{
    (void)state;
    static const struct {
        uint32_t id;
        const char *words;
    } rows[] = {{0, ""}, {2, "figures of process 2 alone: demo --child"}, {99, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        cells_add_scope(&out, profile_fixture(), rows[i].id, false);
        assert_string_equal(buffer_string(&out), rows[i].words);
        buffer_fini(&out);
    }
}

static void sums_of_damaged_totals_do_not_wrap(void **state)
{
    (void)state;
    struct profile damaged = *profile_fixture_empty();
    damaged.totals.alloc_count = damaged.totals.realloc_count = UINT64_MAX;
    struct buffer out = {0};
    cells_add_summary(&out, &damaged);
    assert_string_equal(buffer_string(&out), "0 ns, 18,446,744,073,709,551,615 calls (0/s), peak "
                                             "0 B, leaked 0 B, 0 events lost");
    buffer_fini(&out);
}

static void kernel_is_met_when_nothing_is_missing(void **state)
{
    (void)state;
    static const struct {
        uint64_t seen_reads, loader_reads, seen_writes;
        bool known, comparable, met;
    } rows[] = {
        {7, 3, 5, true, true, true},    {10, 0, 5, true, true, true},
        {10, 0, 5, true, false, false}, {10, 0, 5, false, true, false},
        {9, 0, 5, true, true, false},   {11, 0, 5, true, true, false},
        {10, 0, 4, true, true, false},  {10, UINT64_MAX, 5, true, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct kernel_io io = {.known = rows[i].known,
                                     .comparable = rows[i].comparable,
                                     .read_calls = 10,
                                     .write_calls = 5,
                                     .seen_read_calls = rows[i].seen_reads,
                                     .seen_write_calls = rows[i].seen_writes,
                                     .loader_read_calls = rows[i].loader_reads};
        assert_int_equal(cells_kernel_is_met(&io), rows[i].met);
    }
}

static void io_is_summed_up_where_it_was_recorded(void **state)
{
    (void)state;
    struct buffer out = {0};
    cells_add_io_summary(&out, profile_fixture());
    assert_string_equal(buffer_string(&out),
                        "read 5.92 MB in 1,402 calls, wrote 115 kB in 672, 81.3 ms in I/O");
    buffer_reset(&out);
    cells_add_io_summary(&out, profile_fixture_empty());
    assert_string_equal(buffer_string(&out), "");
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_said_in_their_unit),
        cmocka_unit_test(words_stand_left_and_numbers_right),
        cmocka_unit_test(lines_about_the_run_are_escaped),
        cmocka_unit_test(scope_names_a_process_that_is_there),
        cmocka_unit_test(sums_of_damaged_totals_do_not_wrap),
        cmocka_unit_test(kernel_is_met_when_nothing_is_missing),
        cmocka_unit_test(io_is_summed_up_where_it_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
