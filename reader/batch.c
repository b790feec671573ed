/* SPDX-License-Identifier: MIT */
/* How encoded records lie in a batch: what their differences count from, then their bytes. */
#include "reader/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int batch_init(struct batch *batch)
{
    *batch = (struct batch){.events = calloc(BATCH_EVENTS, sizeof *batch->events)};
    return batch->events ? 0 : -ENOMEM;
}

void batch_fini(struct batch *batch)
{
    free(batch->events);
    free(batch->bytes);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->n_events = 0;
    batch->n_bytes = 0;
    if (batch->capacity > 4 * BATCH_BYTES) {
        free(batch->bytes);
        batch->bytes = NULL;
        batch->capacity = 0;
    }
}

static int make_room(struct batch *batch, size_t n_more)
{
    const size_t n_needed = batch->n_bytes + n_more;
    if (n_needed <= batch->capacity)
        return 0;
    const size_t capacity = n_needed > 2 * (size_t)BATCH_BYTES ? n_needed : 2 * BATCH_BYTES;
    uint8_t *const moved = realloc(batch->bytes, capacity);
    if (!moved)
        return -ENOMEM;
    batch->bytes = moved;
    batch->capacity = capacity;
    return 0;
}

int outlet_add_record(struct outlet *outlet, const struct event *event,
                      const struct batch_record *record)
{
    int error = outlet->batch->n_bytes < BATCH_BYTES ? 0 : outlet->pass(outlet);
    struct event *const place = error ? NULL : outlet_place(outlet, &error);
    struct batch *const batch = outlet->batch;
    if (error || (error = make_room(batch, sizeof record->base + record->n_bytes)))
        return error;
    *place = *event;
    place->offset_bytes = batch->n_bytes;
    place->size_bytes = record->n_bytes;
    memcpy(batch->bytes + batch->n_bytes, &record->base, sizeof record->base);
    memcpy(batch->bytes + batch->n_bytes + sizeof record->base, record->bytes, record->n_bytes);
    batch->n_bytes += sizeof record->base + record->n_bytes;
    outlet_commit(outlet);
    return 0;
}

int batch_decode(const struct batch *batch, const struct event *event, struct record *record_out)
{
    struct record_base base;
    memcpy(&base, batch->bytes + event->offset_bytes, sizeof base);
    const uint8_t *const bytes = batch->bytes + event->offset_bytes + sizeof base;
    struct unpack_cursor cursor = {.at = bytes, .end = bytes + event->size_bytes};
    return record_decode(&cursor, event->kind == EVENT_FILE ? NULL : &base, record_out);
}
