/* SPDX-License-Identifier: MIT */
/* One table for a spreadsheet or a script: RFC 4180, lines end in CRLF.
 *
 * Every row has the same columns and says in the first which section it belongs to: the totals, a
 * process or a call site. The last column is the folded stack, outermost frame first. A text that a
 * spreadsheet would take for a formula gets an apostrophe in front. */
#include "report/csv.h"
#include "report/names.h"
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* min, p50, p95, p99, max of sizes, then p50..max of lifetimes; empty where nothing was measured. */
static void put_quantiles(struct csv *table, const struct quantiles *sizes,
                          const struct quantiles *lifetime)
{
    if (sizes && sizes->n > 0) {
        csv_number(table, sizes->min);
        csv_number(table, sizes->p50);
        csv_number(table, sizes->p95);
        csv_number(table, sizes->p99);
        csv_number(table, sizes->max);
    } else {
        csv_empty(table, 5);
    }
    if (lifetime && lifetime->n > 0) {
        csv_number(table, lifetime->p50);
        csv_number(table, lifetime->p95);
        csv_number(table, lifetime->p99);
        csv_number(table, lifetime->max);
    } else {
        csv_empty(table, 4);
    }
}

/* I/O is not measured by this version, and a column that is always empty helps nobody. */
static bool is_column(const struct metric *metric)
{
    return metric->scope != METRIC_NOT_MEASURED;
}

static void put_titles(struct csv *table)
{
    static const char *const before[] = {"section",  "id",   "pid",  "parent_id",
                                         "function", "file", "line", "module"};
    static const char *const after[] = {
        "threads",  "size_min",        "size_p50",        "size_p95",        "size_p99",
        "size_max", "lifetime_ns_p50", "lifetime_ns_p95", "lifetime_ns_p99", "lifetime_ns_max",
        "stack"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        csv_text(table, before[i]);
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            csv_text(table, metrics_at(i)->name);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(table, after[i]);
    csv_end_row(table);
}

static void put_process_metrics(struct csv *table, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            csv_metric(table, metrics_of_process(metrics_at(i), metrics));
}

static void put_totals(struct csv *table, const struct profile *profile)
{
    csv_text(table, "totals");
    csv_empty(table, 3);
    csv_command(table, profile->command, profile->n_command);
    csv_empty(table, 3);
    put_process_metrics(table, &profile->totals);
    csv_number(table, profile->coverage.threads);
    put_quantiles(table, &profile->sizes, &profile->lifetime_ns);
    csv_empty(table, 1);
    csv_end_row(table);
}

static void put_process(struct csv *table, const struct process *process)
{
    static const struct process_image no_image = {.executable = ""};
    char pid[16];
    const struct process_image *image =
        process->n_images ? &process->images[process->n_images - 1] : &no_image;
    csv_text(table, "process");
    csv_number(table, process->id);
    snprintf(pid, sizeof pid, "%" PRId32, process->pid);
    csv_text(table, pid);
    if (process->parent_id)
        csv_number(table, process->parent_id);
    else
        csv_empty(table, 1);
    csv_command(table, image->arguments, image->n_arguments);
    csv_empty(table, 2);
    csv_text(table, image->executable);
    put_process_metrics(table, &process->totals);
    csv_number(table, process->n_threads);
    put_quantiles(table, NULL, NULL);
    csv_empty(table, 1);
    csv_end_row(table);
}

static void put_site(struct csv *table, const struct profile *profile, const struct site *site)
{
    csv_text(table, "call_site");
    csv_text(table, site->id);
    csv_empty(table, 2);
    csv_place(table, names_place(profile, site));
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            csv_metric(table,
                       metrics_of_site(metrics_at(i), site, profile->totals.duration_seconds));
    csv_number(table, site->n_threads);
    put_quantiles(table, &site->sizes, &site->lifetime_ns);
    csv_stack(table, profile, site);
    csv_end_row(table);
}

int emit_csv(const struct profile *profile, const struct report_options *options, FILE *out)
{
    struct csv table = {.out = out, .first = true};
    const struct site **sites = NULL;
    size_t n = 0;
    const int result = report_pick_sites(profile, options, &sites, &n);
    if (result < 0)
        return result;
    put_titles(&table);
    put_totals(&table, profile);
    for (uint32_t i = 0; i < profile->n_processes; i++)
        put_process(&table, &profile->processes[i]);
    for (size_t i = 0; i < n; i++)
        put_site(&table, profile, sites[i]);
    free(sites);
    return table.failed ? -ENOMEM : 0;
}
