/* SPDX-License-Identifier: MIT */
/* In this order: a slow file needs few bytes, few events cost nothing either way; where processors are
 * wanted by others, the work is put off until the program has ended; else the file grows
 * by so many bytes an event, which is kept as an account: an easy way while there is credit, a harder
 * one while there is none. Which two of the three depends on whether the middle one keeps within
 * what is allowed (two frames of different ways are cheaper than what lies between), and on the
 * program: while it is held up, the hardest is out. */
#include "collector/pace.h"

enum pace_tuning {
    BYTES_PER_10_EVENTS = 48, /* over the run; what the names take at its end makes it 5 an event */
    CREDIT_BYTES = 4 << 20,   /* how much of a thin stretch may be spent on a thick one */
    BEHIND_NS = 100 * 1000 * 1000, /* a few turns of a scheduler that has too many to serve */
    CALM_EVENTS_PER_MS = 500,      /* dense, that is 2 % of a processor */
    STALL_NS = 1000 * 1000,        /* shorter is a page cache at work, not a disk */
    TELLING_EVENTS = 1000,         /* a frame of fewer does not tell how they compress */
    LEAST_DEBT_BYTES = 1 << 20,    /* less is no use to anybody */
    LEAST_DEBT_DIVISOR = 20,       /* of the file, all of which is copied */
};

void pace_note_fill(struct pace *pace, uint64_t filled_bytes, uint64_t ring_bytes, uint64_t now_ns)
{
    if (filled_bytes > ring_bytes / 4 * 3)
        pace->behind_until_ns = now_ns + BEHIND_NS;
}

void pace_note_crowding(struct pace *pace, bool crowded, bool may_defer)
{
    pace->crowded = crowded;
    pace->may_defer = may_defer;
}

static bool defers(const struct pace *pace)
{
    return pace->crowded && pace->may_defer && pace->deferred_bytes < PACE_MOST_DEFERRED_BYTES;
}

static int64_t clamp(int64_t value, int64_t limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

void pace_note_frame(struct pace *pace, const struct pace_frame *frame)
{
    /* A frame is half a MiB, so neither number comes near the limit of its type. */
    const int64_t allowed = (int64_t)frame->n_events * BYTES_PER_10_EVENTS / 10;
    const uint64_t since_ns = frame->end_ns - pace->last_ns;
    pace->credit_bytes =
        clamp(pace->credit_bytes + allowed - (int64_t)frame->n_bytes, CREDIT_BYTES);
    if (frame->way == PACE_STORED && pace->credit_bytes < 0 && defers(pace)) {
        pace->deferred_bytes += (uint64_t)-pace->credit_bytes;
        pace->credit_bytes = 0;
    }
    if (frame->way == PACE_QUICK && frame->n_events >= TELLING_EVENTS)
        pace->quick_suffices = (int64_t)frame->n_bytes <= allowed;
    pace->calm = frame->n_events < since_ns / 1000000 * CALM_EVENTS_PER_MS;
    pace->stalled = frame->write_ns > frame->compress_ns && frame->write_ns > STALL_NS;
    pace->last_ns = frame->end_ns;
}

enum pace_way pace_choose(const struct pace *pace, uint64_t now_ns)
{
    const bool behind = now_ns < pace->behind_until_ns;
    if (pace->stalled || (pace->calm && !behind))
        return PACE_DENSE;
    if (defers(pace))
        return PACE_STORED;
    if (behind || pace->quick_suffices)
        return pace->credit_bytes < 0 ? PACE_QUICK : PACE_STORED;
    return pace->credit_bytes < 0 ? PACE_DENSE : PACE_QUICK;
}

uint64_t pace_debt_bytes(const struct pace *pace, uint64_t n_bytes)
{
    const uint64_t credit = pace->credit_bytes > 0 ? (uint64_t)pace->credit_bytes : 0;
    const uint64_t debt = pace->deferred_bytes > credit ? pace->deferred_bytes - credit : 0;
    return debt > LEAST_DEBT_BYTES && debt > n_bytes / LEAST_DEBT_DIVISOR ? debt : 0;
}
