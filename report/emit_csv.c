/* SPDX-License-Identifier: MIT */
/* One table for a spreadsheet or a script: RFC 4180, lines end in CRLF.
 *
 * Every row has the same columns and says in the first which section it belongs to: the totals, a
 * process, a call site, an I/O site, a file, a slow call or a thread. The last column is the folded stack,
 * outermost frame first. A text that a spreadsheet would take for a formula gets an apostrophe in front. */
#include "report/csv.h"
#include "report/io_metrics.h"
#include "report/io_stacks.h"
#include "report/names.h"
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One line; what is NULL or 0 stays empty unless said otherwise. */
struct row {
    const char *section, *id;
    int32_t pid;
    uint32_t parent_id;
    size_t n_words; /* a command, or a thread's name, in place of a function */
    const char *const *words;
    const char *module;       /* with words */
    const struct site *stack; /* else: whose place and frames */
    struct metrics metrics;
    bool only_io;            /* `metrics` holds METRIC_IO alone */
    const struct site *site; /* in place of `metrics` */
    int64_t threads;         /* -1: empty */
    const struct quantiles *sizes, *lifetime, *latency;
    const char *layer, *op, *path;
    bool has_time;
    double t_seconds;
};

static void put_titles(struct csv *table)
{
    static const char *const before[] = {"section",  "id",   "pid",  "parent_id",
                                         "function", "file", "line", "module"};
    static const char *const after[] = {"threads",
                                        "size_min",
                                        "size_p50",
                                        "size_p95",
                                        "size_p99",
                                        "size_max",
                                        "lifetime_ns_p50",
                                        "lifetime_ns_p95",
                                        "lifetime_ns_p99",
                                        "lifetime_ns_max",
                                        "latency_ns_p50",
                                        "latency_ns_p95",
                                        "latency_ns_p99",
                                        "latency_ns_max",
                                        "layer",
                                        "op",
                                        "path",
                                        "t_seconds",
                                        "stack"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        csv_text(table, before[i]);
    for (size_t i = 0; i < metrics_count(); i++)
        csv_text(table, metrics_at(i)->name);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(table, after[i]);
    csv_end_row(table);
}

/* min where asked for, p50, p95, p99, max; empty where nothing was measured. */
static void put_quantiles(struct csv *table, const struct quantiles *q, bool with_min)
{
    if (!q || q->n == 0) {
        csv_empty(table, with_min ? 5 : 4);
        return;
    }
    if (with_min)
        csv_number(table, q->min);
    csv_number(table, q->p50);
    csv_number(table, q->p95);
    csv_number(table, q->p99);
    csv_number(table, q->max);
}

static void put_text(struct csv *table, const char *text)
{
    if (text)
        csv_text(table, text);
    else
        csv_empty(table, 1);
}

static void put_count(struct csv *table, uint64_t value)
{
    if (value)
        csv_number(table, value);
    else
        csv_empty(table, 1);
}

static void put_name(struct csv *table, const struct profile *profile, const struct row *row)
{
    if (row->stack) {
        csv_place(table, names_place(profile, row->stack));
        return;
    }
    csv_command(table, row->words, row->n_words);
    csv_empty(table, 2);
    put_text(table, row->module);
}

static struct metric_value value_of(const struct metric *metric, const struct profile *profile,
                                    const struct row *row)
{
    const bool is_io = metric->scope == METRIC_IO;
    if (row->site)
        return is_io ? (struct metric_value){0}
                     : metrics_of_site(metric, row->site, profile->totals.duration_seconds);
    if (row->only_io && !is_io)
        return (struct metric_value){0};
    return metrics_of_process(metric, profile, &row->metrics);
}

static void put_row(struct csv *table, const struct profile *profile, const struct row *row)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%" PRId32, row->pid);
    csv_text(table, row->section);
    put_text(table, row->id);
    put_text(table, row->pid ? pid : NULL);
    put_count(table, row->parent_id);
    put_name(table, profile, row);
    for (size_t i = 0; i < metrics_count(); i++)
        csv_metric(table, value_of(metrics_at(i), profile, row));
    if (row->threads >= 0)
        csv_number(table, (uint64_t)row->threads);
    else
        csv_empty(table, 1);
    put_quantiles(table, row->sizes, true);
    put_quantiles(table, row->lifetime, false);
    put_quantiles(table, row->latency, false);
    put_text(table, row->layer);
    put_text(table, row->op);
    put_text(table, row->path);
    csv_metric(table, (struct metric_value){row->has_time, true, 0, row->t_seconds});
    if (row->stack)
        csv_stack(table, profile, row->stack);
    else
        csv_empty(table, 1);
    csv_end_row(table);
}

static void put_totals(struct csv *table, const struct profile *profile)
{
    const struct row row = {
        .section = "totals",
        .n_words = profile->n_command,
        .words = profile->command,
        .metrics = profile->totals,
        .threads = (int64_t)profile->coverage.threads,
        .sizes = &profile->sizes,
        .lifetime = &profile->lifetime_ns,
    };
    put_row(table, profile, &row);
}

