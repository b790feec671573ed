/* SPDX-License-Identifier: MIT */
/* Show findings: for people, for programs, for code scanning.
 *
 * Every format says the same of a finding, in the same order. Names of the traced program are escaped
 * (report/escape.h) and no text is longer than FINDING_MAX_TEXT_BYTES, so that a document is bounded by the
 * number of findings. Emitters only write to the stream they are given; whether that worked is the
 * caller's to see (ferror(3), fclose(3)). */
#ifndef HEAPWISE_FINDINGS_SHOW_H
#define HEAPWISE_FINDINGS_SHOW_H

#include <stdio.h>

#include "findings/findings.h"

struct show_options {
    const char *root;  /* absolute; paths below it are shown relative to it; NULL for none */
    bool snippets;     /* text and markdown: the lines concerned, where they can be read */
    size_t width;      /* columns of text */
    bool colour, utf8; /* text only */
};

enum show_limits {
    SHOW_MAX_FRAMES = 64,    /* of one stack */
    SHOW_MAX_RESULTS = 5000, /* of sarif: code scanning keeps no more of an upload */
};

struct show_format {
    const char *name;
    int (*show)(const struct findings *findings, const struct show_options *options, FILE *out);
};

/* NULL when there is none of that name. */
const struct show_format *show_find_format(const char *name);

/* Each returns 0 or -ENOMEM. */
int show_text(const struct findings *findings, const struct show_options *options, FILE *out);
int show_json(const struct findings *findings, const struct show_options *options, FILE *out);
int show_hotspots(const struct findings *findings, const struct show_options *options, FILE *out);
int show_sarif(const struct findings *findings, const struct show_options *options, FILE *out);
int show_markdown(const struct findings *findings, const struct show_options *options, FILE *out);

#endif
