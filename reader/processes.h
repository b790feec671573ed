/* SPDX-License-Identifier: MIT */
/* Which image belongs to which process, who is whose parent, and what a child inherits.
 *
 * A pid that is seen again while its process lives has exec'd; after its end, or with another start
 * time, it is a new process. */
#ifndef HEAPWISE_READER_PROCESSES_H
#define HEAPWISE_READER_PROCESSES_H

#include "reader/model.h"

/* The command's own process, before anything of it was seen, so that it gets number 1. */
int processes_expect_root(struct model *model, int32_t pid);

/* The number of the image with a trace's id, made if it is new; 0 when out of memory. */
uint32_t processes_image(struct model *model, uint32_t image_id, int32_t pid);

/* An image shows itself. `record` is NULL where its own record was lost. 0 or -ENOMEM. */
int processes_attach(struct model *model, uint32_t image, const struct record_image *record);

/* The image is about to fork; it did not; see TRACE_FORK. 0 or -ENOMEM. */
int processes_fork(struct model *model, struct model_image *image, uint32_t fork_id);
void processes_fork_failed(struct model_image *image, uint32_t fork_id);

/* The latest process with this pid is over. `status` NULL: unknown. 0 or -ENOMEM. */
int processes_end(struct model *model, int32_t pid, const int32_t *status);

/* What an image holds while it lives is let go. 0 or -ENOMEM. */
int processes_close_image(struct model *model, struct model_image *image);

void processes_free_image(struct model_image *image);

#endif
