/* SPDX-License-Identifier: MIT */
/* The sections of a report for people, one builder each, in the order in which they are shown.
 *
 * A builder fills a view that view_init() has not touched yet and returns 0, or -ENOMEM. A section that has
 * nothing to say leaves the view without rows and notes, and emitters leave it out. */
#ifndef HEAPWISE_REPORT_SECTIONS_H
#define HEAPWISE_REPORT_SECTIONS_H

#include "report/report.h"
#include "report/view.h"

#include <stdbool.h>
#include <stddef.h>

/* What was lost, cut or cannot be known; empty for a complete trace. */
int view_coverage(const struct profile *profile, const struct report_options *options,
                  struct view *view_out);
int view_marks(const struct profile *profile, const struct report_options *options,
               struct view *view_out);

/* The totals of the run. */
int view_rates(const struct profile *profile, const struct report_options *options,
               struct view *view_out);

/* Sites as trees of callers: by calls, at the peak, leaked, temporary, and by options->sort. */
int view_most_calls(const struct profile *profile, const struct report_options *options,
                    struct view *view_out);
int view_peak(const struct profile *profile, const struct report_options *options,
              struct view *view_out);
int view_leaks(const struct profile *profile, const struct report_options *options,
               struct view *view_out);
int view_temporary(const struct profile *profile, const struct report_options *options,
                   struct view *view_out);
int view_sorted(const struct profile *profile, const struct report_options *options,
                struct view *view_out);

int view_lifetimes(const struct profile *profile, const struct report_options *options,
                   struct view *view_out);
int view_sizes(const struct profile *profile, const struct report_options *options,
               struct view *view_out);

/* I/O: places, files, the slowest calls, flushes and syncs, threads, what stayed open. */
int view_hot_io(const struct profile *profile, const struct report_options *options,
                struct view *view_out);
int view_files(const struct profile *profile, const struct report_options *options,
               struct view *view_out);
int view_slowest_calls(const struct profile *profile, const struct report_options *options,
                       struct view *view_out);
int view_flushes(const struct profile *profile, const struct report_options *options,
                 struct view *view_out);
int view_blocking(const struct profile *profile, const struct report_options *options,
                  struct view *view_out);
int view_open_descriptors(const struct profile *profile, const struct report_options *options,
                          struct view *view_out);

int view_processes(const struct profile *profile, const struct report_options *options,
                   struct view *view_out);

struct section {
    const char *id;
    int (*build)(const struct profile *profile, const struct report_options *options,
                 struct view *view_out);
};

size_t sections_count(void);
const struct section *sections_at(size_t i);

/* Build section `i`. Returns 0, or -ENOMEM with nothing to release. */
int sections_build(size_t i, const struct profile *profile, const struct report_options *options,
                   struct view *view_out);

#endif
