/* SPDX-License-Identifier: MIT */
/* The vocabulary of metrics, once: name, unit, and where in the profile the number stands.
 *
 * Every list of metrics (JSON keys, csv columns, --sort, explain) is this table read in order. */
#ifndef HEAPWISE_REPORT_METRICS_H
#define HEAPWISE_REPORT_METRICS_H

#include "reader/profile.h"
#include "report/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_scope {
    METRIC_ANY,     /* both processes and call sites have it */
    METRIC_PROCESS, /* processes and totals only */
    METRIC_SITE,    /* call sites only */
    METRIC_IO,      /* processes, and what does I/O; null where none was recorded */
};

struct metric {
    const char *name;
    enum unit unit; /* COUNT, BYTES, SECONDS, RATE or BYTE_RATE */
    enum metric_scope scope;
    size_t offset; /* in struct metrics; of METRIC_SITE in struct site */
};

struct metric_value {
    bool present; /* false: shown as null or empty */
    bool is_real;
    uint64_t integer;
    double real;
};

size_t metrics_count(void);
const struct metric *metrics_at(size_t i);

/* The metric of that name, or NULL. */
const struct metric *metrics_find(const char *name);

/* A metric of a process of the profile or of its totals; absent for METRIC_SITE, and for METRIC_IO
 * where no I/O was recorded. */
struct metric_value metrics_of_process(const struct metric *metric, const struct profile *profile,
                                       const struct metrics *metrics);

/* A metric of a call site. Rates are counts over `duration_seconds` of the whole run; absent for
 * METRIC_PROCESS. METRIC_IO is 0 but for the sites of io_stacks.h. */
struct metric_value metrics_of_site(const struct metric *metric, const struct site *site,
                                    double duration_seconds);

/* The value as one number to sort by; 0 when absent. */
double metrics_rank(struct metric_value value);

#endif
