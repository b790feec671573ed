/* SPDX-License-Identifier: MIT */
/* How long do blocks live? By the stack that allocates them; short and many is what pools are for. */
#include "report/names.h"
#include "report/sections.h"
#include "report/telltale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Stacks are not merged here; two callers tell most of them apart, telltales the others. */
#define CALLERS_SHOWN 2

/* Stacks to list, up to which each is put in its place among them; more are sorted. */
#define FEW 64

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

/* Words in the last column, continuing the row above. */
static void add_words(struct view *view, uint32_t depth, const struct buffer *text)
{
    view_row(view, VIEW_ROW_CHAIN, depth, false);
    for (size_t c = 0; c + 1 < view->n_columns; c++)
        view_skip(view);
    view_text(view, buffer_string(text));
    view->failed |= text->failed;
}

/* The library functions below the place: stacks of one place often differ in nothing else. */
static void add_inside(const struct profile *profile, const struct telltales *path,
                       struct view *view)
{
    const struct site *const site = path->site;
    struct buffer text = {0};
    if (names_add_inside(&text, profile, site))
        add_words(view, 0, &text);
    for (size_t i = path->n; i-- > 0;) {
        const struct telltale *const mark = &path->frames[i];
        if (mark->by_address || mark->at + 1 >= site->place)
            continue;
        buffer_reset(&text);
        const struct profile_frame *const frame = names_frame(profile, site, mark->at);
        buffer_text(&text, "down to ");
        if (frame->file[0]) { /* first: names of libraries are long, and the end may be cut */
            names_add_location(&text, frame, false);
            buffer_text(&text, " in ");
        }
        names_add_inner(&text, frame);
        add_words(view, 0, &text);
    }
    buffer_fini(&text);
}

static void add_caller(const struct profile_frame *frame, struct view *view, bool first)
{
    view_row(view, first ? VIEW_ROW_BRANCH : VIEW_ROW_CHAIN, 1, true);
    for (size_t c = 0; c + 1 < view->n_columns; c++)
        view_skip(view);
    view_frame(view, frame);
}

/* Callers further out at which other stacks leave this one. */
static void add_outside(const struct profile *profile, const struct telltales *path,
                        struct view *view)
{
    const struct site *const site = path->site;
    size_t next = (size_t)site->place + CALLERS_SHOWN + 1; /* the first frame not shown yet */
    struct buffer text = {0};
    for (size_t i = 0; i < path->n; i++) {
        const struct telltale *const mark = &path->frames[i];
        if (mark->by_address || mark->at < next)
            continue;
        if (mark->at > next) {
            const size_t n = mark->at - next;
            buffer_reset(&text);
            buffer_printf(&text, "... %zu more frame%s", n, n == 1 ? "" : "s");
            add_words(view, 1, &text);
        }
        add_caller(names_frame(profile, site, mark->at), view, false);
        next = (size_t)mark->at + 1;
    }
    buffer_fini(&text);
}

/* Frames whose names other stacks have as well: only the address tells them apart. */
static void add_addresses(const struct profile *profile, const struct telltales *path,
                          struct view *view)
{
    struct buffer text = {0};
    for (size_t i = 0; i < path->n; i++) {
        const struct profile_frame *const frame =
            names_frame(profile, path->site, path->frames[i].at);
        if (!path->frames[i].by_address || !frame)
            continue;
        buffer_reset(&text);
        buffer_text(&text, "at ");
        if (frame->module[0])
            buffer_printf(&text, "%s+", names_base(frame->module));
        buffer_printf(&text, "0x%" PRIx64, frame->offset);
        if (frame->function[0])
            buffer_printf(&text, " in %s", frame->function);
        add_words(view, 0, &text);
    }
    buffer_fini(&text);
}

static void add_site(const struct profile *profile, const struct calltree *tree,
                     const struct telltales *path, struct view *view)
{
    const struct site *site = path->site;
    const struct calltree_range range = {&site, 1, 0};
    view_row(view, VIEW_ROW_HEAD, 0, false);
    view_integer(view, UNIT_COUNT, site->lifetime_ns.n);
    add_quantiles(view, &site->lifetime_ns);
    const struct profile_frame *place = names_place(profile, site);
    if (!place) {
        view_text(view, NAMES_NO_STACK);
        return;
    }
    view_frame(view, place);
    add_inside(profile, path, view);
    for (size_t i = 1; i <= CALLERS_SHOWN; i++) {
        const struct profile_frame *caller = calltree_frame(tree, &range, i);
        if (!caller)
            break;
        add_caller(caller, view, i == 1);
    }
    add_outside(profile, path, view);
    add_addresses(profile, path, view);
}

static int compare_freed(const void *a, const void *b)
{
    const struct site *left = *(const struct site *const *)a;
    const struct site *right = *(const struct site *const *)b;
    if (left->lifetime_ns.n != right->lifetime_ns.n)
        return left->lifetime_ns.n > right->lifetime_ns.n ? -1 : 1;
    return (left > right) - (left < right);
}

static int compare_paths_freed(const void *a, const void *b)
{
    const struct site *const left = ((const struct telltales *)a)->site;
    const struct site *const right = ((const struct telltales *)b)->site;
    return compare_freed(&left, &right);
}

/* Put the `n_first` sites that freed most in front, in order. Few of many are picked in one pass. */
static void sort_first(const struct site **sites, size_t n, size_t n_first)
{
    if (n_first > FEW || n_first >= n) {
        qsort(sites, n, sizeof *sites, compare_freed);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct site *const site = sites[i];
        size_t at = i < n_first ? i : n_first;
        if (at == n_first && compare_freed(&site, &sites[at - 1]) > 0)
            continue;
        if (at == n_first)
            sites[i] = sites[--at];
        for (; at > 0 && compare_freed(&site, &sites[at - 1]) < 0; at--)
            sites[at] = sites[at - 1];
        sites[at] = site;
    }
}

static int add_sites(const struct profile *profile, const struct calltree *shared,
                     const struct site **sites, size_t n, struct view *view)
{
    struct calltree *own = NULL;
    struct telltales *const paths = calloc(n + 1, sizeof *paths);
    int result = !paths ? -ENOMEM : shared ? 0 : calltree_new(profile, &own);
    const struct calltree *const tree = shared ? shared : own;
    if (result < 0)
        goto done;
    telltale_find(profile, tree, sites, n, CALLERS_SHOWN + 1, paths);
    qsort(paths, n, sizeof *paths, compare_paths_freed);
    for (size_t i = 0; i < n; i++)
        add_site(profile, tree, &paths[i], view);
done:
    calltree_free(own);
    free(paths);
    return result;
}

int view_lifetimes(const struct profile *profile, const struct report_options *options,
                   struct view *view_out)
{
    struct report_options all = *options;
    all.top = 0;
    const struct site **sites = NULL;
    size_t n = 0, n_shown = 0;
    int result = report_pick_sites(profile, &all, &sites, &n);
    if (result < 0)
        return result;
    view_init(view_out, "lifetimes", "LIFETIMES", "from allocation to free, by call stack");
    if (profile->lifetime_ns.n > 0) {
        add_columns(view_out);
        add_all(profile, view_out);
        sort_first(sites, n, options->top ? options->top : n);
        while (n_shown < n && sites[n_shown]->lifetime_ns.n > 0 &&
               (options->top == 0 || n_shown < options->top))
            n_shown++;
        result = add_sites(profile, options->tree, sites, n_shown, view_out);
    } else {
        view_note(view_out, "no block was freed");
    }
    free(sites);
    return result;
}
