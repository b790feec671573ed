/* SPDX-License-Identifier: MIT */
/* What one event of the program does to the model: allocation, resize, release, mapping. */
#ifndef HEAPWISE_READER_EVENTS_H
#define HEAPWISE_READER_EVENTS_H

#include "reader/model.h"

/* Where an image's pairing tells what it found. */
struct pairing_sink events_pairing_sink(struct model_image *image);

/* Apply an EVENT_SHORT below TRACE_NODE, of a stream whose image has a process. 0 or -ENOMEM. */
int events_apply(struct model *model, const struct event *event);

#endif
