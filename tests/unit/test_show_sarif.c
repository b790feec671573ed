/* SPDX-License-Identifier: MIT */
#include "findings/show.h"
#include "tests/support/findings_fixture.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const struct findings *findings, const char *root)
{
    const struct show_options options = {.root = root};
    char *text = findings_fixture_show("sarif", findings, &options);
    json_error_t error;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return document;
}

static json_t *run_of(json_t *document)
{
    return json_array_get(json_object_get(document, "runs"), 0);
}

static json_t *rules_of(json_t *document)
{
    json_t *tool = json_object_get(run_of(document), "tool");
    return json_object_get(json_object_get(tool, "driver"), "rules");
}

static json_t *result_of(json_t *document, size_t i)
{
    return json_array_get(json_object_get(run_of(document), "results"), i);
}

static const char *text_at(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The rules are told elsewhere, and change. */
static void fixture_gives_the_golden_document(void **state)
{
    (void)state;
    json_t *document = load(findings_fixture(), "/src");
    json_array_clear(rules_of(document));
    char *text = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    profile_fixture_compare("findings.sarif", text);
    free(text);
    json_decref(document);
}

static void every_rule_is_described(void **state)
{
    (void)state;
    json_t *document = load(findings_fixture_empty(), NULL);
    assert_int_equal(json_array_size(rules_of(document)), rules_count());
    assert_string_equal(text_at(json_array_get(rules_of(document), 0), "id"), rules_at(0)->id);
    assert_null(json_object_get(run_of(document), "originalUriBaseIds"));
    json_decref(document);
}

static void levels_follow_severities(void **state)
{
    (void)state;
    static const char *const levels[] = {"error", "warning", "note", "none"};
    json_t *document = load(findings_fixture(), NULL);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(text_at(result_of(document, i), "level"), levels[i]);
    assert_string_equal(text_at(result_of(document, 3), "kind"), "informational");
    json_decref(document);
}

static json_t *physical_of(json_t *result)
{
    json_t *location = json_array_get(json_object_get(result, "locations"), 0);
    return json_object_get(location, "physicalLocation");
}

static void every_result_has_a_file_and_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *file, *uri;
        uint32_t line;
        bool is_relative;
    } rows[] = {
        {"/src/a b/x%.c", "a%20b/x%25.c", 7, true},
        {"/elsewhere/./x/../y.c", "file:///elsewhere/y.c", 7, false},
        {"", "libfoo.so.1", 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile_frame frame = {.function = "f",
                                            .file = rows[i].file,
                                            .module = "/lib/libfoo.so.1",
                                            .line = rows[i].line};
        json_t *document = load(findings_fixture_of_frame(&frame), "/src");
        json_t *physical = physical_of(result_of(document, 0));
        json_t *artifact = json_object_get(physical, "artifactLocation");
        json_t *line = json_object_get(json_object_get(physical, "region"), "startLine");
        assert_string_equal(text_at(artifact, "uri"), rows[i].uri);
        assert_true((text_at(artifact, "uriBaseId") != NULL) == rows[i].is_relative);
        assert_true(json_integer_value(line) >= 1);
        json_decref(document);
    }
}

static void messages_hold_no_links(void **state)
{
    (void)state;
    json_t *document = load(findings_fixture(), NULL);
    json_t *message = json_object_get(result_of(document, 1), "message");
    assert_non_null(strstr(text_at(message, "text"), "{{0}}\\[see\\](http"));
    assert_int_equal(json_array_size(json_object_get(message, "arguments")), 2);
    json_decref(document);
}

static void uploads_are_bounded(void **state)
{
    (void)state;
    enum { N = SHOW_MAX_RESULTS + 10 };
    static struct finding *many[N];
    struct findings findings = *findings_fixture();
    for (size_t i = 0; i < N; i++)
        many[i] = findings.ranked[3];
    findings.ranked = many;
    findings.n = findings.n_all = N;
    json_t *document = load(&findings, NULL);
    assert_int_equal(json_array_size(json_object_get(run_of(document), "results")),
                     SHOW_MAX_RESULTS);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_document),
        cmocka_unit_test(every_rule_is_described),
        cmocka_unit_test(levels_follow_severities),
        cmocka_unit_test(every_result_has_a_file_and_a_line),
        cmocka_unit_test(messages_hold_no_links),
        cmocka_unit_test(uploads_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
