/* SPDX-License-Identifier: MIT */
/* Which blocks took the place of smaller ones, and how far that went: chains of resizes, and of containers that
 * allocate a larger block, copy, and free the old one. All calls only where habits are gathered. */
#ifndef HEAPWISE_READER_GROWING_H
#define HEAPWISE_READER_GROWING_H

#include "reader/model.h"

/* A thread freed a block, and that may be the step of a container or the end of a chain. 0 or -ENOMEM. */
int growing_over(struct model_image *image, const struct block *block, uint32_t thread);

/* A thread freed a block, which may be live still. 0 or -ENOMEM. */
static inline int growing_freed(struct model_image *image, const struct block *block,
                                uint32_t thread)
{
    const struct model_thread_habits *const by = model_thread_habits(image->model, thread);
    const bool may_be_step = by->last_site == block->site && by->last_address != block->address;
    return may_be_step || model_site_habits(image->model, block->site)->n_grown
               ? growing_over(image, block, thread)
               : 0;
}

/* A block leaves the live ones for a resize. Returns how many steps led to it. */
uint64_t growing_take(struct model_image *image, const struct block *block);

/* A resize is over, and the new block, where it has an address, perhaps live. 0 or -ENOMEM. */
int growing_resized(struct model_image *image, const struct model_resize *resize,
                    const struct block *block);

/* The resize of a block with steps changed nothing; it freed the block. 0 or -ENOMEM. */
int growing_restored(struct model_image *image, const struct model_resize *resize);
int growing_resize_freed(struct model *model, const struct model_resize *resize);

/* The image is over: its chains end with what is live. 0 or -ENOMEM. */
int growing_finish(struct model_image *image);

#endif
