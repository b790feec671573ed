/* SPDX-License-Identifier: MIT */
/* Writing the names of all code places into the trace, so that it can be read on another machine. */
#ifndef HEAPWISE_COLLECTOR_NAME_PLACES_H
#define HEAPWISE_COLLECTOR_NAME_PLACES_H

#include "collector/compress.h"
#include "collector/places.h"

/* Look every place up and write STRING, OBJECT and SYMBOL records.
 *
 * Stops at the first refused write: names are a convenience, the reader can look up the rest itself.
 * Returns 0 or a negative errno (-ENOMEM, or what compress_write() says). Cost: milliseconds per
 * module for opening its debug information, then microseconds per place. */
int name_places(struct places *places, struct compress *out);

#endif
