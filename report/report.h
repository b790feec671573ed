/* SPDX-License-Identifier: MIT */
/* Print what a profile says, in one of the known formats.
 *
 * Emitters only write to the stream they are given; whether that worked is the caller's to see
 * (ferror(3), fclose(3)). */
#ifndef HEAPWISE_REPORT_REPORT_H
#define HEAPWISE_REPORT_REPORT_H

#include "reader/profile.h"
#include "report/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How many of a thing a report shows; 0 means all. */
#define REPORT_TOP_TEXT   10 /* entries of a section people read */
#define REPORT_TOP_DATA   50 /* rows of call_sites in json and csv */
#define REPORT_STACKS     5 /* call paths below one entry; twice that below the one with most of all */
#define REPORT_WIDTH_FILE 100
#define REPORT_WIDTH_MIN  60

struct calltree;

struct report_options {
    bool has_top;
    size_t top;                /* used when has_top, else the format's own default */
    size_t stacks;             /* call paths shown below one entry */
    const struct metric *sort; /* order of call sites; NULL: by calls */
    uint32_t process_id;       /* the only process in the profile; 0: all of the run */
    size_t width;              /* columns of text */
    bool colour, utf8;         /* text only */
    /* Of the profile; what an emitter of several sections makes once for all. NULL: each makes its own. */
    const struct calltree *tree;
};

struct report_format {
    const char *name;
    const char *help;
    size_t default_top;
    int (*emit)(const struct profile *profile, const struct report_options *options, FILE *out);
};

/* The formats in the order in which help lists them. */
size_t report_n_formats(void);
const struct report_format *report_format_at(size_t i);
const struct report_format *report_find_format(const char *name); /* NULL when unknown */

/* Print the report. Returns 0, -ENOMEM, or -EINVAL when the options name a metric sites do not have. */
int report_emit(const struct report_format *format, const struct profile *profile,
                const struct report_options *options, FILE *out);

int emit_text(const struct profile *profile, const struct report_options *options, FILE *out);
int emit_json(const struct profile *profile, const struct report_options *options, FILE *out);
int emit_markdown(const struct profile *profile, const struct report_options *options, FILE *out);
int emit_csv(const struct profile *profile, const struct report_options *options, FILE *out);

/* Sites in the order the options ask for; at most the options' top ones. An array to free(3). */
int report_pick_sites(const struct profile *profile, const struct report_options *options,
                      const struct site ***sites_out, size_t *n_out);

#endif
