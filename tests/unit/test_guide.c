/* SPDX-License-Identifier: MIT */
#include "findings/guide.h"
#include "findings/scoring.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_fits_a_terminal(const char *name, const char *text)
{
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\n");
        if (n > 78 || line[n] != '\n' || (n > 0 && line[n - 1] == ' '))
            fail_msg("%s: line of %zu columns: %.*s", name, n, (int)n, line);
        line += n + 1;
    }
}

static void texts_fit_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; guide_topic_at(i); i++) {
        struct buffer out = {0};
        guide_topic_at(i)->add(&out);
        assert_fits_a_terminal(guide_topic_at(i)->name, buffer_string(&out));
        buffer_fini(&out);
    }
    for (size_t i = 0; rules_at(i); i++) {
        struct buffer out = {0};
        guide_add_rule(&out, rules_at(i));
        assert_fits_a_terminal(rules_at(i)->id, buffer_string(&out));
        buffer_fini(&out);
    }
}

static void rules_tell_their_limits(void **state)
{
    (void)state;
    for (size_t i = 0; rules_at(i); i++) {
        struct buffer out = {0};
        guide_add_rule(&out, rules_at(i));
        for (size_t j = 0; j < RULE_MAX_LIMITS && rules_at(i)->limits[j].name; j++)
            if (!strstr(buffer_string(&out), rules_at(i)->limits[j].name))
                fail_msg("%s: no %s", rules_at(i)->id, rules_at(i)->limits[j].name);
        buffer_fini(&out);
    }
}

static void topics_are_found(void **state)
{
    (void)state;
    assert_string_equal(guide_find("Scoring")->name, "scoring");
    assert_null(guide_find("scor"));
    assert_null(guide_find(""));
    for (size_t i = 0; guide_topic_at(i); i++) /* a topic hides no rule */
        assert_null(rules_find(guide_topic_at(i)->name));
}

static void scoring_tells_the_numbers_in_use(void **state)
{
    (void)state;
    struct buffer out = {0};
    guide_find("scoring")->add(&out);
    for (size_t i = 0; scoring_step_at(i); i++)
        assert_non_null(
            strstr(buffer_string(&out), rule_severity_name(scoring_step_at(i)->severity)));
    for (size_t i = 0; scoring_factor_at(i); i++)
        assert_non_null(strstr(buffer_string(&out), scoring_factor_at(i)->reason));
    buffer_fini(&out);
}

/* Between these two lines of docs/FINDINGS.md. */
static const char BEGIN[] = "<!-- rules -->\n", END[] = "<!-- /rules -->\n";

static void read_document(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (int byte = 0; (byte = getc(file)) != EOF;)
        buffer_add(out, &(char){(char)byte}, 1);
    fclose(file);
}

/* With HEAPWISE_UPDATE_GOLDEN=1 in the environment the table is written instead. */
static void document_has_the_table_of_rules(void **state)
{
    (void)state;
    static const char path[] = TEST_SOURCE_ROOT "/docs/FINDINGS.md";
    struct buffer document = {0}, table = {0}, whole = {0};
    read_document(path, &document);
    const char *const begin = strstr(buffer_string(&document), BEGIN);
    const char *const end = strstr(buffer_string(&document), END);
    assert_non_null(begin);
    assert_non_null(end);
    guide_add_table(&table);
    buffer_add(&whole, document.data, (size_t)(begin - document.data) + sizeof BEGIN - 1);
    buffer_text(&whole, buffer_string(&table));
    buffer_text(&whole, end);
    if (getenv("HEAPWISE_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(buffer_string(&whole), file);
        assert_int_equal(fclose(file), 0);
    } else if (strcmp(buffer_string(&whole), buffer_string(&document)) != 0) {
        fail_msg("docs/FINDINGS.md has another table of rules; HEAPWISE_UPDATE_GOLDEN=1 writes it");
    }
    buffer_fini(&table);
    buffer_fini(&whole);
    buffer_fini(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_fit_a_terminal),
        cmocka_unit_test(rules_tell_their_limits),
        cmocka_unit_test(topics_are_found),
        cmocka_unit_test(scoring_tells_the_numbers_in_use),
        cmocka_unit_test(document_has_the_table_of_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
