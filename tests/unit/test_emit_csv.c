/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct profile *profile, struct report_options options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(report_emit(report_find_format("csv"), profile, &options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Fields of the record at *at, which moves behind its CRLF; 0 at the end of the text. */
static size_t count_fields(const char **at)
{
    if (!**at)
        return 0;
    size_t n = 1;
    bool quoted = false;
    for (; quoted || strncmp(*at, "\r\n", 2) != 0; ++*at) {
        assert_true(**at != '\0');
        quoted ^= **at == '"';
        n += !quoted && **at == ',';
    }
    *at += 2;
    return n;
}

static void fixture_gives_the_golden_table(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){0});
    profile_fixture_compare("report.csv", text);
    free(text);
}

static void every_record_has_the_columns_of_the_first(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){0});
    const char *at = text;
    const size_t columns = count_fields(&at);
    size_t records = 0, n = 0;
    while ((n = count_fields(&at)) > 0) {
        assert_int_equal(n, columns);
        records++;
    }
    assert_int_equal(records, 1 + 2 + 8 + 7 + 8 + 3 + 3); /* io_site, file, slow_call, thread */
    free(text);
}

static void formulas_are_defused(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){0});
    assert_non_null(strstr(text, ",\"'=cmd(\"\"calc\"\")\","));
    assert_non_null(strstr(text, ",'+sheet.c,"));
    free(text);
}

static void stack_is_folded_from_the_outside_in(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){.has_top = true, .top = 1});
    assert_non_null(
        strstr(text, "\"_start;__libc_start_call_main;main;parse_file;parse_line;xmalloc\"\r\n"));
    assert_null(strstr(text, "00000000000000a2"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_table),
        cmocka_unit_test(every_record_has_the_columns_of_the_first),
        cmocka_unit_test(formulas_are_defused),
        cmocka_unit_test(stack_is_folded_from_the_outside_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
