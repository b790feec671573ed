/* SPDX-License-Identifier: MIT */
/* The result as tables for people. */
#include "replay/replay.h"

#include <string.h>

enum { NAME_COLUMNS = 24 };

static const char *name_of(const struct replay_result *result, size_t i, char text[64])
{
    const struct replay_variant *const variant = &result->variants[i];
    if (variant->row == 0)
        snprintf(text, 64, "%.60s", variant->allocator);
    else if (variant->row < 0)
        snprintf(text, 64, "%.30s + whole plan", variant->allocator);
    else
        snprintf(text, 64, "%.30s + row %d", variant->allocator, variant->row);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    return text;
}

static const char *bytes_text(double bytes, char text[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

/* One of 0 was not measured. */
static const char *ns_text(double ns, char text[32])
{
    if (ns > 0)
        snprintf(text, 32, "%.1f", ns);
    else
        snprintf(text, 32, "-");
    return text;
}

static void print_head(const struct replay_result *result, FILE *out)
{
    const uint64_t *const n = result->n_calls;
    fprintf(out,
            "process %u, %u thread%s, %llu calls: %llu allocations, %llu resizes, %llu frees\n",
            result->process_id, result->n_threads, result->n_threads == 1 ? "" : "s",
            (unsigned long long)result->n_all_calls,
            (unsigned long long)(n[OPS_MALLOC] + n[OPS_CALLOC] + n[OPS_ALIGNED]),
            (unsigned long long)n[OPS_RESIZE], (unsigned long long)n[OPS_RELEASE]);
    if (result->recorded_seconds > 0)
        fprintf(out, "when recorded the allocator took about %.4f s\n", result->recorded_seconds);
    fprintf(out, "median of %u run%s (least to most)\n\n", result->n_runs,
            result->n_runs == 1 ? "" : "s");
}

static void print_times(const struct replay_result *result, FILE *out)
{
    char name[64], acquire[32], resize[32], release[32];
    fprintf(out, "%-*s %9s %-19s %8s | one call, ns: %8s %8s %8s\n", NAME_COLUMNS, "TIME",
            "seconds", "", "ns/call", "allocate", "resize", "free");
    for (size_t i = 0; i < result->n_variants; i++) {
        const struct replay_variant *const variant = &result->variants[i];
        char range[32];
        snprintf(range, sizeof range, "(%.4f to %.4f)", variant->seconds.least,
                 variant->seconds.most);
        fprintf(out, "%-*s %9.4f %-19s %8.1f |               %8s %8s %8s\n", NAME_COLUMNS,
                name_of(result, i, name), variant->seconds.median, range,
                variant->ns_per_call.median,
                ns_text(variant->call_ns[OPS_ACQUIRES].median, acquire),
                ns_text(variant->call_ns[OPS_RESIZES].median, resize),
                ns_text(variant->call_ns[OPS_RELEASES].median, release));
    }
}

static void print_memory(const struct replay_result *result, FILE *out)
{
    char name[64], peak[32], rss[32], live[32];
    fprintf(out, "\n%-*s %11s %14s %13s %13s %9s\n", NAME_COLUMNS, "MEMORY", "peak RSS",
            "RSS, most live", "bytes live", "fragmentation", "faults");
    for (size_t i = 0; i < result->n_variants; i++) {
        const struct replay_variant *const variant = &result->variants[i];
        fprintf(out, "%-*s %11s %14s %13s %13.2f %9.0f\n", NAME_COLUMNS, name_of(result, i, name),
                bytes_text(variant->peak_rss_bytes.median, peak),
                bytes_text(variant->rss_at_peak_bytes.median, rss),
                bytes_text(variant->live_at_peak_bytes.median, live), variant->fragmentation.median,
                variant->faults.median);
    }
}

static void print_rows(const struct replay_result *result, FILE *out)
{
    char before[32], after[32];
    if (result->n_rows == 0)
        return;
    fprintf(out, "\n%-4s %-16s %-9s %12s %12s %10s %10s\n", "ROW", "call site", "technique",
            "served", "overflowed", "ns before", "ns after");
    for (size_t i = 0; i < result->n_rows; i++) {
        const struct replay_row *const row = &result->rows[i];
        fprintf(out, "%-4zu %-16s %-9s %12llu %12llu %10s %10s%s\n", i + 1, row->plan->site,
                plan_technique_name(row->plan->technique), (unsigned long long)row->n_served,
                (unsigned long long)row->n_overflowed, ns_text(row->call_ns_before.median, before),
                ns_text(row->call_ns_after.median, after),
                row->is_found ? "" : "  no such call site");
    }
}

static void note(uint64_t n, const char *what, FILE *out)
{
    if (n)
        fprintf(out, "note: %llu %s\n", (unsigned long long)n, what);
}

static void print_notes(const struct replay_result *result, FILE *out)
{
    const struct program_counts *const counts = &result->counts;
    fputc('\n', out);
    note(result->lost_events, "events were lost when recording: the sequence has holes", out);
    if (result->is_truncated)
        fputs("note: the trace is cut: what came after the cut is not replayed\n", out);
    note(counts->unknown_resizes, "resizes of blocks never seen are replayed as allocations", out);
    note(counts->failed_resizes, "resizes that had failed are left out", out);
    note(counts->unknown_releases + counts->inherited_releases,
         "frees of blocks that the process did not allocate are left out", out);
    note(counts->inferred_releases,
         "frees were added, for blocks that exec or a lost event took away", out);
    for (size_t i = 0; i < result->n_variants; i++) {
        char name[64];
        if (result->variants[i].n_failed)
            fprintf(out, "note: under %s %llu calls got no memory\n", name_of(result, i, name),
                    (unsigned long long)result->variants[i].n_failed);
    }
}

int replay_print_text(const struct replay_result *result, FILE *out)
{
    print_head(result, out);
    print_times(result, out);
    print_memory(result, out);
    print_rows(result, out);
    print_notes(result, out);
    return 0;
}
