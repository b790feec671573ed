/* SPDX-License-Identifier: MIT */
/* What the analyses of input and output share. */
#ifndef HEAPWISE_READER_IO_REPORTS_H
#define HEAPWISE_READER_IO_REPORTS_H

#include "reader/analysis.h"
#include "reader/rowstack.h"

/* The path of a file, "" for none. */
static inline const char *io_reports_path(const struct analysis *analysis, uint32_t file)
{
    return file ? strtab_text(&analysis->model->texts, io_file(&analysis->model->io, file)->name)
                : "";
}

static inline double io_reports_seconds(const struct analysis *analysis, uint64_t ticks)
{
    return (double)ticks * analysis->ns_per_tick / 1e9;
}

/* How many blocks were allocated by what each node called, itself and further in: by node's id, [0] for
 * stacks that are not known. To be freed; NULL when out of memory. */
uint64_t *io_reports_inner_allocs(const struct model *model);

/* Add what a site did to what another one did, or to a zeroed one: counts, distributions, threads and files.
 * Returns 0 or -ENOMEM. */
int io_reports_join(struct model_io_site *to, const struct model_io_site *from);

/* Fill in what a row says of a site, all but its id, its stack, and inner_allocs. */
void io_reports_describe(const struct analysis *analysis, const struct model_io_site *source,
                         struct io_site *site);

/* Most seconds first, then by id, layer and call: of two struct io_site, or of what begins with one. For qsort(3). */
int io_reports_compare(const void *a, const void *b);

#endif
