/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"

static char *print(const struct profile *profile, struct report_options options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(report_emit(report_find_format("text"), profile, &options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void golden(const char *name, struct report_options options)
{
    char *text = print(profile_fixture(), options);
    profile_fixture_compare(name, text);
    free(text);
}

static void text_of_80_columns_in_ascii(void **state)
{
    (void)state;
    golden("report_80.txt", (struct report_options){.stacks = 5, .width = 80});
}

static void text_of_140_columns_in_utf8(void **state)
{
    (void)state;
    golden("report_140.txt", (struct report_options){.stacks = 5, .width = 140, .utf8 = true});
}

static void colour_is_only_added_around_words(void **state)
{
    (void)state;
    golden("report_colour.txt",
           (struct report_options){
               .stacks = 2, .has_top = true, .top = 1, .width = 100, .utf8 = true, .colour = true});
}

static void sort_adds_a_section_by_that_metric(void **state)
{
    (void)state;
    char *text = print(profile_fixture(),
                       (struct report_options){.stacks = 5, .sort = metrics_find("copied_bytes")});
    assert_non_null(strstr(text, "SORTED  copied_bytes"));
    free(text);
    text = print(profile_fixture(),
                 (struct report_options){.stacks = 5, .sort = metrics_find("peak_bytes")});
    assert_null(strstr(text, "SORTED"));
    free(text);
}

static void process_metric_cannot_sort_sites(void **state)
{
    (void)state;
    const struct report_options options = {.sort = metrics_find("mapped_bytes")};
    assert_int_equal(report_emit(report_find_format("text"), profile_fixture(), &options, stdout),
                     -EINVAL);
}

static void no_line_is_wider_than_asked(void **state)
{
    (void)state;
    for (size_t width = 80; width <= 200; width += 7) {
        char *text = print(profile_fixture(),
                           (struct report_options){.stacks = 5, .width = width, .utf8 = true});
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            if (escape_width(line) > width)
                fail_msg("width %zu: %s", width, line);
        free(text);
    }
}

static void control_characters_never_reach_the_output(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){.stacks = 5, .utf8 = true});
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\a'));
    assert_null(strchr(text, '\xff'));
    assert_non_null(strstr(text, "evil\\x1b[31m\\x0aname"));
    free(text);
}

static void empty_profile_prints_whole_sections(void **state)
{
    (void)state;
    char *text = print(profile_fixture_empty(), (struct report_options){0});
    assert_non_null(strstr(text, "no allocation was recorded"));
    assert_non_null(strstr(text, "0 calls (0/s)"));
    free(text);
}

static void one_process_alone_is_said(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), (struct report_options){.process_id = 2});
    assert_non_null(strstr(text, "\nfigures of process 2 alone: demo --child\n"));
    free(text);
}

static void losses_come_first(void **state)
{
    (void)state;
    struct profile lossy = *profile_fixture();
    lossy.coverage.lost_events = 5;
    lossy.truncated = true;
    snprintf(lossy.cut.reason, sizeof lossy.cut.reason, "the file ends in a frame");
    char *text = print(&lossy, (struct report_options){0});
    assert_non_null(strstr(text, "5 events were lost (<0.1 %)"));
    assert_true(strstr(text, "COVERAGE") < strstr(text, "RATES"));
    assert_non_null(strstr(text, "the trace was cut at byte 0 of what it holds uncompressed"));
    free(text);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_80_columns_in_ascii),
        cmocka_unit_test(text_of_140_columns_in_utf8),
        cmocka_unit_test(colour_is_only_added_around_words),
        cmocka_unit_test(sort_adds_a_section_by_that_metric),
        cmocka_unit_test(process_metric_cannot_sort_sites),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(control_characters_never_reach_the_output),
        cmocka_unit_test(empty_profile_prints_whole_sections),
        cmocka_unit_test(one_process_alone_is_said),
        cmocka_unit_test(losses_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
