/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct profile *profile)
{
    const struct report_options options = {.stacks = 5};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(report_emit(report_find_format("markdown"), profile, &options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void fixture_gives_the_golden_page(void **state)
{
    (void)state;
    char *text = print(profile_fixture());
    profile_fixture_compare("report.md", text);
    free(text);
}

static void markup_in_names_is_escaped(void **state)
{
    (void)state;
    char *text = print(profile_fixture());
    assert_non_null(strstr(text, "evil\\\\x1b\\[31m\\\\x0aname\\|&lt;b&gt;\\`x\\`"));
    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, "parse.c:88<br>through fopen"));
    free(text);
}

/* Bars that are not escaped divide cells: each row of a table must have as many as its title. */
static void every_row_of_a_table_has_the_same_cells(void **state)
{
    (void)state;
    char *text = print(profile_fixture());
    size_t wanted = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t bars = 0;
        for (const char *at = line; *line == '|' && *at; at++)
            bars += *at == '|' && (at == line || at[-1] != '\\');
        if (bars > 0 && wanted > 0 && bars != wanted)
            fail_msg("%zu cells, not %zu: %s", bars, wanted, line);
        wanted = bars;
    }
    free(text);
}

static void empty_profile_gives_notes(void **state)
{
    (void)state;
    char *text = print(profile_fixture_empty());
    assert_non_null(strstr(text, "\n## MOST CALLS\n"));
    assert_non_null(strstr(text, "\n- no allocation was recorded\n"));
    free(text);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_page),
        cmocka_unit_test(markup_in_names_is_escaped),
        cmocka_unit_test(every_row_of_a_table_has_the_same_cells),
        cmocka_unit_test(empty_profile_gives_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
