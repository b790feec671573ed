/* SPDX-License-Identifier: MIT */
/* How long do blocks live? By the stack that allocates them; short and many is what pools are for. */
#include "report/names.h"
#include "report/sections.h"

#include <stdlib.h>

/* Stacks are not merged here; two callers tell most of them apart. */
#define CALLERS_SHOWN 2

static void add_quantiles(struct view *view, const struct quantiles *q)
{
    view_integer(view, UNIT_NS, q->p50);
    view_integer(view, UNIT_NS, q->p95);
    view_integer(view, UNIT_NS, q->p99);
    view_integer(view, UNIT_NS, q->max);
}

static void add_columns(struct view *view)
{
    view_column(view, "freed", "freed", UNIT_COUNT);
    view_column(view, "p50", "p50", UNIT_NS);
    view_column(view, "p95", "p95", UNIT_NS);
    view_column(view, "p99", "p99", UNIT_NS);
    view_column(view, "max", "max", UNIT_NS);
    view_column(view, "place", "place and its callers", UNIT_FRAME);
}

static void add_all(const struct profile *profile, struct view *view)
{
    view_row(view, VIEW_ROW_PLAIN, 0, false);
    view_integer(view, UNIT_COUNT, profile->lifetime_ns.n);
    add_quantiles(view, &profile->lifetime_ns);
    view_text(view, "all blocks that were freed");
}

/* The library function below the place: stacks of one place often differ in nothing else. */
static void add_inside(const struct profile *profile, const struct site *site, struct view *view)
{
    struct buffer text = {0};
    if (names_add_inside(&text, profile, site)) {
        view_row(view, VIEW_ROW_CHAIN, 0, false);
        for (size_t c = 0; c + 1 < view->n_columns; c++)
            view_skip(view);
        view_text(view, buffer_string(&text));
    }
    view->failed |= text.failed;
    buffer_fini(&text);
}

static void add_site(const struct profile *profile, const struct site *site, struct view *view)
{
    view_row(view, VIEW_ROW_HEAD, 0, false);
    view_integer(view, UNIT_COUNT, site->lifetime_ns.n);
    add_quantiles(view, &site->lifetime_ns);
    const struct profile_frame *place = names_place(profile, site);
    if (!place) {
        view_text(view, NAMES_NO_STACK);
        return;
    }
    view_frame(view, place);
    add_inside(profile, site, view);
    for (size_t i = 1; i <= CALLERS_SHOWN; i++) {
        const struct profile_frame *caller = names_frame(profile, site, (size_t)site->place + i);
        if (!caller)
            break;
        view_row(view, i == 1 ? VIEW_ROW_BRANCH : VIEW_ROW_CHAIN, 1, true);
        for (size_t c = 0; c + 1 < view->n_columns; c++)
            view_skip(view);
        view_frame(view, caller);
    }
}

static int compare_freed(const void *a, const void *b)
{
    const struct site *left = *(const struct site *const *)a;
    const struct site *right = *(const struct site *const *)b;
    if (left->lifetime_ns.n != right->lifetime_ns.n)
        return left->lifetime_ns.n > right->lifetime_ns.n ? -1 : 1;
    return (left > right) - (left < right);
}

int view_lifetimes(const struct profile *profile, const struct report_options *options,
                   struct view *view_out)
{
    struct report_options all = *options;
    all.top = 0;
    const struct site **sites = NULL;
    size_t n = 0;
    const int result = report_pick_sites(profile, &all, &sites, &n);
    if (result < 0)
        return result;
    view_init(view_out, "lifetimes", "LIFETIMES", "from allocation to free, by call stack");
    if (profile->lifetime_ns.n > 0) {
        add_columns(view_out);
        add_all(profile, view_out);
        qsort(sites, n, sizeof *sites, compare_freed);
        for (size_t i = 0; i < n && sites[i]->lifetime_ns.n > 0; i++) {
            if (options->top && i >= options->top)
                break;
            add_site(profile, sites[i], view_out);
        }
    } else {
        view_note(view_out, "no block was freed");
    }
    free(sites);
    return 0;
}
