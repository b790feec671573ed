/* SPDX-License-Identifier: MIT */
/* Is the table of rules whole? What every rule owes its reader, held for each of them. */
#include "findings/rule.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_COLUMNS = 78 };

static void assert_is_text(const struct rule *rule, const char *what, const char *text)
{
    if (!text || !*text)
        fail_msg("%s has no %s", rule->id, what);
}

/* A text of `explain`: lines that fit a terminal, the last one ended. */
static void assert_is_paragraphs(const struct rule *rule, const char *what, const char *text)
{
    assert_is_text(rule, what, text);
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\n");
        if (n > MAX_COLUMNS || line[n] != '\n')
            fail_msg("%s: a line of its %s is too long or does not end: %.*s", rule->id, what,
                     (int)n, line);
        line += n + 1;
    }
}

static void every_rule_says_what_it_owes(void **state)
{
    (void)state;
    const struct rule *rule;
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++) {
        assert_is_text(rule, "name", rule->name);
        assert_is_text(rule, "brief", rule->brief);
        assert_is_text(rule, "reason why output stays the same", rule->why_same_output);
        assert_is_text(rule, "metric to sort by", rule->sort);
        assert_is_text(rule, "expectation", rule->expect);
        assert_is_text(rule, "thing to keep", rule->must_keep[0]);
        assert_is_paragraphs(rule, "meaning", rule->meaning);
        assert_is_paragraphs(rule, "evidence", rule->evidence);
        assert_is_paragraphs(rule, "example in C", rule->example_c);
        assert_is_paragraphs(rule, "example in C++", rule->example_cpp);
        assert_is_paragraphs(rule, "reason to leave it", rule->when_not);
        assert_non_null(rule->find);
        assert_in_range(rule->effort, 1, 5);
        assert_true(rule->confidence > 0 && rule->confidence <= 1);
    }
}

static void every_rule_needs_a_share_and_a_floor(void **state)
{
    (void)state;
    const struct rule *rule;
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++) {
        unsigned n_limits = 0;
        for (; n_limits < RULE_MAX_LIMITS && rule->limits[n_limits].name; n_limits++)
            assert_is_text(rule, "meaning of a limit", rule->limits[n_limits].meaning);
        if (n_limits < 2)
            fail_msg("%s fires without both a share and an absolute floor", rule->id);
    }
}

static void ids_are_of_the_schema_and_unique(void **state)
{
    (void)state;
    const struct rule *rule;
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++) {
        assert_int_equal(strlen(rule->id), 5);
        assert_true(isupper((unsigned char)rule->id[0]) && isupper((unsigned char)rule->id[1]));
        assert_int_equal(strspn(rule->id + 2, "0123456789"), 3);
        assert_ptr_equal(rules_find(rule->id), rule);
        assert_ptr_equal(rules_find(rule->name), rule);
    }
}

static void a_rule_is_found_however_it_is_written(void **state)
{
    (void)state;
    const struct rule *const rule = rules_find("AL104");
    assert_non_null(rule);
    assert_ptr_equal(rules_find("al104"), rule);
    assert_ptr_equal(rules_find("Temporary-Storm"), rule);
    assert_null(rules_find("AL10"));
    assert_null(rules_find("AL1044"));
    assert_null(rules_find(""));
}

static void words_are_those_of_the_schema(void **state)
{
    (void)state;
    assert_string_equal(rule_category_name(CATEGORY_RESOURCE_LEAK), "resource_leak");
    assert_string_equal(rule_severity_name(SEVERITY_CRITICAL), "critical");
    assert_string_equal(rule_whole_name(OF_WALL_TIME), "wall_time");
    assert_string_equal(rule_kind_name(SUGGEST_REVIEW), "review");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_says_what_it_owes),
        cmocka_unit_test(every_rule_needs_a_share_and_a_floor),
        cmocka_unit_test(ids_are_of_the_schema_and_unique),
        cmocka_unit_test(a_rule_is_found_however_it_is_written),
        cmocka_unit_test(words_are_those_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
