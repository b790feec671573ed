/* SPDX-License-Identifier: MIT */
/* What is there to say of a rule? */
#include "findings/guide.h"

#include <string.h>

#include "findings/scoring.h"
#include "report/escape.h"

enum { GUIDE_COLUMNS = 78, LIMIT_NAME_COLUMNS = 24 };

/* Add a text in lines of at most GUIDE_COLUMNS, all but the first behind `indent` blanks. */
static void add_wrapped(struct buffer *out, const char *text, size_t indent)
{
    size_t column = indent;
    while (*text) {
        const size_t n = strcspn(text, " ");
        const bool is_first = column == indent;
        if (!is_first && column + 1 + n > GUIDE_COLUMNS) {
            buffer_text(out, "\n");
            buffer_repeat(out, " ", indent);
            column = indent;
        } else if (!is_first) {
            buffer_text(out, " ");
            column++;
        }
        buffer_add(out, text, n);
        column += n;
        text += n + strspn(text + n, " ");
    }
    buffer_text(out, "\n");
}

static void add_limits(struct buffer *out, const struct rule *rule)
{
    buffer_text(out, "\nLimits, which a configuration file may set:\n");
    buffer_printf(out, "    \"rules\": {\"%s\": {", rule->id);
    for (size_t i = 0; i < RULE_MAX_LIMITS && rule->limits[i].name && i < 2; i++)
        buffer_printf(out, "%s\"%s\": %.9g", i ? ", " : "", rule->limits[i].name,
                      rule->limits[i].value);
    buffer_text(out, "}}\n");
    for (size_t i = 0; i < RULE_MAX_LIMITS && rule->limits[i].name; i++) {
        buffer_printf(out, "  %-*s%10.9g  ", LIMIT_NAME_COLUMNS - 2, rule->limits[i].name,
                      rule->limits[i].value);
        add_wrapped(out, rule->limits[i].meaning, LIMIT_NAME_COLUMNS + 12);
    }
}

static void add_worth(struct buffer *out, const struct rule *rule)
{
    buffer_printf(out, "\nSuggests: %s (category %s).\n", rule_kind_name(rule->kind),
                  rule_category_name(rule->category));
    buffer_printf(out, "Effort: %d of %d, %s.\n", rule->effort, SCORING_MAX_EFFORT,
                  scoring_effort(rule->effort));
    buffer_printf(out, "Confidence: %g before the run lowers it (`heapwise explain scoring`).\n",
                  rule->confidence);
    buffer_printf(out, "Severity: %s at most.\n", rule_severity_name(rule->ceiling));
}

void guide_add_rule(struct buffer *out, const struct rule *rule)
{
    struct buffer title = {0};
    buffer_printf(&title, "%s %s: %s", rule->id, rule->name, rule->brief);
    add_wrapped(out, buffer_string(&title), 0);
    out->failed |= title.failed;
    buffer_fini(&title);
    buffer_printf(out, "\n%s\nEvidence:\n%s", rule->meaning, rule->evidence);
    add_limits(out, rule);
    add_worth(out, rule);
    buffer_printf(out, "\nIn C:\n%s\nIn C++:\n%s", rule->example_c, rule->example_cpp);
    buffer_text(out, "\nMust keep:\n");
    for (size_t i = 0; i < RULE_MAX_KEPT && rule->must_keep[i]; i++) {
        buffer_text(out, "  - ");
        add_wrapped(out, rule->must_keep[i], 4);
    }
    buffer_text(out, "\nWhy the output stays the same:\n");
    add_wrapped(out, rule->why_same_output, 0);
    buffer_printf(out, "\nWhen not to act:\n%s", rule->when_not);
}

void guide_add_table(struct buffer *out)
{
    const struct rule *rule = NULL;
    buffer_text(out, "| rule | name | finds | limits |\n|---|---|---|---|\n");
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++) {
        buffer_printf(out, "| %s | `%s` | ", rule->id, rule->name);
        escape_markdown(out, rule->brief);
        buffer_text(out, " | ");
        for (size_t j = 0; j < RULE_MAX_LIMITS && rule->limits[j].name; j++)
            buffer_printf(out, "%s`%s` %.9g", j ? ", " : "", rule->limits[j].name,
                          rule->limits[j].value);
        buffer_text(out, " |\n");
    }
}
