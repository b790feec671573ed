/* SPDX-License-Identifier: MIT */
/* How can a finding be checked: what its rule asked for, which command shows its numbers, which one shows that
 * the change worked. */
#include <string.h>

#include "findings/engine.h"
#include "findings/findings.h"
#include "findings/store.h"
#include "report/buffer.h"
#include "report/names.h"

static const char *keep(struct finder *finder, struct buffer *words)
{
    const char *const kept = finder_keep(finder, buffer_string(words), words->length);
    finder->out_of_memory |= words->failed;
    buffer_fini(words);
    return kept;
}

/* "min_count 1000, min_percent 5" */
static const char *say_threshold(struct finder *finder, const struct rule *rule)
{
    struct buffer words = {0};
    for (size_t i = 0; i < RULE_MAX_LIMITS && rule->limits[i].name; i++)
        buffer_printf(&words, "%s%s %.9g", i ? ", " : "", rule->limits[i].name,
                      finder_limit(finder, rule, rule->limits[i].name));
    return keep(finder, &words);
}

static const char *say_query(struct finder *finder, const struct rule *rule)
{
    const char *const command[] = {"heapwise", "report",   "--format",
                                   "json",     "--top",    "0",
                                   "--sort",   rule->sort, finder->profile->trace_name};
    struct buffer words = {0};
    names_add_command(&words, command, sizeof command / sizeof *command);
    return keep(finder, &words);
}

static const char *say_verify(struct finder *finder)
{
    const struct profile *const profile = finder->profile;
    struct buffer words = {0};
    buffer_text(&words, "heapwise run -o new.hwt -- ");
    names_add_command(&words, profile->command, profile->n_command);
    buffer_text(&words, "; heapwise findings --top 0 new.hwt");
    return keep(finder, &words);
}

void describe_all(struct finder *finder)
{
    const struct findings_store *const store = finder->findings->store;
    const char *const verify = say_verify(finder);
    for (size_t i = 0; i < store->n_found; i++) {
        struct finding *const finding = store->found[i];
        if (!finding->evidence.threshold)
            finding->evidence.threshold = say_threshold(finder, finding->rule);
        if (!finding->evidence.query)
            finding->evidence.query = say_query(finder, finding->rule);
        finding->verify_command = verify;
    }
}
