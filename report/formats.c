/* SPDX-License-Identifier: MIT */
/* Which formats are there, and which sites does a report list? */
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct report_format formats[] = {
    {"text", "for people, as wide as the terminal", REPORT_TOP_TEXT, emit_text},
    {"json", "schema heapwise-report/1, everything", REPORT_TOP_DATA, emit_json},
    {"markdown", "tables for an issue or a pull request", REPORT_TOP_TEXT, emit_markdown},
    {"csv", "totals, processes, call sites and files as one table", REPORT_TOP_DATA, emit_csv},
};

size_t report_n_formats(void)
{
    return sizeof formats / sizeof *formats;
}

const struct report_format *report_format_at(size_t i)
{
    return i < report_n_formats() ? &formats[i] : NULL;
}

const struct report_format *report_find_format(const char *name)
{
    for (size_t i = 0; i < report_n_formats(); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

int report_emit(const struct report_format *format, const struct profile *profile,
                const struct report_options *options, FILE *out)
{
    struct report_options effective = *options;
    if (options->sort && options->sort->scope == METRIC_PROCESS)
        return -EINVAL;
    if (!effective.has_top)
        effective.top = format->default_top;
    if (effective.width < REPORT_WIDTH_MIN)
        effective.width = effective.width ? REPORT_WIDTH_MIN : REPORT_WIDTH_FILE;
    return format->emit(profile, &effective, out);
}

struct sort_context {
    const struct metric *metric;
    double duration_seconds;
};

/* Largest first; the profile's own order (by calls) decides ties. */
static int compare_sites(const void *a, const void *b, void *context)
{
    const struct sort_context *sort = context;
    const struct site *left = *(const struct site *const *)a;
    const struct site *right = *(const struct site *const *)b;
    if (sort->metric) {
        const double l = metrics_rank(metrics_of_site(sort->metric, left, sort->duration_seconds));
        const double r = metrics_rank(metrics_of_site(sort->metric, right, sort->duration_seconds));
        if (l != r)
            return l > r ? -1 : 1;
    }
    return (left > right) - (left < right);
}

int report_pick_sites(const struct profile *profile, const struct report_options *options,
                      const struct site ***sites_out, size_t *n_out)
{
    const size_t n = profile->n_sites;
    const struct site **sites = calloc(n ? n : 1, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sites[i] = &profile->sites[i];
    struct sort_context sort = {options->sort, profile->totals.duration_seconds};
    if (options->sort && n > 1)
        qsort_r(sites, n, sizeof *sites, compare_sites, &sort);
    *sites_out = sites;
    *n_out = options->top && options->top < n ? options->top : n;
    return 0;
}
