/* SPDX-License-Identifier: MIT */
/* Which rules are there? The families in order of precedence; their rows stand in their own files. */
#include "findings/rule.h"

#include <ctype.h>
#include <string.h>

static const struct rule_family *const families[] = {
    &alloc_fleeting_rules, &alloc_handover_rules,  &alloc_buffer_rules, &alloc_pool_rules,
    &alloc_churn_rules,    &alloc_growth_rules,    &alloc_held_rules,   &alloc_peak_rules,
    &alloc_arena_rules,    &alloc_placement_rules, &alloc_pinned_rules, &io_unbuffered_rules,
    &io_record_rules,      &io_size_rules,         &io_order_rules,     &io_copy_rules,
    &io_memory_rules,      &io_sync_rules,         &io_repeat_rules,    &io_wait_rules,
    &io_thread_rules,
};

enum { N_FAMILIES = sizeof families / sizeof *families };

size_t rules_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < N_FAMILIES; i++)
        n += families[i]->n;
    return n;
}

const struct rule *rules_at(size_t i)
{
    for (size_t family = 0; family < N_FAMILIES; family++) {
        if (i < families[family]->n)
            return &families[family]->rows[i];
        i -= families[family]->n;
    }
    return NULL;
}

static bool is_same_word(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        const char of_a = *a == '-' ? '_' : *a, of_b = *b == '-' ? '_' : *b;
        if (tolower((unsigned char)of_a) != tolower((unsigned char)of_b))
            return false;
    }
    return *a == *b;
}

const struct rule *rules_find(const char *word)
{
    const struct rule *rule = NULL;
    for (size_t i = 0; (rule = rules_at(i)) != NULL; i++)
        if (is_same_word(word, rule->id) || is_same_word(word, rule->name))
            return rule;
    return NULL;
}

const struct rule_limit *rule_limit(const struct rule *rule, const char *name)
{
    for (size_t i = 0; i < RULE_MAX_LIMITS && rule->limits[i].name; i++)
        if (strcmp(rule->limits[i].name, name) == 0)
            return &rule->limits[i];
    return NULL;
}
