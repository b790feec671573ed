/* SPDX-License-Identifier: MIT */
/* How chains are followed: a table beside that of live blocks has those which came of a step, and the number
 * of steps. A site counts its own in there, so that a free where none is costs one comparison.
 *
 *   malloc 32 -> malloc 64, free the 32 -> malloc 128, free the 64      one chain of two steps, last size 128
 *
 * That a block of the same stack is allocated and a smaller one then freed by the same thread does not prove
 * that it was copied; that the new one is not much larger makes chance less likely. */
#include "reader/growing.h"

#include <errno.h>

#include "reader/array.h"
#include "reader/site_habits.h"

enum {
    MOST_TIMES = 4, /* containers grow to 1.5 or 2 times their size ... */
    MOST_MORE = 64, /* ... but the first steps are larger ones */
};

/* ---- the table of grown blocks: in their place of a size the number of steps ---- */

static int keep(struct model_image *image, const struct block *block, uint64_t steps)
{
    struct block grown = {.address = block->address, .start_ticks = block->start_ticks};
    struct block *there;
    live_describe(&grown, steps < LIVE_MAX_SIZE_BYTES ? steps : LIVE_MAX_SIZE_BYTES, 0, block->site,
                  block->thread);
    const int error = live_add_unless(&image->grown, &grown, &there);
    if (error)
        return error;
    if (there) {
        model_site_habits(image->model, there->site)->n_grown--;
        *there = grown;
    }
    model_site_habits(image->model, block->site)->n_grown++;
    return 0;
}

uint64_t growing_take(struct model_image *image, const struct block *block)
{
    struct model_site_habits *const habits = model_site_habits(image->model, block->site);
    struct block *const grown = habits->n_grown ? live_find(&image->grown, block->address) : NULL;
    if (!grown || grown->site != block->site || grown->start_ticks != block->start_ticks)
        return 0;
    const uint64_t steps = grown->size_bytes;
    live_remove(&image->grown, grown);
    habits->n_grown--;
    return steps;
}

/* ---- steps and ends ---- */

static int count_step(struct model *model, const struct block *old, const struct block *next)
{
    struct model_rare_habits *const rare = site_habits_rare(model, next->site);
    if (!rare)
        return -ENOMEM;
    struct growth *const growth = &rare->growth;
    growth->steps++;
    if (next->address != old->address)
        growth->copied_bytes = add_capped(growth->copied_bytes, old->size_bytes);
    return 0;
}

static int end_chain(struct model *model, const struct block *last, uint64_t steps)
{
    struct model_rare_habits *const rare = steps ? site_habits_rare(model, last->site) : NULL;
    if (!rare)
        return steps ? -ENOMEM : 0;
    struct growth *const growth = &rare->growth;
    growth->chains++;
    growth->final_sum_bytes = add_capped(growth->final_sum_bytes, last->size_bytes);
    if (last->size_bytes > growth->final_max_bytes)
        growth->final_max_bytes = last->size_bytes;
    if (steps > growth->longest_steps)
        growth->longest_steps = steps;
    return 0;
}

/* The block that took the place of one which a thread frees: its last allocation. NULL where it did not. */
static const struct block *find_larger(const struct model_image *image, uint64_t address,
                                       const struct block *old)
{
    const struct block *const next = live_find(&image->pairing.live, address);
    const uint64_t old_bytes = old->size_bytes;
    return next && next->site == old->site && next->size_bytes > old_bytes &&
                   next->size_bytes <= MOST_TIMES * old_bytes + MOST_MORE
               ? next
               : NULL;
}

int growing_over(struct model_image *image, const struct block *block, uint32_t thread)
{
    struct model *const model = image->model;
    struct model_thread_habits *const by = model_thread_habits(model, thread);
    const uint64_t steps = growing_take(image, block);
    const struct block *const next =
        by->last_site == block->site ? find_larger(image, by->last_address, block) : NULL;
    /* Another thread may have freed the last allocation, and a third one got its address. */
    if (!next || next->thread != (thread & LIVE_THREAD_MASK))
        return end_chain(model, block, steps);
    by->last_site = 0; /* it takes the place of one block */
    const int error = count_step(model, block, next);
    return error ? error : keep(image, next, steps + 1);
}

int growing_resized(struct model_image *image, const struct model_resize *resize,
                    const struct block *block)
{
    if (!resize->active || !resize->found)
        return 0;
    const bool is_step = block->size_bytes > resize->block.size_bytes;
    const int error = is_step ? count_step(image->model, &resize->block, block) : 0;
    const uint64_t steps = resize->steps + is_step;
    if (error || steps == 0)
        return error;
    /* It is not live yet where the release of another one at its address is still to come. */
    const struct block *const live = live_find(&image->pairing.live, block->address);
    return live && live->site == block->site && live->start_ticks == block->start_ticks
               ? keep(image, live, steps)
               : 0;
}

int growing_restored(struct model_image *image, const struct model_resize *resize)
{
    return keep(image, &resize->block, resize->steps);
}

int growing_resize_freed(struct model *model, const struct model_resize *resize)
{
    return end_chain(model, &resize->block, resize->steps);
}

int growing_finish(struct model_image *image)
{
    const struct block *grown;
    int error = 0;
    for (size_t at = 0; error == 0 && (grown = live_next(&image->grown, &at));) {
        const struct block *const block = live_find(&image->pairing.live, grown->address);
        model_site_habits(image->model, grown->site)->n_grown--;
        if (block)
            error = end_chain(image->model, block, grown->size_bytes);
    }
    live_fini(&image->grown);
    return error;
}
