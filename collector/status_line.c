/* SPDX-License-Identifier: MIT */
/* How numbers are shortened for a glance. */
#include "collector/status_line.h"

#include <stdio.h>

static const char *scaled(uint64_t n, unsigned step, const char *const *units, char *text)
{
    double value = (double)n;
    size_t unit = 0;
    while (value >= step && units[unit + 1]) {
        value /= step;
        unit++;
    }
    if (unit == 0)
        snprintf(text, 32, "%llu%s", (unsigned long long)n, units[0]);
    else
        snprintf(text, 32, "%.*f%s", value < 99.95 ? 1 : 0, value, units[unit]);
    return text;
}

const char *status_line_bytes(uint64_t n_bytes, char text[static 32])
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", NULL};
    return scaled(n_bytes, 1024, units, text);
}

const char *status_line_count(uint64_t n, char text[static 32])
{
    static const char *const units[] = {"", " k", " M", " G", NULL};
    return scaled(n, 1000, units, text);
}

const char *status_line_duration(uint64_t duration_ns, char text[static 32])
{
    const double seconds = (double)duration_ns / 1e9;
    const unsigned long long whole = duration_ns / 1000000000U;
    if (seconds < 9.995)
        snprintf(text, 32, "%.*f s", seconds < 0.9995 ? 3 : 2, seconds);
    else if (seconds < 59.95)
        snprintf(text, 32, "%.1f s", seconds);
    else if (whole < 3600)
        snprintf(text, 32, "%llu min %02llu s", whole / 60, whole % 60);
    else
        snprintf(text, 32, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
    return text;
}

void status_line_format(const struct board *board, uint64_t now_ns, char *line, size_t cap)
{
    char elapsed[32];
    char events[32];
    char live[32];
    const uint64_t started_ns = atomic_load(&board->started_ns);
    /* A thread may have counted a free that another's count of the allocation has not reached. */
    int64_t live_bytes = (int64_t)atomic_load(&board->live_bytes);
    if (live_bytes < 0)
        live_bytes = 0;
    snprintf(line, cap, "heapwise: %s  %s events  %s live",
             status_line_duration(now_ns > started_ns ? now_ns - started_ns : 0, elapsed),
             status_line_count(atomic_load(&board->n_events), events),
             status_line_bytes((uint64_t)live_bytes, live));
}
