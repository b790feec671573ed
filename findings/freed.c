/* SPDX-License-Identifier: MIT */
/* Where and by whom are the blocks of a finding given back? */
#include "findings/freed.h"

#include <string.h>

#include "findings/finder.h"
#include "findings/place.h"

const struct site_habits *freed_habits(const struct finding *finding)
{
    return finding->site ? finding->site->habits : NULL;
}

const struct profile_frame *freed_frame(const struct freed_at *freed, const struct profile *profile)
{
    return freed->place < freed->n_frames ? &profile->frames[freed->frames[freed->place]] : NULL;
}

static struct maybe share(uint64_t part, uint64_t whole)
{
    const double percent = finder_percent((double)part, (double)whole);
    return whole ? maybe_known(percent < 100 ? percent : 100) : (struct maybe){.known = false};
}

struct maybe freed_percent(const struct finding *finding, const struct freed_at *freed)
{
    const struct site_habits *const habits = freed_habits(finding);
    return share(freed->count, habits ? habits->freed_seen_count : 0);
}

struct maybe freed_by_same_function(const struct finding *finding, const struct profile *profile)
{
    const struct site_habits *const habits = freed_habits(finding);
    const struct profile_frame *const place = place_frame(finding, profile);
    uint64_t same = 0;
    for (uint32_t i = 0; habits && place && i < habits->n_freed_at; i++) {
        const struct profile_frame *const frame = freed_frame(&habits->freed_at[i], profile);
        if (frame && frame->function[0] && strcmp(frame->function, place->function) == 0 &&
            strcmp(frame->module, place->module) == 0)
            same += habits->freed_at[i].count;
    }
    return share(same, habits && place ? habits->freed_seen_count : 0);
}

struct maybe freed_by_other_thread(const struct finding *finding)
{
    const struct site_habits *const habits = freed_habits(finding);
    return share(habits ? habits->freed_elsewhere_count : 0,
                 habits ? finding->site->metrics.free_count : 0);
}
