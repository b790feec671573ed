/* SPDX-License-Identifier: MIT */
/* One table for a spreadsheet or a script: RFC 4180, lines end in CRLF.
 *
 * Every row has the same columns and says in the first which section it belongs to: the totals, a
 * process or a call site. The last column is the folded stack, outermost frame first. A text that a
 * spreadsheet would take for a formula gets an apostrophe in front. */
#include "report/escape.h"
#include "report/names.h"
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct table {
    FILE *out;
    bool first; /* no cell in this row yet */
    bool failed;
};

static void begin_cell(struct table *table)
{
    if (!table->first)
        fputc(',', table->out);
    table->first = false;
}

static void end_row(struct table *table)
{
    fputs("\r\n", table->out);
    table->first = true;
}

static void put_text(struct table *table, const char *raw)
{
    struct buffer text = {0};
    begin_cell(table);
    escape_text(&text, raw, false);
    const char *at = buffer_string(&text);
    const bool formula = *at && strchr("=+-@", *at) != NULL;
    const bool quoted = strpbrk(at, ",;\"\r\n") != NULL || *at == ' ';
    fputs(quoted ? "\"" : "", table->out);
    fputs(formula ? "'" : "", table->out);
    for (; *at; at++) {
        if (*at == '"')
            fputc('"', table->out);
        fputc(*at, table->out);
    }
    fputs(quoted ? "\"" : "", table->out);
    table->failed |= text.failed;
    buffer_fini(&text);
}

static void put_number(struct table *table, uint64_t value)
{
    begin_cell(table);
    fprintf(table->out, "%" PRIu64, value);
}

static void put_metric(struct table *table, struct metric_value value)
{
    begin_cell(table);
    if (!value.present)
        return;
    if (value.is_real)
        fprintf(table->out, "%.9g", value.real);
    else
        fprintf(table->out, "%" PRIu64, value.integer);
}

static void put_empty(struct table *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        begin_cell(table);
}

/* min, p50, p95, p99, max of sizes, then p50..max of lifetimes; empty where nothing was measured. */
static void put_quantiles(struct table *table, const struct quantiles *sizes,
                          const struct quantiles *lifetime)
{
    if (sizes && sizes->n > 0) {
        put_number(table, sizes->min);
        put_number(table, sizes->p50);
        put_number(table, sizes->p95);
        put_number(table, sizes->p99);
        put_number(table, sizes->max);
    } else {
        put_empty(table, 5);
    }
    if (lifetime && lifetime->n > 0) {
        put_number(table, lifetime->p50);
        put_number(table, lifetime->p95);
        put_number(table, lifetime->p99);
        put_number(table, lifetime->max);
    } else {
        put_empty(table, 4);
    }
}

/* I/O is not measured by this version, and a column that is always empty helps nobody. */
static bool is_column(const struct metric *metric)
{
    return metric->scope != METRIC_NOT_MEASURED;
}

static void put_titles(struct table *table)
{
    static const char *const before[] = {"section",  "id",   "pid",  "parent_id",
                                         "function", "file", "line", "module"};
    static const char *const after[] = {
        "threads",  "size_min",        "size_p50",        "size_p95",        "size_p99",
        "size_max", "lifetime_ns_p50", "lifetime_ns_p95", "lifetime_ns_p99", "lifetime_ns_max",
        "stack"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        put_text(table, before[i]);
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            put_text(table, metrics_at(i)->name);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        put_text(table, after[i]);
    end_row(table);
}

static void put_process_metrics(struct table *table, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            put_metric(table, metrics_of_process(metrics_at(i), metrics));
}

static void put_command(struct table *table, const char *const *words, size_t n)
{
    struct buffer command = {0};
    names_add_command(&command, words, n);
    put_text(table, buffer_string(&command));
    table->failed |= command.failed;
    buffer_fini(&command);
}

static void put_totals(struct table *table, const struct profile *profile)
{
    put_text(table, "totals");
    put_empty(table, 3);
    put_command(table, profile->command, profile->n_command);
    put_empty(table, 3);
    put_process_metrics(table, &profile->totals);
    put_number(table, profile->coverage.threads);
    put_quantiles(table, &profile->sizes, &profile->lifetime_ns);
    put_empty(table, 1);
    end_row(table);
}

static void put_process(struct table *table, const struct process *process)
{
    static const struct process_image no_image = {.executable = ""};
    const struct process_image *image =
        process->n_images ? &process->images[process->n_images - 1] : &no_image;
    put_text(table, "process");
    put_number(table, process->id);
    begin_cell(table);
    fprintf(table->out, "%" PRId32, process->pid);
    if (process->parent_id)
        put_number(table, process->parent_id);
    else
        put_empty(table, 1);
    put_command(table, image->arguments, image->n_arguments);
    put_empty(table, 2);
    put_text(table, image->executable);
    put_process_metrics(table, &process->totals);
    put_number(table, process->n_threads);
    put_quantiles(table, NULL, NULL);
    put_empty(table, 1);
    end_row(table);
}

/* Frames from the outermost to the innermost, joined by ';' as flame graph tools read them. */
static void put_stack(struct table *table, const struct profile *profile, const struct site *site)
{
    struct buffer stack = {0};
    for (uint32_t i = site->n_frames; i-- > 0;) {
        const struct profile_frame *frame = names_frame(profile, site, i);
        const size_t start = stack.length;
        if (frame)
            names_add_function(&stack, frame);
        for (size_t at = start; at < stack.length; at++)
            if (stack.data[at] == ';')
                stack.data[at] = ':';
        buffer_text(&stack, i ? ";" : "");
    }
    put_text(table, buffer_string(&stack));
    table->failed |= stack.failed;
    buffer_fini(&stack);
}

static void put_place(struct table *table, const struct profile_frame *frame)
{
    struct buffer name = {0};
    if (frame)
        names_add_function(&name, frame);
    else
        buffer_text(&name, NAMES_NO_STACK);
    put_text(table, buffer_string(&name));
    put_text(table, frame ? frame->file : "");
    if (frame && frame->line)
        put_number(table, frame->line);
    else
        put_empty(table, 1);
    put_text(table, frame ? frame->module : "");
    table->failed |= name.failed;
    buffer_fini(&name);
}

static void put_site(struct table *table, const struct profile *profile, const struct site *site)
{
    put_text(table, "call_site");
    put_text(table, site->id);
    put_empty(table, 2);
    put_place(table, names_place(profile, site));
    for (size_t i = 0; i < metrics_count(); i++)
        if (is_column(metrics_at(i)))
            put_metric(table,
                       metrics_of_site(metrics_at(i), site, profile->totals.duration_seconds));
    put_number(table, site->n_threads);
    put_quantiles(table, &site->sizes, &site->lifetime_ns);
    put_stack(table, profile, site);
    end_row(table);
}

int emit_csv(const struct profile *profile, const struct report_options *options, FILE *out)
{
    struct table table = {.out = out, .first = true};
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
