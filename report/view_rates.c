/* SPDX-License-Identifier: MIT */
/* How much did the run allocate, read and write in all, and how fast? One row per total. */
#include "report/sections.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void add_columns(struct view *view)
{
    view_column(view, "what", "", UNIT_TEXT);
    view_column(view, "value", "", UNIT_COUNT);
    view_column(view, "per_second", "per second", UNIT_RATE);
    view_column(view, "remark", "", UNIT_TEXT);
}

static void begin(struct view *view, const char *what, enum unit unit, uint64_t value)
{
    view_row(view, VIEW_ROW_PLAIN, 0, false);
    view_text(view, what);
    view_integer(view, unit, value);
}

/* One number in words, for a remark. The buffer is the caller's to release. */
static const char *words(struct buffer *text, enum unit unit, double value)
{
    buffer_reset(text);
    if (unit == UNIT_COUNT || unit == UNIT_BYTES)
        units_add_integer(text, unit, value < 1.8e19 ? (uint64_t)value : UINT64_MAX);
    else
        units_add_real(text, unit, value);
    return buffer_string(text);
}

/* The most in any second. Of a run shorter than that it would be the total, and below the mean. */
static void add_busiest(struct view *view, enum unit unit, double value, double run_seconds,
                        struct buffer *text)
{
    if (run_seconds >= 1)
        view_words(view, "%s in the busiest second", words(text, unit, value));
}

static void add_flow(const struct profile *profile, struct view *view, struct buffer *text)
{
    const struct metrics *m = &profile->totals;
    const double seconds = profile->totals.duration_seconds;
    const double calls = (double)m->alloc_count + (double)m->realloc_count;
    begin(view, "allocations", UNIT_COUNT, m->alloc_count);
    view_real(view, UNIT_RATE, m->alloc_rate);
    add_busiest(view, UNIT_RATE, m->peak_alloc_rate, seconds, text);

    begin(view, "reallocations", UNIT_COUNT, m->realloc_count);
    view_real(view, UNIT_RATE, view_share((double)m->realloc_count, seconds));
    if (m->copied_bytes > 0)
        view_words(view, "%s copied by those that moved",
                   words(text, UNIT_BYTES, (double)m->copied_bytes));

    begin(view, "frees", UNIT_COUNT, m->free_count);
    view_real(view, UNIT_RATE, view_share((double)m->free_count, seconds));

    begin(view, "temporary", UNIT_COUNT, m->temporary_count);
    view_real(view, UNIT_RATE, view_share((double)m->temporary_count, seconds));
    view_words(view, "%s of all calls",
               words(text, UNIT_SHARE, view_share((double)m->temporary_count, calls)));

    begin(view, "requested", UNIT_BYTES, m->alloc_bytes);
    view_real(view, UNIT_BYTE_RATE, m->alloc_byte_rate);
    add_busiest(view, UNIT_BYTE_RATE, m->peak_alloc_byte_rate, seconds, text);
}

/* Requested bytes at each process's own peak: what slack_bytes, a sum over processes, comes on top of. */
static double requested_at_peaks(const struct profile *profile)
{
    double sum = 0;
    for (uint32_t i = 0; i < profile->n_processes; i++)
        sum += (double)profile->processes[i].totals.peak_bytes;
    return sum;
}

