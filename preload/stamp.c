/* SPDX-License-Identifier: MIT */
/* How a lane comes to share readings, and when it stops.
 *
 *   reading --dense--> claimed --dense, still alone--> asking --dense, and the coarse clock runs--> sharing
 *
 * A pause leads back by one stage, another lane's event to `reading`; who is disturbed again and again rests longer and
 * longer before the next claim, so that threads that work side by side soon leave each other alone. */
#include "preload/stamp.h"

enum {
    MIN_REST_BYTES = 16 << 10, /* of records */
    MAX_REST_BYTES = 8 << 20,
};

enum stamp_stage {
    STAMP_READING, /* each event by itself */
    STAMP_CLAIMED, /* no other lane has shown up since */
    STAMP_ASKING,  /* for the coarse clock */
    STAMP_SHARING,
};

void stamp_start(struct lane *lane)
{
    /* The memory of a lane outlives its thread. */
    struct lane *self = lane;
    atomic_compare_exchange_strong(&session.sharer, &self, NULL);
    lane->stage = STAMP_READING;
    lane->shared_until = lane->dense_since = lane->coarse_seen = 0;
    lane->claimed_at = lane->claim_from = 0;
    lane->dense_bytes = STAMP_DENSE_BYTES;
    lane->claim_rest = MIN_REST_BYTES;
}

static void enter_stage(struct lane *lane, enum stamp_stage stage)
{
    lane->stage = stage;
    lane->shared_until = 0;
    lane->dense_since = lane->head;
    const uint32_t wants_clock = stage >= STAMP_ASKING;
    if (atomic_load_explicit(&lane->ring->wants_coarse, memory_order_relaxed) != wants_clock)
        atomic_store_explicit(&lane->ring->wants_coarse, wants_clock, memory_order_relaxed);
}

static uint64_t coarse_ticks(void)
{
    return atomic_load_explicit(&session.header->coarse_ticks, memory_order_relaxed);
}

static bool clock_runs(uint64_t ticks)
{
    const uint64_t coarse = coarse_ticks();
    return coarse != 0 && (coarse > ticks || ticks - coarse < STAMP_STALE_TICKS);
}

/* Share the reading just taken with the records to come. */
static void begin_group(struct lane *lane, uint64_t ticks)
{
    if (!clock_runs(ticks)) {
        enter_stage(lane, STAMP_ASKING);
        return;
    }
    const uint64_t coarse = coarse_ticks();
    lane->coarse_seen = coarse;
    /* A step that came after the reading would promise the collector more than is true. */
    lane->shared_until = coarse != 0 && coarse <= ticks ? lane->head + STAMP_GROUP_BYTES : 0;
}

/* One pause may be an interrupt. Who pauses every few thousand records does so of its own accord, and in the same
 * places each time: there, sharing is not worth what is off by it. */
static void pause(struct lane *lane)
{
    if (lane->stage == STAMP_SHARING) {
        const bool was_short = lane->head - lane->dense_since < STAMP_LONG_BYTES;
        if (!was_short)
            lane->dense_bytes = STAMP_DENSE_BYTES;
        else if (lane->dense_bytes < STAMP_LONG_BYTES)
            lane->dense_bytes *= 2;
        enter_stage(lane, STAMP_ASKING);
    } else if (lane->stage == STAMP_ASKING) {
        enter_stage(lane, STAMP_CLAIMED);
    }
}

void stamp_note_sharer(struct lane *lane, uint64_t ticks, uint64_t elapsed)
{
    struct lane *const sharer = atomic_load_explicit(&session.sharer, memory_order_relaxed);
    if (sharer != lane) {
        atomic_store_explicit(&session.sharer, NULL, memory_order_release);
        return;
    }
    if (elapsed > STAMP_PAUSE_TICKS)
        pause(lane);
    if (lane->stage == STAMP_SHARING)
        begin_group(lane, ticks);
}

/* Another lane had an event. */
static void rest(struct lane *lane)
{
    const bool was_long = lane->head - lane->claimed_at > 8 * lane->claim_rest;
    if (was_long)
        lane->claim_rest = MIN_REST_BYTES;
    else if (lane->claim_rest < MAX_REST_BYTES)
        lane->claim_rest *= 2;
    lane->claim_from = lane->head + lane->claim_rest;
    enter_stage(lane, STAMP_READING);
}

static void claim(struct lane *lane)
{
    struct lane *nobody = NULL;
    if ((session.flags & SESSION_EXACT_TIMES) || lane->is_signal || lane->head < lane->claim_from ||
        !atomic_compare_exchange_strong(&session.sharer, &nobody, lane))
        return;
    lane->claimed_at = lane->head;
    enter_stage(lane, STAMP_CLAIMED);
}

void stamp_consider_slow(struct lane *lane)
{
    if (lane->stage == STAMP_READING)
        claim(lane);
    else if (atomic_load_explicit(&session.sharer, memory_order_relaxed) != lane)
        rest(lane);
    else if (lane->stage == STAMP_CLAIMED)
        enter_stage(lane, STAMP_ASKING);
    else if (lane->stage == STAMP_ASKING && clock_runs(lane->last_ticks))
        enter_stage(lane, STAMP_SHARING);
}
