/* SPDX-License-Identifier: MIT */
/* How a lane comes to share readings, and when it stops.
 *
 *   reading --dense--> asking --dense, and the coarse clock runs--> sharing
 *
 * A pause leads back by one stage, and asking in vain to the first. Beside that, a dense lane tries to be alone; who is
 * disturbed again and again rests longer and longer before the next try, so that threads that work side by side soon
 * leave each other alone. */
#include "preload/stamp.h"

#define NEVER_ALONE UINT64_MAX

enum {
    MIN_REST_BYTES = 16 << 10, /* of records */
    MAX_REST_BYTES = 64 << 20,
    MAX_ASK_REST_BYTES = 256 << 20,
    NUMBER_BITS = 16, /* of session.company; a lane's number has one bit less */
    COUNT_BITS = LAST_TOUCH_MARK_BITS - (NUMBER_BITS - 1),
};

_Static_assert(2 * SESSION_MAX_SLOTS < 1 << (NUMBER_BITS - 1), "each slot has two numbers, from 1");

/* How high the count in session.company may get, so that marks of before stay void. After that, nobody is alone or
 * shares. */
static const uint64_t last_count = (UINT64_C(1) << COUNT_BITS) - 1;

static uint64_t company_now(void)
{
    return atomic_load_explicit(&session.company, memory_order_relaxed);
}

/* Others have events, too: `company` says so. With that all marks of before are void, so that even a reading taken before
 * another lane's fork and looked at after it is shared by no event of a block. Beyond last_count marks mean
 * nothing, and nobody looks at them (may_share). */
static void join(struct lane *lane, uint64_t company)
{
    lane->together = company;
    lane->mark = (uint64_t)lane->number << COUNT_BITS | company >> NUMBER_BITS;
    lane->shared_until = 0;
}

/* Make sure that no other lane believes itself alone. */
static void show_up(struct lane *lane)
{
    uint64_t company = company_now();
    const uint64_t others = company >> NUMBER_BITS << NUMBER_BITS;
    if (company != others)
        atomic_compare_exchange_strong(&session.company, &company, others);
    join(lane, others);
}

void stamp_start(struct lane *lane)
{
    lane->stage = STAMP_READING;
    lane->coarse_seen = 0;
    lane->group_bytes = STAMP_GROUP_BYTES;
    /* Where nobody shares, nothing need be noted: as for one who is alone. */
    lane->alone = session.flags & SESSION_EXACT_TIMES ? company_now() : NEVER_ALONE;
    lane->stage_since = lane->dense_since = lane->dense_ticks = 0;
    lane->claimed_at = lane->claim_from = 0;
    lane->dense_bytes = STAMP_DENSE_BYTES;
    lane->claim_rest = MIN_REST_BYTES;
    lane->useful_at = lane->ask_from = 0;
    lane->ask_rest = STAMP_VAIN_BYTES;
    /* The memory of a lane outlives its thread, which may have been alone. */
    show_up(lane);
}

/* Tell whether the lane may share readings at all, and there are marks left for it. */
static bool may_share(const struct lane *lane)
{
    const uint32_t reads_each_time =
        SESSION_EXACT_TIMES | SESSION_CLOCK_MONOTONIC | SESSION_BORROWED_CLOCK;
    return !(session.flags & reads_each_time) && !lane->is_signal &&
           lane->together >> NUMBER_BITS <= last_count;
}

static void begin_stretch(struct lane *lane)
{
    lane->dense_since = lane->head;
    lane->dense_ticks = lane->last_ticks;
}

/* Many small gaps add up: tell whether a group at the pace of this stretch would last less than half a pause. */
static bool is_quick(const struct lane *lane)
{
    const uint64_t n_groups = (lane->head - lane->dense_since) / STAMP_GROUP_BYTES;
    return lane->last_ticks - lane->dense_ticks < n_groups * (STAMP_PAUSE_TICKS / 2);
}

static void enter_stage(struct lane *lane, enum stamp_stage stage)
{
    lane->stage = stage;
    lane->shared_until = 0;
    lane->group_bytes = STAMP_GROUP_BYTES;
    lane->stage_since = lane->head;
    begin_stretch(lane);
    const uint32_t wants_clock = stage >= STAMP_ASKING;
    if (atomic_load_explicit(&lane->ring->wants_coarse, memory_order_relaxed) != wants_clock)
        atomic_store_explicit(&lane->ring->wants_coarse, wants_clock, memory_order_relaxed);
}

static uint64_t coarse_ticks(void)
{
    return atomic_load_explicit(&session.header->coarse_ticks, memory_order_relaxed);
}

/* Tell whether the clock that shows `coarse` runs. */
static bool runs(uint64_t coarse, uint64_t ticks)
{
    return coarse != 0 && (coarse > ticks || ticks - coarse < STAMP_STALE_TICKS);
}