static void add_levels(const struct profile *profile, struct view *view, struct buffer *text)
{
    const struct metrics *m = &profile->totals;
    const bool several = profile->n_processes > 1;
    begin(view, "peak heap", UNIT_BYTES, m->peak_bytes);
    view_skip(view);
    struct buffer when = {0};
    units_add_real(&when, UNIT_SECONDS, profile->peak_seconds);
    view_words(view, "%s block%s after %s%s", words(text, UNIT_COUNT, (double)m->peak_count),
               m->peak_count == 1 ? "" : "s", buffer_string(&when),
               several ? ", largest process" : "");
    view->failed |= when.failed;
    buffer_fini(&when);

    begin(view, "slack at peak", UNIT_BYTES, m->slack_bytes);
    view_skip(view);
    view_words(
        view,
        several ? "%s on top, each process at its own peak" : "%s on top of what was requested",
        words(text, UNIT_SHARE, view_share((double)m->slack_bytes, requested_at_peaks(profile))));

    if (profile->peak_rss_bytes > 0) { /* else the run was over before the first sample */
        begin(view, "peak RSS", UNIT_BYTES, profile->peak_rss_bytes);
        view_skip(view);
        view_words(view, "sampled, with the shim's own memory");
    }

    begin(view, "leaked", UNIT_BYTES, m->leaked_bytes);
    view_skip(view);
    view_words(view, "%s block%s never freed", words(text, UNIT_COUNT, (double)m->leaked_count),
               m->leaked_count == 1 ? "" : "s");

    if (m->mapped_bytes == 0)
        return;
    begin(view, "mapped", UNIT_BYTES, m->mapped_bytes);
    view_skip(view);
    view_words(view,
               several ? "anonymous; all processes' peaks: %s"
                       : "anonymous mmap, %s at most at once",
               words(text, UNIT_BYTES, (double)m->mapped_peak_bytes));
}

/* Bytes in words, and how many per second. */
static void add_bytes(struct view *view, uint64_t bytes, double seconds, struct buffer *text)
{
    struct buffer rate = {0};
    units_add_real(&rate, UNIT_BYTE_RATE, view_share((double)bytes, seconds));
    view_words(view, "%s, %s", words(text, UNIT_BYTES, (double)bytes), buffer_string(&rate));
    view->failed |= rate.failed;
    buffer_fini(&rate);
}

static void add_io(const struct profile *profile, struct view *view, struct buffer *text)
{
    const struct metrics *m = &profile->totals;
    const double seconds = m->duration_seconds;
    const struct {
        const char *what;
        uint64_t n, bytes;
        bool always;
    } rows[] = {
        {"reads", m->io_read_calls, m->io_read_bytes, true},
        {"writes", m->io_write_calls, m->io_write_bytes, true},
        {"stdio calls", m->stdio_calls, 0, false},
        {"syncs", m->fsync_count, 0, false},
        {"opens", m->open_count, 0, false},
        {"seeks", m->seek_count, 0, false},
        {"stats", m->stat_count, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].n == 0 && !rows[i].always)
            continue;
        begin(view, rows[i].what, UNIT_COUNT, rows[i].n);
        view_real(view, UNIT_RATE, view_share((double)rows[i].n, seconds));
        if (rows[i].bytes > 0)
            add_bytes(view, rows[i].bytes, seconds, text);
    }
    view_row(view, VIEW_ROW_PLAIN, 0, false);
    view_text(view, "I/O time");
    view_real(view, UNIT_SECONDS, m->io_seconds);
    view_skip(view);
    view_words(view, "%s of the run time%s",
               words(text, UNIT_SHARE, view_share(m->io_seconds, seconds)),
               profile->coverage.threads > 1 ? ", all threads" : "");
}

int view_rates(const struct profile *profile, const struct report_options *options,
               struct view *view_out)
{
    (void)options;
    struct buffer text = {0};
    view_init(view_out, "rates", "RATES", "the whole run");
    add_columns(view_out);
    view_row(view_out, VIEW_ROW_PLAIN, 0, false);
    view_text(view_out, "run time");
    view_real(view_out, UNIT_SECONDS, profile->totals.duration_seconds);
    view_skip(view_out);
    view_words(view_out, "%" PRIu64 " process%s, %" PRIu64 " thread%s", profile->coverage.processes,
               profile->coverage.processes == 1 ? "" : "es", profile->coverage.threads,
               profile->coverage.threads == 1 ? "" : "s");
    add_flow(profile, view_out, &text);
    add_levels(profile, view_out, &text);
    if (profile->io_recorded)
        add_io(profile, view_out, &text);
    view_out->failed |= text.failed;
    buffer_fini(&text);
    return 0;
}
