/* SPDX-License-Identifier: MIT */
/* Where and by whom are the blocks of a finding given back? */
#include "findings/freed.h"

#include <stdlib.h>
#include <string.h>

#include "findings/finder.h"
#include "findings/frame.h"
#include "findings/place.h"

/* Habits of the finding's site; NULL where it is not about blocks. */
static const struct site_habits *habits_of(const struct finding *finding)
{
    return finding->site ? finding->site->habits : NULL;
}

static const struct profile_frame *freed_frame(const struct freed_at *freed,
                                               const struct profile *profile)
{
    return freed->place < freed->n_frames ? &profile->frames[freed->frames[freed->place]] : NULL;
}

static struct maybe share(uint64_t part, uint64_t whole)
{
    const double percent = finder_percent((double)part, (double)whole);
    return whole ? maybe_known(percent < 100 ? percent : 100) : (struct maybe){.known = false};
}

/* Whether two are shown by the same words. */
static bool is_same_place(const struct profile_frame *a, const struct profile_frame *b)
{
    if (!a || !b || a == b)
        return a == b;
    return strcmp(a->function, b->function) == 0 && strcmp(a->module, b->module) == 0 &&
           a->line == b->line && (*a->function || a->offset == b->offset);
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct freed_row *const a = a_, *const b = b_;
    if (a->percent != b->percent)
        return a->percent < b->percent ? 1 : -1;
    return (a->frame > b->frame) - (a->frame < b->frame); /* of one array */
}

uint32_t freed_list(const struct finding *finding, const struct profile *profile,
                    struct freed_row rows_out[HABITS_FREED_AT])
{
    const struct site_habits *const habits = habits_of(finding);
    uint32_t n = 0;
    for (uint32_t i = 0; habits && i < habits->n_freed_at && i < HABITS_FREED_AT; i++) {
        const struct freed_at *const freed = &habits->freed_at[i];
        const struct profile_frame *const frame = freed_frame(freed, profile);
        uint32_t row = 0;
        while (row < n && !is_same_place(rows_out[row].frame, frame))
            row++;
        if (row == n)
            rows_out[n++] = (struct freed_row){.frame = frame};
        rows_out[row].percent += share(freed->count, habits->freed_seen_count).value;
    }
    qsort(rows_out, n, sizeof *rows_out, compare_rows);
    return n;
}

struct maybe freed_by_same_function(const struct finding *finding, const struct profile *profile)
{
    const struct site_habits *const habits = habits_of(finding);
    const struct profile_frame *const place = place_frame(finding, profile);
    uint64_t same = 0;
    for (uint32_t i = 0; habits && place && i < habits->n_freed_at; i++)
        if (frame_is_same_function(freed_frame(&habits->freed_at[i], profile), place))
            same += habits->freed_at[i].count;

    return share(same, habits && place ? habits->freed_seen_count : 0);
}

struct maybe freed_by_other_thread(const struct finding *finding)
{
    const struct site_habits *const habits = habits_of(finding);
    return share(habits ? habits->freed_elsewhere_count : 0,
                 habits ? finding->site->metrics.free_count : 0);
}
