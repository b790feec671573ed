/* SPDX-License-Identifier: MIT */
/* Which sections are there, and in which order? What was lost comes first: it qualifies the rest. */
#include "report/sections.h"

#include <errno.h>

static const struct section sections[] = {
    {"coverage", view_coverage},
    {"rates", view_rates},
    {"sorted", view_sorted},
    {"most_calls", view_most_calls},
    {"peak_memory", view_peak},
    {"leaks", view_leaks},
    {"temporary", view_temporary},
    {"lifetimes", view_lifetimes},
    {"sizes", view_sizes},
    {"hot_io", view_hot_io},
    {"files", view_files},
    {"slowest_calls", view_slowest_calls},
    {"flushes", view_flushes},
    {"blocking", view_blocking},
    {"open_descriptors", view_open_descriptors},
    {"processes", view_processes},
    {"marks", view_marks},
};

size_t sections_count(void)
{
    return sizeof sections / sizeof *sections;
}

const struct section *sections_at(size_t i)
{
    return i < sections_count() ? &sections[i] : NULL;
}

int sections_build(size_t i, const struct profile *profile, const struct report_options *options,
                   struct view *view_out)
{
    struct view view = {0};
    const int result = sections[i].build(profile, options, &view);
    if (result < 0 || view.failed) {
        view_fini(&view);
        return result < 0 ? result : -ENOMEM;
    }
    *view_out = view;
    return 0;
}
