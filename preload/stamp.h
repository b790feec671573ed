/* SPDX-License-Identifier: MIT */
/* Which events get a reading of the counter of their own: all but those of a dense stretch.
 *
 * A reading takes 8 to 16 ns, two of them half of what a malloc and its free cost. So where a thread has had events
 * without a pause of STAMP_PAUSE_TICKS for STAMP_DENSE_BYTES of records, the records of the next STAMP_GROUP_BYTES may
 * share one reading: they are stamped with the thread's last one, which is before they happened. Groups grow up to four
 * times as long while they take less than an eighth of a pause.
 *
 * **How far off.** A group lasts less than a pause, or it was the last: then the thread reads each time again until
 * it has been dense for as long. A longer pause within a group is noticed by the coarse clock, which the collector
 * steps every third of a millisecond while anybody asks for it, and which is looked at for each event. So a
 * stamp may be early by such a step for the events of the group in which a dense stretch ended, be it by a pause or
 * because they came more slowly, and by less than a pause for all others. A program that pauses every few thousand
 * records is read at each event before long, and so is one whose events are some 400 ns apart throughout. The step
 * comes late where the collector is stopped or gets no processor: one group is off by as much then, for a clock that is
 * STAMP_STALE_TICKS old begins no other.
 *
 * **Order.** That of one thread's records is their order in the ring. Between threads, a block must not seem
 * allocated before its last free, nor freed before it was allocated. So who has an event of a block that another
 * lane had the last event of reads the counter: that is after all that went before, whose stamps are not late. Whose
 * the last event was is looked up (last_touch.h), and where that is forgotten it counts as another's.
 *
 * A lane that is alone in the process needs no look-up. It says so in session.company, and has to be dense for as long
 * again, in which whoever was in the midst of an event has seen it. Any other lane's event takes it back before it lets go
 * of its block (stamp_note), and x86 shows stores in their order: who sees that block sees that he is
 * alone no more. What was noted of last events before is void then, as the lane that was alone noted nothing. A
 * signal handler's lane is another lane, and a forked child's, and a thread's after a jump out of a hook.
 *
 *     session.company    how often that was, or groups were ended << 16 | the number of the one that is alone, or 0
 *
 * Some records concern no block, but come before what other lanes do next: a fork, whose child has the blocks of just
 * then, a module that came or went, a mark of the program's own. They end all groups (stamp_end_groups). A call of
 * input or output makes forgotten whose the block was that its buffer begins. Where a buffer lies further inside, or is
 * not the first of several, the block's release in another lane's group may seem to come before the call.
 *
 * **In vain.** Blocks that all change hands, or calls of input and output alone, share nothing however dense they are.
 * A lane none of whose events is seen to share for STAMP_VAIN_BYTES stops asking for the clock, and rests longer each
 * time before it asks again.
 *
 * **The collector** promises the reader that nothing to come is stamped before some time. A group's stamp is never
 * before the step of the coarse clock it was taken under, so that step is the bound while the clock runs.
 *
 * Async-signal-safe; no system call. Three or four loads and comparisons an event. */
#ifndef HEAPWISE_PRELOAD_STAMP_H
#define HEAPWISE_PRELOAD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/lane.h"
#include "preload/last_touch.h"
#include "preload/session.h"

enum stamp_stage {
    STAMP_READING, /* each event by itself */
    STAMP_ASKING,  /* for the coarse clock */
    STAMP_SHARING,
};

enum stamp_tuning {
    STAMP_PAUSE_TICKS = 4096, /* 16 us at 2 GHz */
    STAMP_DENSE_BYTES = 1024, /* some 150 records; where they do not last, up to STAMP_LONG_BYTES */
    STAMP_LONG_BYTES = 16384,
    STAMP_GROUP_BYTES = 128,      /* 13 to 25 */
    STAMP_LONG_GROUP_BYTES = 512, /* about 100, within 4 us; else the next is shorter */
    STAMP_STALE_TICKS = 1 << 20,  /* a coarse clock that is four milliseconds old stands still */
    STAMP_VAIN_BYTES = 4 << 20,   /* of asking for it; it starts before half a ring is full */
};

/* Tell whether the lane's last reading still stands for what concerns no other lane. Ask within the event
 * (ring_begin_stamp). */
static inline bool stamp_lasts(const struct lane *lane)
{
    return lane->head < lane->shared_until &&
           atomic_load_explicit(&session.header->coarse_ticks, memory_order_relaxed) ==
               lane->coarse_seen;
}

/* Tell whether the lane's next record, an event of this block, may share its last reading. Ask within the event, after
 * the allocation or before the release. */
static inline bool stamp_is_shared(const struct lane *lane, const void *address)
{
    const uint64_t company = atomic_load_explicit(&session.company, memory_order_relaxed);
    const bool nobody_else =
        company == lane->alone || (last_touch_was_ours(lane, address) && company == lane->together);
    return nobody_else && stamp_lasts(lane);
}

/* The lane's next record shares its last reading. Of many that do, this may be called for a few. */
static inline void stamp_note_shared(struct lane *lane)
{
    lane->useful_at = lane->head;
    lane->ask_rest = STAMP_VAIN_BYTES;
}

/* Tell whether other lanes may have events. */
static inline bool stamp_has_company(const struct lane *lane)
{
    return atomic_load_explicit(&session.company, memory_order_relaxed) != lane->alone;
}

void stamp_note_pause(struct lane *lane);
void stamp_note_slow(struct lane *lane, uint64_t ticks, uint64_t paused_ticks);

/* The lane's next record has a reading of its own. Since the last one, paused_ticks went into no call that is known of. */
static inline void stamp_note(struct lane *lane, uint64_t ticks, uint64_t paused_ticks)
{
    if (__builtin_expect(paused_ticks > STAMP_PAUSE_TICKS, 0))
        stamp_note_pause(lane);
    if (lane->stage != STAMP_READING ||
        atomic_load_explicit(&session.company, memory_order_relaxed) != lane->together)
        stamp_note_slow(lane, ticks, paused_ticks);
}

void stamp_consider_slow(struct lane *lane);

/* See whether the lane may begin to share readings. To be called now and then. */
static inline void stamp_consider(struct lane *lane)
{
    if (lane->head - lane->dense_since >= lane->dense_bytes)
        stamp_consider_slow(lane);
}

/* What the lane just recorded comes before all that other lanes record from now on. The next event of every block is read.
 * After 2^18 times in a process, readings are shared no more. */
void stamp_end_groups(struct lane *lane);

/* A lane begins anew. */
void stamp_start(struct lane *lane);

#endif
