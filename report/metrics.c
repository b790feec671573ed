/* SPDX-License-Identifier: MIT */
/* Which metrics are there, and where does each stand? One row per metric of docs/METRICS.md. */
#include "report/metrics.h"

#include <math.h>
#include <string.h>

#define IN(field)   offsetof(struct metrics, field)
#define SITE(field) offsetof(struct site, field)

static const struct metric metrics[] = {
    {"alloc_count", UNIT_COUNT, METRIC_ANY, IN(alloc_count)},
    {"realloc_count", UNIT_COUNT, METRIC_ANY, IN(realloc_count)},
    {"free_count", UNIT_COUNT, METRIC_ANY, IN(free_count)},
    {"alloc_bytes", UNIT_BYTES, METRIC_ANY, IN(alloc_bytes)},
    {"peak_bytes", UNIT_BYTES, METRIC_ANY, IN(peak_bytes)},
    {"peak_count", UNIT_COUNT, METRIC_ANY, IN(peak_count)},
    {"leaked_count", UNIT_COUNT, METRIC_ANY, IN(leaked_count)},
    {"leaked_bytes", UNIT_BYTES, METRIC_ANY, IN(leaked_bytes)},
    {"temporary_count", UNIT_COUNT, METRIC_ANY, IN(temporary_count)},
    {"slack_bytes", UNIT_BYTES, METRIC_ANY, IN(slack_bytes)},
    {"copied_bytes", UNIT_BYTES, METRIC_ANY, IN(copied_bytes)},
    {"alloc_rate", UNIT_RATE, METRIC_ANY, IN(alloc_rate)},
    {"alloc_byte_rate", UNIT_BYTE_RATE, METRIC_ANY, IN(alloc_byte_rate)},
    {"peak_alloc_rate", UNIT_RATE, METRIC_PROCESS, IN(peak_alloc_rate)},
    {"peak_alloc_byte_rate", UNIT_BYTE_RATE, METRIC_PROCESS, IN(peak_alloc_byte_rate)},
    {"mapped_bytes", UNIT_BYTES, METRIC_PROCESS, IN(mapped_bytes)},
    {"mapped_peak_bytes", UNIT_BYTES, METRIC_PROCESS, IN(mapped_peak_bytes)},
    {"max_live_count", UNIT_COUNT, METRIC_SITE, SITE(max_live_count)},
    {"max_live_bytes", UNIT_BYTES, METRIC_SITE, SITE(max_live_bytes)},
    {"io_calls", UNIT_COUNT, METRIC_IO, IN(io_calls)},
    {"io_read_calls", UNIT_COUNT, METRIC_IO, IN(io_read_calls)},
    {"io_write_calls", UNIT_COUNT, METRIC_IO, IN(io_write_calls)},
    {"io_read_bytes", UNIT_BYTES, METRIC_IO, IN(io_read_bytes)},
    {"io_write_bytes", UNIT_BYTES, METRIC_IO, IN(io_write_bytes)},
    {"io_seconds", UNIT_SECONDS, METRIC_IO, IN(io_seconds)},
    {"stdio_calls", UNIT_COUNT, METRIC_IO, IN(stdio_calls)},
    {"fsync_count", UNIT_COUNT, METRIC_IO, IN(fsync_count)},
    {"open_count", UNIT_COUNT, METRIC_IO, IN(open_count)},
    {"seek_count", UNIT_COUNT, METRIC_IO, IN(seek_count)},
    {"stat_count", UNIT_COUNT, METRIC_IO, IN(stat_count)},
    {"events", UNIT_COUNT, METRIC_PROCESS, IN(events)},
    {"lost_events", UNIT_COUNT, METRIC_PROCESS, IN(lost_events)},
    {"duration_seconds", UNIT_SECONDS, METRIC_PROCESS, IN(duration_seconds)},
};

size_t metrics_count(void)
{
    return sizeof metrics / sizeof *metrics;
}

const struct metric *metrics_at(size_t i)
{
    return i < metrics_count() ? &metrics[i] : NULL;
}

const struct metric *metrics_find(const char *name)
{
    for (size_t i = 0; i < metrics_count(); i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

static bool is_real(enum unit unit)
{
    return unit == UNIT_SECONDS || unit == UNIT_RATE || unit == UNIT_BYTE_RATE;
}

static struct metric_value read_at(const struct metric *metric, const void *from)
{
    struct metric_value value = {.present = true, .is_real = is_real(metric->unit)};
    const char *place = (const char *)from + metric->offset;
    if (value.is_real)
        memcpy(&value.real, place, sizeof value.real);
    else
        memcpy(&value.integer, place, sizeof value.integer);
    if (value.is_real && (!isfinite(value.real) || value.real < 0))
        value.real = 0;
    return value;
}

struct metric_value metrics_of_process(const struct metric *metric, const struct profile *profile,
                                       const struct metrics *from)
{
    const bool known =
        metric->scope == METRIC_IO ? profile->io_recorded : metric->scope != METRIC_SITE;
    return known ? read_at(metric, from) : (struct metric_value){0};
}

struct metric_value metrics_of_site(const struct metric *metric, const struct site *site,
                                    double duration_seconds)
{
    if (metric->scope == METRIC_SITE)
        return read_at(metric, site);
    if (metric->scope == METRIC_PROCESS)
        return (struct metric_value){0};
    struct metric_value value = read_at(metric, &site->metrics);
    if (value.is_real && metric->scope == METRIC_ANY) {
        const uint64_t sum =
            metric->unit == UNIT_BYTE_RATE ? site->metrics.alloc_bytes : site->metrics.alloc_count;
        value.real = duration_seconds > 0 ? (double)sum / duration_seconds : 0;
    }
    return value;
}

double metrics_rank(struct metric_value value)
{
    if (!value.present)
        return 0;
    return value.is_real ? value.real : (double)value.integer;
}
