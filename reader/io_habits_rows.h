/* SPDX-License-Identifier: MIT */
/* What a report says of its I/O sites' habits. */
#ifndef HEAPWISE_READER_IO_HABITS_ROWS_H
#define HEAPWISE_READER_IO_HABITS_ROWS_H

#include "reader/io_reports.h"

/* Fill the habits of profile.io_sites[0..n), which are in their final order. `row_of_site` has for each of the
 * model's sites, by number - 1, the index of its row + 1; 0 where it has none. 0 or -ENOMEM. */
int io_habits_rows_fill(const struct analysis *analysis, struct io_site *sites, size_t n,
                        const uint32_t *row_of_site);

#endif
