/* SPDX-License-Identifier: MIT */
/* How a thread comes by its rings: claim a slot by compare-and-swap, map it without a descriptor. */
#ifndef HEAPWISE_PRELOAD_SLOT_H
#define HEAPWISE_PRELOAD_SLOT_H

#include <sys/types.h>

#include "preload/lane.h"

/* Claim and map a slot for the calling thread of image session.image_id and make its rings ready.
 *
 * Waits (bounded) for the collector where none is free. A slot this process had mapped before, for a
 * thread that is gone, is used again as it lies. Returns NULL when none could be had or mapped. */
struct slot_memory *slot_claim(pid_t pid, pid_t tid);

/* Drop every slot a forked child inherited; its parent still writes to them. */
void slot_forget_all(void);

#endif
