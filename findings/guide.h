/* SPDX-License-Identifier: MIT */
/* What `heapwise explain` says of rules, and of findings as a whole. Lines are at most 78 columns wide. */
#ifndef HEAPWISE_FINDINGS_GUIDE_H
#define HEAPWISE_FINDINGS_GUIDE_H

#include <stddef.h>

#include "findings/rule.h"
#include "report/buffer.h"

struct guide_topic {
    const char *name;  /* lower case */
    const char *brief; /* one line */
    void (*add)(struct buffer *out);
};

/* In the order in which they are listed; NULL past the last. */
const struct guide_topic *guide_topic_at(size_t i);

/* NULL when there is none of that name; case does not matter. */
const struct guide_topic *guide_find(const char *name);

/* Add all there is to say of a rule: when it fires, what to do, when not. */
void guide_add_rule(struct buffer *out, const struct rule *rule);

/* The rules as the rows of a Markdown table: the section "Rules" of docs/FINDINGS.md. */
void guide_add_table(struct buffer *out);

#endif
