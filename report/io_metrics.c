/* SPDX-License-Identifier: MIT */
/* What is a site's or a file's share in each metric of I/O, and which has most of one? */
#include "report/io_metrics.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

struct metrics io_metrics_of_site(const struct io_site *site)
{
    const uint64_t reads = site->reads ? site->calls : 0;
    const uint64_t writes = site->writes ? site->calls : 0;
    return (struct metrics){
        .io_calls = add(reads, writes),
        .io_read_calls = reads,
        .io_write_calls = writes,
        .io_read_bytes = site->reads ? site->bytes : 0,
        .io_write_bytes = site->writes ? site->bytes : 0,
        .io_seconds = site->seconds,
        .stdio_calls = site->logical_calls,
        .fsync_count = site->reads || site->writes ? 0 : site->calls,
        .events = site->calls,
    };
}

struct metrics io_metrics_of_file(const struct io_file *file)
{
    return (struct metrics){
        .io_calls = add(file->read_calls, file->write_calls),
        .io_read_calls = file->read_calls,
        .io_write_calls = file->write_calls,
        .io_read_bytes = file->read_bytes,
        .io_write_bytes = file->write_bytes,
        .io_seconds = file->seconds,
        .fsync_count = file->fsyncs,
        .open_count = add(file->opens, file->failed_opens),
        .seek_count = file->seeks,
        .stat_count = file->stats,
        .events = add(add(file->read_calls, file->write_calls), file->fsyncs),
    };
}

struct ranked {
    size_t index;
    double rank;
};

/* Largest first; the profile's own order decides ties. */
static int compare(const void *a, const void *b)
{
    const struct ranked *const left = a, *const right = b;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static double rank_site(const struct profile *profile, size_t i, const struct metric *metric)
{
    const struct metrics metrics = io_metrics_of_site(&profile->io_sites[i]);
    return metrics_rank(metrics_of_process(metric, profile, &metrics));
}

static double rank_file(const struct profile *profile, size_t i, const struct metric *metric)
{
    const struct metrics metrics = io_metrics_of_file(&profile->io_files[i]);
    return metrics_rank(metrics_of_process(metric, profile, &metrics));
}

static int order(const struct profile *profile, const struct report_options *options, size_t n,
                 double (*rank)(const struct profile *, size_t, const struct metric *),
                 size_t **indices_out)
{
    const bool sorts = options->sort && options->sort->scope == METRIC_IO;
    struct ranked *const all = calloc(n + 1, sizeof *all);
    size_t *const indices = calloc(n + 1, sizeof *indices);
    if (!all || !indices) {
        free(all);
        free(indices);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        all[i] = (struct ranked){i, sorts ? rank(profile, i, options->sort) : 0};
    if (sorts && n > 1)
        qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        indices[i] = all[i].index;
    free(all);
    *indices_out = indices;
    return 0;
}

static size_t count_top(const struct report_options *options, size_t n)
{
    return options->top && options->top < n ? options->top : n;
}

int io_metrics_order_sites(const struct profile *profile, const struct report_options *options,
                           size_t **indices_out, size_t *n_out)
{
    const int result = order(profile, options, profile->n_io_sites, rank_site, indices_out);
    if (result == 0)
        *n_out = count_top(options, profile->n_io_sites);
    return result;
}

int io_metrics_order_files(const struct profile *profile, const struct report_options *options,
                           size_t **indices_out, size_t *n_out)
{
    const int result = order(profile, options, profile->n_io_files, rank_file, indices_out);
    if (result == 0)
        *n_out = count_top(options, profile->n_io_files);
    return result;
}
