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

static void fixture_gives_the_golden_page(void **state)
{
    (void)state;
    const struct show_options options = {.root = "/src", .width = 80, .utf8 = true};
    char *text = findings_fixture_show("text", findings_fixture(), &options);
    profile_fixture_compare("findings.txt", text);
    free(text);
}

static void colour_is_all_that_a_terminal_adds(void **state)
{
    (void)state;
    struct show_options options = {.width = 80, .utf8 = true};
    char *plain = findings_fixture_show("text", findings_fixture(), &options);
    options.colour = true;
    char *coloured = findings_fixture_show("text", findings_fixture(), &options);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strchr(coloured, '\033'));
    char *to = coloured;
    for (const char *from = coloured; *from;) {
        if (*from == '\033')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    }
    *to = 0;
    assert_string_equal(coloured, plain);
    free(plain);
    free(coloured);
}

static void lines_fit_the_page(void **state)
{
    (void)state;
    for (size_t width = 60; width <= 120; width += 20) {
        const struct show_options options = {.width = width, .utf8 = true};
        char *text = findings_fixture_show("text", findings_fixture(), &options);
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
            const size_t n = strcspn(line, "\n");
            const bool is_command =
                strncmp(line, "    verify", 10) == 0 || strncmp(line, "    numbers", 11) == 0;
            if (!is_command && n > width + 8) /* bytes, some of them of wide characters */
                fail_msg("%zu columns: %.*s", width, (int)n, line);
        }
        free(text);
    }
}

static void ascii_pages_are_ascii(void **state)
{
    (void)state;
    const struct show_options options = {.width = 80};
    char *text = findings_fixture_show("text", findings_fixture(), &options);
    for (const char *c = text; *c; c++)
        assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
    free(text);
}

static void silence_says_what_was_looked_for(void **state)
{
    (void)state;
    const struct show_options options = {.width = 80};
    char *text = findings_fixture_show("text", findings_fixture_empty(), &options);
    assert_non_null(strstr(text, "no findings"));
    assert_non_null(strstr(text, rules_at(0)->name));
    assert_non_null(strstr(text, "were not recorded"));
    free(text);
}

/* GitHub's and Azure's logs obey such lines, also behind blanks. */
static void no_line_begins_as_a_workflow_command_does(void **state)
{
    (void)state;
    const struct show_options options = {.width = 40, .utf8 = true};
    const struct profile_frame frame = {
        .function = "::add-mask::x ##[error]one ::error file=a.c::boo operator<< ::warning::two "
                    "##[section]three ::stop-commands::four",
        .file = "",
        .module = "/usr/bin/prog"};
    char *text = findings_fixture_show("text", findings_fixture_of_frame(&frame), &options);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const char *const first = line + strspn(line, " ");
        assert_int_not_equal(strncmp(first, "::", 2), 0);
        assert_int_not_equal(strncmp(first, "##[", 3), 0);
    }
    assert_non_null(strstr(text, "\\x3a:"));
    free(text);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_page),
        cmocka_unit_test(colour_is_all_that_a_terminal_adds),
        cmocka_unit_test(lines_fit_the_page),
        cmocka_unit_test(ascii_pages_are_ascii),
        cmocka_unit_test(silence_says_what_was_looked_for),
        cmocka_unit_test(no_line_begins_as_a_workflow_command_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
