/* SPDX-License-Identifier: MIT */
/* What do rules ask of an allocation site, and what does changing it save? */
#include "findings/frame.h"
#include "findings/sites.h"

#include <errno.h>
#include <string.h>

int sites_each(struct finder *finder, const struct rule *rule,
               int (*look)(struct finder *finder, const struct rule *rule, const struct site *site))
{
    const struct profile *const profile = finder->profile;
    int error = 0;
    for (size_t i = 0; i < profile->n_places && error == 0; i++)
        if (profile->places[i].habits)
            error = look(finder, rule, &profile->places[i]);
    return error;
}

struct finding *sites_found(struct finder *finder, const struct rule *rule, const struct site *site,
                            const char *metric, double value)
{
    struct finding *const finding = finder_add(finder, rule);
    if (!finding)
        return NULL;
    finder_about_site(finding, site);
    finding->evidence.metric = metric;
    finding->evidence.unit = strstr(metric, "_bytes")    ? "bytes"
                             : strstr(metric, "realloc") ? "calls"
                                                         : "blocks";
    finding->evidence.value = value;
    finding->evidence.count = site->metrics.alloc_count + site->metrics.realloc_count;
    finding->evidence.bytes = maybe_known((double)site->metrics.alloc_bytes);
    return finding;
}

double sites_count_percent(const struct finder *finder, const struct site *site)
{
    return finder_percent((double)site->metrics.alloc_count,
                          (double)finder->profile->totals.alloc_count);
}

double sites_bytes_percent(const struct finder *finder, const struct site *site)
{
    return finder_percent((double)site->metrics.alloc_bytes,
                          (double)finder->profile->totals.alloc_bytes);
}

double sites_freed_percent(const struct site *site)
{
    return finder_percent((double)site->metrics.free_count, (double)site->metrics.alloc_count);
}

uint64_t sites_round_up(uint64_t n_bytes)
{
    return n_bytes <= UINT64_MAX - 15 ? (n_bytes + 15) / 16 * 16 : n_bytes;
}

uint64_t sites_one_size(const struct site *site, bool *all_out)
{
    const struct quantiles *const sizes = &site->sizes;
    *all_out = true;
    if (sizes->min == sizes->max)
        return sizes->max;
    const uint64_t slot = sites_round_up(sizes->max);
    if (sites_round_up(sizes->min) == slot)
        return slot;
    /* Above 64 bytes quantiles are rounded, so those of one size can only be told to be near. */
    const uint64_t usual = sites_round_up(sizes->p99);
    *all_out = usual >= slot;
    return sites_round_up(sizes->p50) == usual ? usual : 0;
}

double sites_same_function_percent(const struct profile *profile, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    uint64_t n_same = 0;
    const struct profile_frame *const frame =
        frame_at(profile, site->frames, site->n_frames, site->place);
    if (habits->freed_seen_count < SITES_FEW_FREES || !frame)
        return 0;
    for (uint32_t i = 0; i < habits->n_freed_at; i++) {
        const struct freed_at *const freed = &habits->freed_at[i];
        if (frame_is_same_function(frame,
                                   frame_at(profile, freed->frames, freed->n_frames, freed->place)))
            n_same += freed->count;
    }
    return finder_percent((double)n_same, (double)habits->freed_seen_count);
}

void sites_save(struct finding *finding, double count, double left_seconds)
{
    const struct metrics *const metrics = &finding->site->metrics;
    const double n_calls = (double)metrics->alloc_count + (double)metrics->realloc_count;
    bool measured;
    const double pair = finder_pair_seconds(finding->site, &measured);
    finding->saves.allocations = maybe_known(count);
    if (n_calls > 0)
        finding->saves.bytes = maybe_known((double)metrics->alloc_bytes * count / n_calls);
    finding->saves.seconds = maybe_known(pair > left_seconds ? count * (pair - left_seconds) : 0);
    if (!measured)
        finder_doubt(finding, 0.9, "no call of the allocator was timed here");
}

const char *sites_say_blocks(struct finder *finder, double count)
{
    return finder_text(finder, "%s %s", finder_number(finder, count),
                       count == 1 ? "block" : "blocks");
}

const char *sites_say_sizes(struct finder *finder, const struct site *site)
{
    const char *const most = finder_bytes(finder, (double)site->sizes.max);
    if (site->sizes.min == site->sizes.max)
        return most;
    return finder_text(finder, "%s to %s", finder_bytes(finder, (double)site->sizes.min), most);
}

uint64_t sites_sure_live(const struct finder *finder, const struct site *site)
{
    uint64_t sure = 0;
    if (site->n_stacks <= 1 || !site->stacks)
        return site->max_live_count;
    for (uint32_t i = 0; i < site->n_stacks; i++) {
        const struct site *const stack = &finder->profile->sites[site->stacks[i]];
        if (stack->max_live_count > sure)
            sure = stack->max_live_count;
    }
    return sure;
}

const char *sites_say_live(struct finder *finder, const struct site *site, uint64_t most)
{
    const uint64_t sure = sites_sure_live(finder, site);
    const char *const words = finder_number(finder, (double)most);
    if (sure >= most)
        return words;
    return finder_text(finder, "%s to %s", finder_number(finder, (double)sure), words);
}

void sites_doubt_live(struct finding *finding)
{
    if (finding->site->n_stacks > 1)
        finder_doubt(finding, 0.9,
                     "how many were live at once is known within limits: several stacks lead here");
}

static uint64_t metric_of(const struct site *site, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)&site->metrics + offset);
}

void sites_show_stack(const struct finder *finder, struct finding *finding, size_t offset)
{
    const struct site *const place = finding->site;
    const struct site *most = NULL;
    for (uint32_t i = 0; place->n_stacks > 1 && i < place->n_stacks; i++) {
        const struct site *const site = &finder->profile->sites[place->stacks[i]];
        if (!most || metric_of(site, offset) > metric_of(most, offset))
            most = site;
    }
    if (most) /* frames up to the place are the same in all of them */
        finding->place = (struct finding_place){most->n_frames, most->frames, place->place};
}
