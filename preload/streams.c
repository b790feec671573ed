/* SPDX-License-Identifier: MIT */
/* How streams are found: all places that a stream may lie in are looked at, so a place that becomes free needs
 * no mark. Two threads that list one stream at once may list it twice: what counts is the sum. */
#include "preload/streams.h"

static struct stream streams[STREAMS_MAX + STREAMS_PLACES - 1];
struct stream streams_none = {.file = (const FILE *)UINTPTR_MAX};

/* A place that was used: threads may still have it as theirs, and a call on no stream (fflush(NULL)) must
 * not seem to be on it. */
static const FILE *const gone = (const FILE *)UINTPTR_MAX;

/* Streams come from malloc, whose blocks differ in the bits above the lowest four. */
static struct stream *first_place(const FILE *file)
{
    const uint64_t spread = ((uintptr_t)file >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    return &streams[spread >> (64 - STREAMS_BITS)];
}

static bool is_at(const struct stream *place, const FILE *file)
{
    return atomic_load_explicit(&place->file, memory_order_relaxed) == file;
}

struct stream *streams_place(const FILE *file)
{
    struct stream *const first = first_place(file);
    for (struct stream *place = first; place < first + STREAMS_PLACES; place++)
        if (is_at(place, file))
            return place;
    for (struct stream *place = first; place < first + STREAMS_PLACES; place++) {
        const FILE *nobody = is_at(place, NULL) ? NULL : gone;
        if (atomic_compare_exchange_strong(&place->file, &nobody, file)) {
            atomic_store_explicit(&place->n_calls, 0, memory_order_relaxed);
            return place;
        }
    }
    return NULL;
}

bool streams_take(const FILE *file, uint64_t *n_calls_out, uintptr_t *last_pc_out)
{
    struct stream *const first = first_place(file);
    bool listed = false;
    *n_calls_out = 0;
    *last_pc_out = 0;
    for (struct stream *place = first; place < first + STREAMS_PLACES; place++) {
        if (!is_at(place, file))
            continue;
        *n_calls_out += atomic_exchange_explicit(&place->n_calls, 0, memory_order_relaxed);
        *last_pc_out = atomic_load_explicit(&place->last_pc, memory_order_relaxed);
        listed = true;
    }
    return listed;
}

void streams_remove(const FILE *file)
{
    struct stream *const first = first_place(file);
    for (struct stream *place = first; place < first + STREAMS_PLACES; place++)
        if (is_at(place, file))
            atomic_store_explicit(&place->file, gone, memory_order_relaxed);
}
