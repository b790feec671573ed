/* SPDX-License-Identifier: MIT */
#include "report/explain.h"
#include "report/metrics.h"
#include "report/sections.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every_metric_has_a_topic(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_count(); i++)
        if (!explain_find(metrics_at(i)->name))
            fail_msg("no topic %s", metrics_at(i)->name);
    assert_non_null(explain_find("lifetime_ns"));
}

static void every_section_has_a_topic(void **state)
{
    (void)state;
    for (size_t i = 0; i < sections_count(); i++)
        if (strcmp(sections_at(i)->id, "sorted") != 0 && !explain_find(sections_at(i)->id))
            fail_msg("no topic %s", sections_at(i)->id);
}

static void topics_are_found_as_they_are_spoken(void **state)
{
    (void)state;
    assert_string_equal(explain_find("MOST CALLS")->name, "most_calls");
    assert_string_equal(explain_find("Peak-Memory")->name, "peak_memory");
    assert_null(explain_find("most_call"));
    assert_null(explain_find(""));
}

static void texts_are_short_and_fit_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < explain_count(); i++) {
        const struct topic *topic = explain_at(i);
        size_t lines = 0;
        for (const char *at = topic->text; *at; lines++) {
            const size_t width = strcspn(at, "\n");
            if (width > 78 || at[width] != '\n')
                fail_msg("%s: line of %zu columns", topic->name, width);
            at += width + 1;
        }
        if (lines < 1 || lines > 14)
            fail_msg("%s: %zu lines", topic->name, lines);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(topic->name, explain_at(j)->name);
    }
}

/* Text with every run of blanks and newlines as one blank. */
static char *squeeze(const char *text)
{
    char *squeezed = calloc(strlen(text) + 1, 1);
    assert_non_null(squeezed);
    size_t n = 0;
    for (; *text; text++) {
        const int blank = *text == ' ' || *text == '\n';
        if (!blank || (n > 0 && squeezed[n - 1] != ' '))
            squeezed[n++] = blank ? ' ' : *text;
    }
    return squeezed;
}

static void document_says_the_same(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SOURCE_ROOT "/docs/METRICS.md", "re");
    assert_non_null(file);
    char *raw = NULL;
    size_t size = 0;
    assert_true(getdelim(&raw, &size, '\0', file) > 0);
    fclose(file);
    char *document = squeeze(raw);
    for (size_t i = 0; i < explain_count(); i++) {
        char *text = squeeze(explain_at(i)->text);
        char title[80];
        snprintf(title, sizeof title, "### `%s`: ", explain_at(i)->name);
        if (!strstr(document, text) || !strstr(document, title))
            fail_msg("docs/METRICS.md lacks or changes %s", explain_at(i)->name);
        free(text);
    }
    free(document);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_has_a_topic),
        cmocka_unit_test(every_section_has_a_topic),
        cmocka_unit_test(topics_are_found_as_they_are_spoken),
        cmocka_unit_test(texts_are_short_and_fit_a_terminal),
        cmocka_unit_test(document_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