static void put_process(struct csv *table, const struct profile *profile,
                        const struct process *process)
{
    static const struct process_image no_image = {.executable = ""};
    const struct process_image *image =
        process->n_images ? &process->images[process->n_images - 1] : &no_image;
    char id[16];
    snprintf(id, sizeof id, "%" PRIu32, process->id);
    const struct row row = {
        .section = "process",
        .id = id,
        .pid = process->pid,
        .parent_id = process->parent_id,
        .n_words = image->n_arguments,
        .words = image->arguments,
        .module = image->executable,
        .metrics = process->totals,
        .threads = process->n_threads,
    };
    put_row(table, profile, &row);
}

static void put_site(struct csv *table, const struct profile *profile, const struct site *site)
{
    const struct row row = {
        .section = "call_site",
        .id = site->id,
        .stack = site,
        .site = site,
        .threads = site->n_threads,
        .sizes = &site->sizes,
        .lifetime = &site->lifetime_ns,
    };
    put_row(table, profile, &row);
}

static void put_io_site(struct csv *table, const struct profile *profile,
                        const struct io_site *site)
{
    const struct site stack = IO_STACK(site);
    const struct row row = {
        .section = "io_site",
        .id = site->id,
        .stack = &stack,
        .metrics = io_metrics_of_site(site),
        .only_io = true,
        .threads = site->n_threads,
        .sizes = &site->sizes,
        .latency = &site->latency_ns,
        .layer = site->layer == IO_LAYER_STDIO ? "stdio" : "syscall",
        .op = site->op,
        .path = site->path,
    };
    put_row(table, profile, &row);
}

static void put_file(struct csv *table, const struct profile *profile, const struct io_file *file)
{
    const struct row row = {
        .section = "file",
        .threads = -1,
        .metrics = io_metrics_of_file(file),
        .only_io = true,
        .latency = &file->latency_ns,
        .path = file->path,
    };
    put_row(table, profile, &row);
}

static void put_slow_call(struct csv *table, const struct profile *profile,
                          const struct io_slow_call *call)
{
    const struct site stack = IO_STACK(call);
    const struct row row = {
        .section = "slow_call",
        .threads = -1,
        .pid = call->tid,
        .stack = &stack,
        .metrics = {.io_seconds = call->seconds},
        .only_io = true,
        .op = call->op,
        .path = call->path,
        .has_time = true,
        .t_seconds = call->t_seconds,
    };
    put_row(table, profile, &row);
}

static void put_thread(struct csv *table, const struct profile *profile,
                       const struct io_thread *thread)
{
    const struct row row = {
        .section = "thread",
        .threads = -1,
        .pid = thread->tid,
        .parent_id = thread->process_id,
        .n_words = 1,
        .words = &thread->name,
        .metrics = {.io_calls = thread->calls, .io_seconds = thread->seconds},
        .only_io = true,
    };
    put_row(table, profile, &row);
}

static int put_sites(struct csv *table, const struct profile *profile,
                     const struct report_options *options)
{
    const struct site **sites = NULL;
    size_t n = 0;
    const int result = report_pick_sites(profile, options, &sites, &n);
    for (size_t i = 0; i < n; i++)
        put_site(table, profile, sites[i]);
    free(sites);
    return result;
}

static int put_io(struct csv *table, const struct profile *profile,
                  const struct report_options *options)
{
    size_t *indices = NULL;
    size_t n = 0;
    int result = io_metrics_order_sites(profile, options, &indices, &n);
    for (size_t i = 0; i < n; i++)
        put_io_site(table, profile, &profile->io_sites[indices[i]]);
    free(indices);
    if (result < 0)
        return result;
    indices = NULL;
    n = 0;
    result = io_metrics_order_files(profile, options, &indices, &n);
    for (size_t i = 0; i < n; i++)
        put_file(table, profile, &profile->io_files[indices[i]]);
    free(indices);
    return result;
}

int emit_csv(const struct profile *profile, const struct report_options *options, FILE *out)
{
    struct csv table = {.out = out, .first = true};
    const size_t top = options->top ? options->top : SIZE_MAX;
    put_titles(&table);
    put_totals(&table, profile);
    for (uint32_t i = 0; i < profile->n_processes; i++)
        put_process(&table, profile, &profile->processes[i]);
    int result = put_sites(&table, profile, options);
    if (result == 0)
        result = put_io(&table, profile, options);
    for (size_t i = 0; i < profile->n_io_slow_calls && i < top; i++)
        put_slow_call(&table, profile, &profile->io_slow_calls[i]);
    for (size_t i = 0; i < profile->n_io_threads && i < top; i++)
        put_thread(&table, profile, &profile->io_threads[i]);
    return table.failed ? -ENOMEM : result;
}
