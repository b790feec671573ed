/* SPDX-License-Identifier: MIT */
#include "findings/show.h"
#include "tests/support/findings_fixture.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void fixture_gives_the_golden_document(void **state)
{
    (void)state;
    const struct show_options options = {.root = "/src"};
    char *text = findings_fixture_show("markdown", findings_fixture(), &options);
    profile_fixture_compare("findings.md", text);
    free(text);
}

static void names_are_no_markup(void **state)
{
    (void)state;
    const struct profile_frame frame = {
        .function = "a|b<script>[x](y)\n# c", .file = "d|e.c", .module = "m", .line = 1};
    char *text = findings_fixture_show("markdown", findings_fixture_of_frame(&frame),
                                       &(struct show_options){0});
    assert_null(strstr(text, "<script>"));
    assert_null(strstr(text, "[x](y)"));
    assert_null(strstr(text, "\n# c"));
    assert_null(strstr(text, "d|e"));
    free(text);
}

static void no_command_ends_its_fence(void **state)
{
    (void)state;
    char *text = findings_fixture_show("markdown", findings_fixture(), &(struct show_options){0});
    assert_non_null(strstr(text, "````sh\nheapwise run -- ```\n````\n"));
    free(text);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_document),
        cmocka_unit_test(names_are_no_markup),
        cmocka_unit_test(no_command_ends_its_fence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
