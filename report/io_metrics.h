/* SPDX-License-Identifier: MIT */
/* Call sites that do I/O, and files, in the vocabulary of metrics: what sorts them and fills their columns. */
#ifndef HEAPWISE_REPORT_IO_METRICS_H
#define HEAPWISE_REPORT_IO_METRICS_H

#include "reader/profile.h"
#include "report/report.h"

#include <stddef.h>

/* The metrics METRIC_IO of one site or file; `events` are its calls, each once; all others are 0. */
struct metrics io_metrics_of_site(const struct io_site *site);
struct metrics io_metrics_of_file(const struct io_file *file);

/* Put sites or files in the order the options ask for: by an I/O metric to sort by, else as in the
 * profile. Gives at most the options' top ones, as indices, an array to free(3). Returns 0 or -ENOMEM. */
int io_metrics_order_sites(const struct profile *profile, const struct report_options *options,
                           size_t **indices_out, size_t *n_out);
int io_metrics_order_files(const struct profile *profile, const struct report_options *options,
                           size_t **indices_out, size_t *n_out);

#endif
