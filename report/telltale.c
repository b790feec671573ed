/* SPDX-License-Identifier: MIT */
/* How the telling frames are found: sorted by path, the stacks that begin alike are neighbours, and
 * each is compared with these. */
#include "report/telltale.h"

#include "report/names.h"

#include <string.h>

/* How many stacks before and after it, by path, each is compared with: those that share most with it.
 * Without a bound a report of all of 30,000 stacks that begin alike took minutes. */
#define NEIGHBOURS 64

/* Keep frames in order, each once; by name is as good as by address. */
static void add(struct telltales *found, size_t at, bool by_address)
{
    size_t i = 0;
    if (at >= found->site->n_frames)
        return;
    while (i < found->n && found->frames[i].at < at)
        i++;
    if (i < found->n && found->frames[i].at == at) {
        found->frames[i].by_address |= by_address;
        return;
    }
    if (found->n == TELLTALE_MAX)
        return;
    memmove(&found->frames[i + 1], &found->frames[i], (found->n - i) * sizeof *found->frames);
    found->frames[i] = (struct telltale){.at = (uint32_t)at, .by_address = by_address};
    found->n++;
}

/* Two stacks of the same names: where do their addresses differ? */
static size_t fork_of_addresses(const struct profile *profile, const struct site *a,
                                const struct site *b)
{
    for (size_t i = 0; i < a->n_frames; i++) {
        const struct profile_frame *const left = names_frame(profile, a, i);
        const struct profile_frame *const right = names_frame(profile, b, i);
        if (!left)
            break;
        if (!right || left->offset != right->offset || strcmp(left->module, right->module) != 0)
            return i;
    }
    return SIZE_MAX;
}

static void tell_apart(const struct profile *profile, const struct calltree *tree,
                       struct telltales *found, const struct site *other)
{
    const struct site *const site = found->site;
    const size_t out = calltree_fork(tree, site, other);
    if (out != SIZE_MAX) {
        const struct site *alone = site;
        const struct calltree_range range = {&alone, 1, out};
        if (calltree_frame(tree, &range, out)) /* else it ends where the other goes on */
            add(found, site->place + out, false);
        return;
    }
    const size_t in = calltree_fork_inside(tree, site, other);
    if (in == SIZE_MAX)
        add(found, fork_of_addresses(profile, site, other), true);
    else if (in <= site->place)
        add(found, site->place - in, false);
}

void telltale_find(const struct profile *profile, const struct calltree *tree,
                   const struct site **sites, size_t n, size_t n_alike, struct telltales *found_out)
{
    calltree_sort(tree, sites, n);
    for (size_t first = 0, end; first < n; first = end) {
        end = first + 1;
        while (end < n && calltree_fork(tree, sites[first], sites[end]) >= n_alike)
            end++;
        for (size_t i = first; i < end; i++) {
            const size_t from = i - first > NEIGHBOURS ? i - NEIGHBOURS : first;
            const size_t to = end - i > NEIGHBOURS ? i + NEIGHBOURS : end;
            found_out[i] = (struct telltales){.site = sites[i]};
            for (size_t j = from; j < to; j++)
                if (i != j)
                    tell_apart(profile, tree, &found_out[i], sites[j]);
        }
    }
}
