/* SPDX-License-Identifier: MIT */
#include "report/csv.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

static void texts_are_quoted_where_a_reader_would_split_them(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *cell;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"a,b", "\"a,b\""},
        {"a;b", "\"a;b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
        {" leading", "\" leading\""},
        {"=1+1", "'=1+1"},
        {"-rf, /", "\"'-rf, /\""},
        {"new\nline", "new\\x0aline"},
        {"\xff", "\\xff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = NULL;
        size_t size = 0;
        struct csv table = {.out = open_memstream(&text, &size), .first = true};
        assert_non_null(table.out);
        csv_text(&table, rows[i].raw);
        assert_int_equal(fclose(table.out), 0);
        assert_false(table.failed);
        assert_string_equal(text, rows[i].cell);
        free(text);
    }
}

static void cells_are_parted_and_lines_ended(void **state)
{
    (void)state;
    static const char *const words[] = {"two", "two words"};
    char *text = NULL;
    size_t size = 0;
    struct csv table = {.out = open_memstream(&text, &size), .first = true};
    assert_non_null(table.out);
    csv_number(&table, 7);
    csv_empty(&table, 2);
    csv_metric(&table, (struct metric_value){.present = true, .is_real = true, .real = 0.5});
    csv_metric(&table, (struct metric_value){0});
    csv_end_row(&table);
    csv_empty(&table, 1);
    csv_command(&table, words, 2);
    csv_place(&table, NULL);
    csv_end_row(&table);
    assert_int_equal(fclose(table.out), 0);
    assert_string_equal(text, "7,,,0.5,\r\n,two 'two words',[no stack],,,\r\n");
    free(text);
}

/* ';' parts frames, so none may hold one. */
static void stacks_are_folded(void **state)
{
    (void)state;
    static const struct profile_frame frames[] = {{"in;ner", "", "", 0, 0, false},
                                                  {"main", "", "", 0, 0, false}};
    static const uint32_t stack[] = {0, 1, 77};
    const struct profile profile = {.n_frames = 2, .frames = frames};
    const struct site site = {.n_frames = 3, .frames = stack};
    char *text = NULL;
    size_t size = 0;
    struct csv table = {.out = open_memstream(&text, &size), .first = true};
    assert_non_null(table.out);
    csv_stack(&table, &profile, &site);
    assert_int_equal(fclose(table.out), 0);
    assert_string_equal(text, "\";main;in:ner\"");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_quoted_where_a_reader_would_split_them),
        cmocka_unit_test(cells_are_parted_and_lines_ended),
        cmocka_unit_test(stacks_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
