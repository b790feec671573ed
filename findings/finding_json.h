/* SPDX-License-Identifier: MIT */
/* A finding as JSON: an element of "hotspots", and those of its parts that other documents carry too.
 *
 * Results are as in report/jvalue.h: NULL where memory ran out. */
#ifndef HEAPWISE_FINDINGS_FINDING_JSON_H
#define HEAPWISE_FINDINGS_FINDING_JSON_H

#include <jansson.h>

#include "findings/findings.h"
#include "report/buffer.h"

/* Whose findings they are, and which schema is wanted. */
struct finding_json {
    const struct profile *profile;
    const char *root;      /* as in struct show_options */
    bool is_plain_hotspot; /* the words of the schema hotspots alone; file and line never null */
};

json_t *finding_json(const struct finding_json *context, const struct finding *finding);

json_t *finding_json_evidence(const struct finding_json *context, const struct finding *finding);
json_t *finding_json_lifetime(const struct finding_json *context, const struct finding *finding);
json_t *finding_json_opportunity(const struct finding *finding);

/* A text as the documents hold it: escaped and bounded. */
json_t *finding_json_text(const char *text);
json_t *finding_json_texts(const char *const *texts, size_t n);

/* What the buffer holds, as it is; releases it. */
json_t *finding_json_words(struct buffer *words);

#endif
