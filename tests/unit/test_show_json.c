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

static const struct show_options plain = {.root = "/src"};

static json_t *load(const char *format, const struct findings *findings)
{
    char *text = findings_fixture_show(format, findings, &plain);
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return root;
}

/* The value at keys and indices joined by dots: "hotspots.0.id". */
static json_t *at(json_t *root, const char *path)
{
    char copy[200], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strsep(&rest, "."); key && root; key = strsep(&rest, "."))
        root = json_is_array(root) ? json_array_get(root, (size_t)atoi(key))
                                   : json_object_get(root, key);
    if (!root)
        fail_msg("no %s", path);
    return root;
}

static void fixture_gives_the_golden_documents(void **state)
{
    (void)state;
    char *json = findings_fixture_show("json", findings_fixture(), &plain);
    char *hotspots = findings_fixture_show("hotspots", findings_fixture(), &plain);
    profile_fixture_compare("findings.json", json);
    profile_fixture_compare("findings.hotspots.json", hotspots);
    free(json);
    free(hotspots);
}

static void elements_hold_what_the_finding_does(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        double value;
    } numbers[] = {
        {"omitted.findings", 1},
        {"hotspots.0.percentage", 66.75},
        {"hotspots.0.stack.0.line", 40},
        {"hotspots.0.evidence.bytes", 1920000},
        {"hotspots.0.suggestion.pool.recommended_slots", 16},
        {"hotspots.0.opportunity.measured.seconds_after", 0.0015},
        {"hotspots.0.lifetime.freed_same_function_pct", 75},
        {"hotspots.0.lifetime.freed_other_thread_pct", 25},
        {"hotspots.0.freed_at.1.percentage", 25},
        {"hotspots.2.suggestion.buffer.bytes", 65536},
        {"hotspots.3.suggestion.arena.released_together_pct", 98.5},
    };
    json_t *root = load("json", findings_fixture());
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (json_number_value(at(root, numbers[i].path)) != numbers[i].value)
            fail_msg("%s is %g", numbers[i].path, json_number_value(at(root, numbers[i].path)));
    assert_string_equal(json_string_value(at(root, "hotspots.0.file")), "demo/parse.c");
    assert_true(json_is_null(at(root, "hotspots.1.lifetime.freed_other_thread_pct")));
    assert_true(json_is_null(at(root, "hotspots.2.lifetime")));
    assert_true(json_is_false(at(root, "hotspots.2.evidence.exact")));
    assert_true(json_is_null(at(root, "hotspots.3.file")));
    assert_int_equal(json_array_size(at(root, "hotspots.3.stack")), 1);
    assert_true(json_is_null(at(root, "hotspots.3.evidence.per_second")));
    json_decref(root);
}

static void hotspots_use_fewer_words(void **state)
{
    (void)state;
    json_t *root = load("hotspots", findings_fixture());
    assert_null(json_object_get(root, "schema"));
    assert_int_equal(json_array_size(at(root, "hotspots")), 3); /* info is left out */
    assert_string_equal(json_string_value(at(root, "hotspots.1.category")), "allocation");
    assert_string_equal(json_string_value(at(root, "hotspots.2.category")), "io_wait");
    json_decref(root);
}

static void hotspots_always_name_a_file_and_a_line(void **state)
{
    (void)state;
    const struct profile_frame frame = {
        .function = "f", .file = "", .module = "/usr/lib/libfoo.so.1"};
    json_t *root = load("hotspots", findings_fixture_of_frame(&frame));
    assert_string_equal(json_string_value(at(root, "hotspots.0.file")), "libfoo.so.1");
    assert_int_equal(json_integer_value(at(root, "hotspots.0.line")), 0);
    json_decref(root);
}

static void nothing_found_is_a_document_too(void **state)
{
    (void)state;
    json_t *root = load("json", findings_fixture_empty());
    assert_int_equal(json_array_size(at(root, "hotspots")), 0);
    assert_string_equal(json_string_value(at(root, "summary")), "no findings");
    assert_string_equal(json_string_value(at(root, "omitted.reason")), "none");
    json_decref(root);
}

static void assert_is_bounded(json_t *value)
{
    const char *key;
    json_t *element;
    size_t i;
    if (json_is_string(value) && json_string_length(value) > FINDING_MAX_TEXT_BYTES)
        fail_msg("a text of %zu bytes", json_string_length(value));
    json_object_foreach(value, key, element) assert_is_bounded(element);
    json_array_foreach(value, i, element) assert_is_bounded(element);
}

static void endless_names_are_cut(void **state)
{
    (void)state;
    enum { N_BYTES = 100000 };
    char *name = malloc(N_BYTES + 1);
    assert_non_null(name);
    memset(name, 'x', N_BYTES);
    name[N_BYTES] = 0;
    const struct profile_frame frame = {.function = name, .file = name, .module = name, .line = 1};
    json_t *root = load("json", findings_fixture_of_frame(&frame));
    assert_is_bounded(root);
    json_decref(root);
    memset(name, '\xff', N_BYTES);
    root = load("json", findings_fixture_of_frame(&frame));
    assert_is_bounded(root);
    json_decref(root);
    free(name);
}

static void long_commands_are_cut(void **state)
{
    (void)state;
    enum { N_WORDS = 5000 };
    static const char *words[N_WORDS];
    struct findings findings = *findings_fixture();
    struct profile profile = *findings.profile;
    for (size_t i = 0; i < N_WORDS; i++)
        words[i] = "argument";
    profile.command = words;
    profile.n_command = N_WORDS;
    findings.profile = &profile;
    json_t *root = load("json", &findings);
    json_t *command = at(root, "run.command");
    assert_in_range(json_array_size(command), 100, 500);
    assert_string_equal(json_string_value(json_array_get(command, json_array_size(command) - 1)),
                        "...");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_documents),
        cmocka_unit_test(elements_hold_what_the_finding_does),
        cmocka_unit_test(hotspots_use_fewer_words),
        cmocka_unit_test(hotspots_always_name_a_file_and_a_line),
        cmocka_unit_test(nothing_found_is_a_document_too),
        cmocka_unit_test(endless_names_are_cut),
        cmocka_unit_test(long_commands_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
