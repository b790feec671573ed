/* SPDX-License-Identifier: MIT */
/* Which code places a trace needs names for: every distinct (object, offset) that a stack passes.
 *
 * Streams of one process are drained independently, so a return address may be seen before the
 * module it lies in. Addresses are therefore kept per image and turned into places when the image's
 * last stream closes. An address that lay in two modules at different times gives two places: one
 * name too many does no harm. Memory grows with code, not with events, and is capped.
 * Not thread-safe. All functions tolerate memory running out by forgetting places. */
#ifndef HEAPWISE_COLLECTOR_PLACES_H
#define HEAPWISE_COLLECTOR_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "trace/record.h"

struct places; /* opaque */

struct place {
    uint32_t object; /* as places_object() counts, from 1 */
    uint64_t offset; /* of the return address less one, from the object's link-time base */
};

struct place_object {
    const char *path;     /* owned by the places */
    const char *build_id; /* lower-case hex, "" where unknown */
};

struct places *places_new(void);
void places_free(struct places *places);

/* Streams of an image come and go; addresses become places when none is left. */
void places_open_image(struct places *places, uint32_t image_id);
void places_close_image(struct places *places, uint32_t image_id);

/* The image inherited the modules of `parent_image` by fork; 0 for none. */
void places_inherit(struct places *places, uint32_t image_id, uint32_t parent_image);

/* Note a TRACE_MODULE record, and a TRACE_NODE's return address. */
void places_add_module(struct places *places, uint32_t image_id, const struct record *record);
void places_add_address(struct places *places, uint32_t image_id, uint64_t return_address);

/* Sort the places by object and offset and return them: places_out[0..n), owned by `places`. */
size_t places_all(struct places *places, const struct place **places_out);

/* Object `id`, NULL where there is none. */
const struct place_object *places_object(const struct places *places, uint32_t id);

#endif
