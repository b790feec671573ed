/* SPDX-License-Identifier: MIT */
/* What a metric, a section or a word of the report means: the text of `heapwise explain`. */
#ifndef HEAPWISE_REPORT_EXPLAIN_H
#define HEAPWISE_REPORT_EXPLAIN_H

#include <stddef.h>

enum topic_kind {
    TOPIC_METRIC,
    TOPIC_SECTION,
    TOPIC_NOTION, /* a word the others use: place, temporary, ... */
};

struct topic {
    const char *name; /* lower case, words joined by '_' */
    enum topic_kind kind;
    const char *brief; /* one line */
    const char
        *text; /* paragraphs; lines are at most 78 columns wide, the last one ends in a newline */
};

size_t explain_count(void);
const struct topic *explain_at(size_t i);

/* The topic of that name; case, '-' and blanks for '_' do not matter. NULL when there is none. */
const struct topic *explain_find(const char *name);

#endif
