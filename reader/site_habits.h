/* SPDX-License-Identifier: MIT */
/* What events say of how call sites behave: the part of the model that reader/habits.h is made of.
 *
 * All calls but the first three only where habits are gathered. Those that return int: 0 or -ENOMEM. What
 * every event passes through is inline: as calls it took twice the instructions. */
#ifndef HEAPWISE_READER_SITE_HABITS_H
#define HEAPWISE_READER_SITE_HABITS_H

#include "reader/bursts.h"
#include "reader/growing.h"
#include "reader/model.h"

/* Make room for the model's next site, for its next thread. */
int site_habits_add_site(struct model *model);
int site_habits_add_thread(struct model *model);

void site_habits_fini(struct model_habits *habits, uint32_t n_sites);

/* The site's rare habits, made if need be. NULL when out of memory. */
struct model_rare_habits *site_habits_rare(struct model *model, uint32_t site);

/* An allocation or a resize that may have asked for more than bytes. */
int site_habits_note_call(struct model *model, uint32_t site, const struct event *event);

/* A block of HABITS_FLEETING_BYTES or more was freed. */
int site_habits_note_large(struct model *model, const struct block *block, uint64_t ticks);

/* What allocations and resizes have in common: `site` is that of the new block, which is counted already. */
static inline int site_habits_requested(struct model *model, uint32_t site,
                                        const struct event *event)
{
    struct model_site_habits *const habits = model_site_habits(model, site);
    const uint64_t live_count = model_site(model, site)->live_count;
    const int error = event->tag == TRACE_MALLOC ? 0 : site_habits_note_call(model, site, event);
    if (habits->live_counts.n == 0)
        habits->first_alloc_ticks = event->ticks;
    habits->last_alloc_ticks = event->ticks;
    return error ? error
                 : histogram_count(&habits->live_counts, histogram_bucket(live_count), live_count);
}

/* A thread allocated a block. */
static inline int site_habits_allocated(struct model *model, uint32_t site, uint32_t thread,
                                        const struct event *event)
{
    struct model_thread_habits *const by = model_thread_habits(model, thread);
    bursts_part(by);
    by->last_address = event->address;
    by->last_site = site;
    return site_habits_requested(model, site, event);
}

/* A thread freed a block, which may still be live. */
static inline int site_habits_freed(struct model_image *image, const struct block *block,
                                    uint64_t ticks, uint32_t thread)
{
    struct model *const model = image->model;
    model_site_habits(model, block->site)->freed_elsewhere_count +=
        block->thread != (thread & LIVE_THREAD_MASK);
    int error = bursts_freed(model, model_thread_habits(model, thread), block, ticks);
    if (block->size_bytes >= HABITS_FLEETING_BYTES && error == 0)
        error = site_habits_note_large(model, block, ticks);
    return error ? error : growing_freed(image, block, thread);
}

/* A resize begins, and has its block where it was found. */
void site_habits_resizing(struct model_image *image, struct model_resize *resize, uint32_t thread);

/* It ended with a block; `event` as of an allocation. */
int site_habits_resized(struct model_image *image, const struct model_resize *resize,
                        const struct block *block, const struct event *event);

/* The image is over, all of its blocks begun: count what is live as leaked, end its chains. */
int site_habits_image_over(struct model_image *image);

/* What a site leaked went with an exec. */
void site_habits_forget_leaks(struct model *model, uint32_t site);

/* Everything was read: settle what goes on. */
int site_habits_finish(struct model *model);

#endif
