/* SPDX-License-Identifier: MIT */
/* Where does the program read, write and wait for devices? The trees of places that do I/O. */
#include "report/io_stacks.h"
#include "report/io_words.h"
#include "report/sections.h"
#include "report/site_tree.h"

#include <string.h>

/* A stream's buffer is rarely smaller: what stdio writes less of, it was made to write. */
#define BUFFER_BYTES 4096

static uint64_t site_ns(const struct site *site)
{
    const double ns = site->metrics.io_seconds * 1e9;
    return ns >= 1 ? ns < 1e18 ? (uint64_t)ns : (uint64_t)1e18 : 1; /* every call takes time */
}
static uint64_t site_calls(const struct site *site)
{
    return site->metrics.events;
}
static uint64_t site_bytes(const struct site *site)
{
    const struct metrics *const m = &site->metrics;
    return m->io_read_bytes > m->io_write_bytes ? m->io_read_bytes : m->io_write_bytes;
}
static uint64_t site_open(const struct site *site)
{
    return site->metrics.leaked_count;
}
static uint64_t site_opens(const struct site *site)
{
    return site->metrics.free_count;
}

/* A transfer of stdio names no function of stdio, so a flush is known by its size. */
static bool is_flush(const struct io_site *site)
{
    const bool syncs = !site->reads && !site->writes;
    return syncs || (site->layer == IO_LAYER_STDIO && site->writes && site->calls > 1 &&
                     site->sizes.n > 0 && site->sizes.p50 < BUFFER_BYTES);
}

static void describe_opener(const struct profile *profile, const struct calltree_range *range,
                            struct view *view)
{
    const struct io_opener *opener = io_stacks_opener(profile, range->sites[0]);
    for (size_t i = 1; i < range->n; i++) {
        const struct io_opener *const other = io_stacks_opener(profile, range->sites[i]);
        if (other->open_at_end > opener->open_at_end)
            opener = other;
    }
    struct buffer lead = {0};
    buffer_printf(&lead, opener->path[0] ? "%s: " : "%s", opener->op);
    view->failed |= lead.failed;
    io_words_add_path(view, buffer_string(&lead), opener->path);
    buffer_fini(&lead);
}

#define COLUMN_TIME                                                                                \
    {                                                                                              \
        "io_seconds", "time", UNIT_NS, site_ns, false                                              \
    }
#define COLUMN_CALLS                                                                               \
    {                                                                                              \
        "calls", "calls", UNIT_COUNT, site_calls, false                                            \
    }
#define COLUMN_BYTES                                                                               \
    {                                                                                              \
        "bytes", "bytes", UNIT_BYTES, site_bytes, false                                            \
    }

static const struct site_section hot = {
    "hot_io",
    "HOT I/O CALL SITES",
    "reads, writes and syncs that reached the kernel, by place",
    "",
    COLUMN_TIME,
    {COLUMN_CALLS, COLUMN_BYTES},
    NULL,
    false,
    io_words_of_place,
};

static const struct site_section flushes = {
    "flushes",
    "FLUSHES AND SYNCS",
    "syncs, and streams written before their buffer was full",
    "",
    COLUMN_TIME,
    {COLUMN_CALLS, COLUMN_BYTES},
    NULL,
    true,
    io_words_of_place,
};

static const struct site_section open_descriptors = {
    "open_descriptors",
    "OPEN DESCRIPTORS",
    "still open at the end, by the place that opened them",
    "",
    {"open_at_end", "open", UNIT_COUNT, site_open, false},
    {{"open_count", "opened", UNIT_COUNT, site_opens, false}},
    NULL,
    true,
    describe_opener,
};

/* Build the section of the stacks' sites; leave it empty where there are none. */
static int build(const struct site_section *section, struct io_stacks *stacks,
                 const struct report_options *options, const struct metric *metric,
                 struct view *view_out)
{
    struct report_options own = *options;
    own.tree = NULL; /* theirs is of allocations */
    bool any = false;
    for (size_t i = 0; i < stacks->profile.n_sites && !any; i++)
        any = !section->value.of || section->value.of(&stacks->sites[i]) > 0;
    int result = 0;
    if (any)
        result = site_tree_build(section, metric, &stacks->profile, &own, view_out);
    else
        view_init(view_out, section->id, section->title, section->subtitle);
    io_stacks_fini(stacks);
    return result;
}

int view_hot_io(const struct profile *profile, const struct report_options *options,
                struct view *view_out)
{
    struct io_stacks stacks;
    const int result = io_stacks_of_sites(profile, NULL, &stacks);
    if (result < 0)
        return result;
    const struct metric *const metric = options->sort;
    if (!metric || metric->scope != METRIC_IO || strcmp(metric->name, hot.value.name) == 0)
        return build(&hot, &stacks, options, NULL, view_out);
    struct site_section sorted = hot;
    sorted.nothing = "0 everywhere";
    sorted.value = (struct site_column){metric->name, metric->name, metric->unit, NULL, false};
    sorted.extra[0] = hot.value;
    sorted.extra[1] = hot.extra[metric->unit == UNIT_BYTES ? 0 : 1];
    return build(&sorted, &stacks, options, metric, view_out);
}

int view_flushes(const struct profile *profile, const struct report_options *options,
                 struct view *view_out)
{
    struct io_stacks stacks;
    struct report_options brief = *options;
    brief.stacks = options->stacks ? 1 : 0; /* HOT I/O CALL SITES has the other callers */
    const int result = io_stacks_of_sites(profile, is_flush, &stacks);
    return result < 0 ? result : build(&flushes, &stacks, &brief, NULL, view_out);
}

int view_open_descriptors(const struct profile *profile, const struct report_options *options,
                          struct view *view_out)
{
    struct io_stacks stacks;
    const int result = io_stacks_of_openers(profile, &stacks);
    return result < 0 ? result : build(&open_descriptors, &stacks, options, NULL, view_out);
}
