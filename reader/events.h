/* SPDX-License-Identifier: MIT */
/* What one event of the program does to the model: allocation, resize, release, mapping. */
#ifndef HEAPWISE_READER_EVENTS_H
#define HEAPWISE_READER_EVENTS_H

#include "reader/model.h"

/* Where an image's pairing tells what it found. */
struct pairing_sink events_pairing_sink(struct model_image *image);

/* Apply the leading EVENT_SHORTs of events[0..n), in the merged order. Sets *n_done_out to how many they
 * were. Returns 0 or -ENOMEM. */
int events_apply(struct model *model, const struct event *events, uint32_t n, uint32_t *n_done_out);

#endif