/* Let the next group be longer where the last one was full soon, and shorter where it took long. */
static void fit_group(struct lane *lane, uint64_t lasted_ticks)
{
    const bool was_full = lane->shared_until != 0 && lane->head >= lane->shared_until;
    if (lasted_ticks > STAMP_PAUSE_TICKS / 4 && lane->group_bytes > STAMP_GROUP_BYTES)
        lane->group_bytes /= 2;
    else if (was_full && lasted_ticks < STAMP_PAUSE_TICKS / 8 &&
             lane->group_bytes < STAMP_LONG_GROUP_BYTES)
        lane->group_bytes *= 2;
}

/* Share the reading just taken with the records to come. */
static void begin_group(struct lane *lane, uint64_t ticks)
{
    const uint64_t coarse = coarse_ticks();
    if (!runs(coarse, ticks)) {
        enter_stage(lane, STAMP_ASKING);
        return;
    }
    lane->coarse_seen = coarse;
    /* A step that came after the reading would promise the collector more than is true. */
    lane->shared_until = coarse <= ticks ? lane->head + lane->group_bytes : 0;
}

/* One pause may be an interrupt. Who pauses every few thousand records does so of its own accord, and in the same
 * places each time: there, sharing is not worth what is off by it. */
static void pause(struct lane *lane)
{
    if (lane->stage == STAMP_SHARING) {
        const bool was_short = lane->head - lane->stage_since < STAMP_LONG_BYTES;
        if (!was_short)
            lane->dense_bytes = STAMP_DENSE_BYTES;
        else if (lane->dense_bytes < STAMP_LONG_BYTES)
            lane->dense_bytes *= 2;
        enter_stage(lane, STAMP_ASKING);
    } else if (lane->stage == STAMP_ASKING) {
        enter_stage(lane, STAMP_READING);
    }
}

/* From now on the clock is to be of use. */
static void ask(struct lane *lane)
{
    lane->useful_at += lane->head - lane->stage_since;
    enter_stage(lane, STAMP_ASKING);
}

static void give_up_asking(struct lane *lane)
{
    enter_stage(lane, STAMP_READING);
    lane->useful_at = lane->head;
    lane->ask_from = lane->head + lane->ask_rest;
    if (lane->ask_rest < MAX_ASK_REST_BYTES)
        lane->ask_rest *= 2;
}

void stamp_note_pause(struct lane *lane)
{
    begin_stretch(lane);
    if (lane->stage != STAMP_READING)
        pause(lane);
}

void stamp_note_slow(struct lane *lane, uint64_t ticks, uint64_t paused_ticks)
{
    const uint64_t company = company_now();
    if (company != lane->alone && company != lane->together)
        show_up(lane);
    if (lane->stage != STAMP_READING && !may_share(lane))
        enter_stage(lane, STAMP_READING);
    if (lane->stage != STAMP_READING && lane->head - lane->useful_at > STAMP_VAIN_BYTES)
        give_up_asking(lane);
    if (lane->stage != STAMP_SHARING)
        return;
    fit_group(lane, paused_ticks);
    begin_group(lane, ticks);
}

void stamp_end_groups(struct lane *lane)
{
    uint64_t company = company_now(), ended;
    if (company == lane->alone)
        return; /* there are no others */
    do {
        const uint64_t count = company >> NUMBER_BITS;
        ended = (count <= last_count ? count + 1 : count) << NUMBER_BITS;
    } while (!atomic_compare_exchange_weak(&session.company, &company, ended));
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
    lane->alone = NEVER_ALONE;
}

/* Say that we are alone, unless somebody is or was since we last looked. It counts once the lane was dense for as
 * long again. Returns whether that is so now. */
static bool claim(struct lane *lane)
{
    uint64_t company = lane->together;
    const uint64_t count = (company >> NUMBER_BITS) + 1;
    const uint64_t alone = count << NUMBER_BITS | lane->number;
    if (lane->head < lane->claim_from || count > last_count ||
        !atomic_compare_exchange_strong(&session.company, &company, alone))
        return false;
    lane->alone = alone;
    lane->claimed_at = lane->head;
    return true;
}

void stamp_consider_slow(struct lane *lane)
{
    if (!may_share(lane))
        return;
    if (lane->alone == NEVER_ALONE) {
        if (claim(lane))
            enter_stage(lane, STAMP_READING);
    } else if (company_now() != lane->alone) {
        rest(lane);
    }
    if (lane->head - lane->dense_since < lane->dense_bytes)
        return;
    if (lane->stage != STAMP_SHARING && !is_quick(lane))
        stamp_note_pause(lane);
    else if (lane->stage == STAMP_READING && lane->head >= lane->ask_from)
        ask(lane);
    else if (lane->stage == STAMP_ASKING && runs(coarse_ticks(), lane->last_ticks))
        enter_stage(lane, STAMP_SHARING);
}
