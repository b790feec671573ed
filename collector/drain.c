/* SPDX-License-Identifier: MIT */
/* How a ring is emptied without trusting it: its bytes are first copied to private memory, then
 * walked with record_decode(), and only what was walked is written. A record that breaks the
 * grammar condemns its ring for good: where the next one begins is anyone's guess.
 *
 * The watermark of a pass. Let W be the time at which the previous pass ended, at least 50 us ago.
 * A writer sets in_event before it takes a stamp and clears it after publishing. We read in_event,
 * then head. If in_event was 0, any record stamped before W is already published, for a store is
 * visible long before 50 us are over. If it was 1, the record to come is stamped no earlier than the
 * last one drained from that ring (hold_ticks). A writer that shares a reading (preload/stamp.h) stamps with one that
 * was taken after the step C of the coarse clock which it sees while in its event; C is what the clock
 * showed when the previous pass ended, or later. So nothing to come is stamped before
 *     min(W, C while the clock runs, hold_ticks of each ring that was in an event). */
#include "collector/drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/futex.h"
#include "collector/skim.h"
#include "collector/ticks.h"

enum drain_tuning {
    PIECE_BYTES = 256 * 1024,     /* of one chunk; several records of any length */
    SETTLE_NS = 50 * 1000,        /* a store buffer empties in well under a microsecond */
    STUCK_BYTES = 64 << 20,       /* written while one writer held the watermark back */
    GONE_CHECK_NS = 20 * 1000000, /* between two looks whether a thread is gone */
};
static const uint64_t sane_count = UINT64_C(1) << 40; /* more losses than that are scribble */

/* Take the time of a pass's end, and lend it to those who have no clock. */
static void take_time(struct drain *drain)
{
    const struct session *const session = drain->slots->session;
    drain->last_end_ns = ticks_monotonic_ns();
    drain->last_end_ticks = ticks_now(session->tsc);
    drain->last_coarse_ticks = coarse_clock_bound(drain->clock);
    atomic_store(&session->header->now_ticks, drain->last_end_ticks);
}

int drain_init(struct drain *drain)
{
    drain->buffer = malloc(PIECE_BYTES);
    if (drain->chunk_bytes == 0)
        drain->chunk_bytes = PIECE_BYTES;
    take_time(drain);
    drain->since_ticks = drain->last_end_ticks;
    return drain->buffer ? 0 : -ENOMEM;
}

void drain_fini(struct drain *drain)
{
    free(drain->buffer);
    drain->buffer = NULL;
}

/* ---- one record ---- */

/* A resize counts once, by its end; a refused unmap counts not at all. */
static void count_event(struct drain *drain, struct stream *stream, uint8_t tag)
{
    if (tag == TRACE_MAP_FAIL && stream->map_pending)
        drain->n_events--;
    if (tag == TRACE_MAP_FAIL || tag == TRACE_MMAP || tag == TRACE_MUNMAP ||
        tag == TRACE_REMAP_BEGIN)
        stream->map_pending = tag == TRACE_MUNMAP;
    drain->n_events += record_is_allocation(tag) || record_is_release(tag) ||
                       tag == TRACE_REALLOC_END || tag == TRACE_REALLOC_FREED ||
                       tag == TRACE_MMAP || tag == TRACE_MUNMAP || tag == TRACE_REMAP_END ||
                       record_is_io(tag);
}

static void note_record(struct drain *drain, struct slot *slot, struct stream *stream,
                        const struct record *record)
{
    switch (record->tag) {
    case TRACE_NODE:
        places_add_address(drain->places, slot->image_id, record->node.return_address);
        break;
    case TRACE_MODULE: places_add_module(drain->places, slot->image_id, record); break;
    default: count_event(drain, stream, record->tag); break;
    }
}

/* ---- one ring ---- */

/* A published range of a ring, and the walk through a private copy of a piece of it. */
struct walk {
    const uint8_t *ring_bytes;
    uint64_t ring_size;
    uint64_t head;
};

static void count_lost(struct drain *drain, uint32_t stream, uint64_t n, uint32_t reason)
{
    drain->n_lost[reason] += n;
    if (!drain->discarding && scribe_lost(drain->out, stream, n, reason) == 0)
        drain->n_lost_written[reason] += n;
}

/* Tell the file of a stream once. Returns false while nothing is to be, or could be, written. */
static bool announce(struct drain *drain, struct slot *slot, unsigned ring)
{
    struct stream *const stream = &slot->streams[ring];
    if (stream->id || drain->discarding)
        return !drain->discarding;
    if (scribe_stream(drain->out, drain->n_streams + 1, slot->image_id, SLOT_PID(slot->word),
                      SLOT_TID(slot->word), ring))
        return false;
    stream->id = ++drain->n_streams;
    return true;
}

static void abandon(struct drain *drain, struct slot *slot, unsigned ring)
{
    slot->streams[ring].abandoned = true;
    announce(drain, slot, ring);
    count_lost(drain, slot->streams[ring].id, 1, TRACE_LOSS_CORRUPT);
}

static bool is_padding(const uint8_t *bytes, const uint8_t *end)
{
    while (bytes < end && *bytes == 0xc0)
        bytes++;
    return bytes == end;
}

/* Look at one record that is not among the usual. The same errors as record_decode(). */
static int walk_record(struct drain *drain, struct slot *slot, struct stream *stream,
                       struct unpack_cursor *cursor)
{
    struct record record;
    uint64_t return_address;
    const uint8_t *const behind_node = skim_node(cursor->at, cursor->end, &return_address);
    if (behind_node) {
        places_add_address(drain->places, slot->image_id, return_address);
        cursor->at = behind_node;
        return 0;
    }
    const struct unpack_cursor start = *cursor;
    const int error = record_decode(cursor, &stream->base, &record);
    if (error)
        return error;
    if (record.tag >= TRACE_TAG_FILE) {
        *cursor = start;
        return -EBADMSG;
    }
    if (record.known)
        note_record(drain, slot, stream, &record);
    return 0;
}

/* Walk the records of a copied piece. Returns the bytes of whole records (padding included), and
 * leaves how many there were; -1 where the grammar is broken. */
static ptrdiff_t walk_piece(struct drain *drain, struct slot *slot, struct stream *stream,
                            struct unpack_cursor cursor, uint64_t *n_records_out)
{
    const uint8_t *const start = cursor.at;
    const size_t n_bytes = (size_t)(cursor.end - start);
    const uint8_t *const limit =
        start + (n_bytes < drain->chunk_bytes ? n_bytes : drain->chunk_bytes);
    uint64_t n_records = 0;
    int error = 0;
    while (cursor.at < limit) {
        struct skim skim = {.base = stream->base};
        cursor.at = skim_events(cursor.at, limit, cursor.end, &skim);
        stream->base = skim.base;
        drain->n_events += skim.n_events;
        n_records += skim.n_records;
        if (cursor.at >= limit || (error = walk_record(drain, slot, stream, &cursor)))
            break;
        n_records++;
    }
    if (is_padding(cursor.at, cursor.end))
        cursor.at = cursor.end;
    else if (error == -EBADMSG && cursor.at == start)
        return -1;
    *n_records_out = n_records;
    return cursor.at - start;
}

/* Copy one piece of at most n_most bytes out of the ring, no further than its end. */
static struct unpack_cursor copy_piece(uint8_t *to, const struct walk *walk, uint64_t tail,
                                       size_t n_most)
{
    const uint64_t at = tail & (walk->ring_size - 1);
    uint64_t n = walk->head - tail;
    if (n > walk->ring_size - at)
        n = walk->ring_size - at;
    if (n > n_most)
        n = n_most;
    memcpy(to, walk->ring_bytes + at, n);
    return (struct unpack_cursor){.at = to, .end = to + n};
}

/* What the file still takes in one go: near its limit, less than a full piece, so that it is filled. */
static size_t piece_bytes(const struct drain *drain)
{
    return compress_room(drain->out, SCRIBE_CHUNK_HEAD_BYTES + PIECE_BYTES) -
           SCRIBE_CHUNK_HEAD_BYTES;
}

/* Give the writer its room, and a call if it waits. */
static void publish_tail(struct ring *ring, uint64_t tail)
{
    atomic_store(&ring->tail, tail);
    if (atomic_load(&ring->wants_room)) {
        atomic_fetch_add(&ring->tail_word, 1);
        futex_wake_all(&ring->tail_word);
    }
}

/* Take one piece out of the ring and write it. Returns its bytes; 0 where the ring is broken. */
static size_t write_piece(struct drain *drain, struct slot *slot, unsigned ring,
                          const struct walk *walk)
{
    struct stream *const stream = &slot->streams[ring];
    struct record head = {.chunk = {.stream = stream->id, .base = stream->base}};
    uint8_t *reserved;
    ptrdiff_t n_whole = 0;
    /* Near the end of the file, a piece may be less than one long record. */
    for (size_t n_most = piece_bytes(drain); n_whole == 0; n_most = PIECE_BYTES) {
        reserved = compress_reserve(drain->out, SCRIBE_CHUNK_HEAD_BYTES + PIECE_BYTES);
        n_whole =
            walk_piece(drain, slot, stream,
                       copy_piece(reserved + SCRIBE_CHUNK_HEAD_BYTES, walk, stream->tail, n_most),
                       &head.chunk.n_records);
        if (n_most == PIECE_BYTES)
            break;
    }
    if (n_whole <= 0)
        return 0; /* a record longer than any may be, or none at all */
    head.chunk.n_bytes = (uint32_t)n_whole;
    publish_tail(slot_ring(slot, ring), stream->tail + (uint64_t)n_whole);
    if (head.chunk.n_records)
        scribe_chunk(drain->out, &head, reserved, drain->n_events);
    return (size_t)n_whole;
}

/* The same while nothing is written. */
static size_t discard_piece(struct drain *drain, struct slot *slot, unsigned ring,
                            const struct walk *walk)
{
    struct stream *const stream = &slot->streams[ring];
    const uint64_t n_events = drain->n_events;
    const struct unpack_cursor piece = copy_piece(drain->buffer, walk, stream->tail, PIECE_BYTES);
    uint64_t n_records;
    const ptrdiff_t n_whole = walk_piece(drain, slot, stream, piece, &n_records);
    if (drain->n_events > n_events) /* a refused unmap alone takes back one that was written */
        drain->n_lost[TRACE_LOSS_STOPPED] += drain->n_events - n_events;
    drain->n_events = n_events;
    return n_whole > 0 ? (size_t)n_whole : 0;
}

/* An image's record is the first of its main ring. It is looked at before the ring is emptied, since
 * the end of an earlier process with that pid has to be written before it. */
static void greet(struct drain *drain, struct slot *slot, const struct walk *walk)
{
    struct unpack_cursor cursor = copy_piece(drain->buffer, walk, 0, TRACE_MAX_RECORD_BYTES);
    struct record_base base = {0};
    struct record record;
    if (record_decode(&cursor, &base, &record) || record.tag != TRACE_IMAGE)
        return;
    if (record.image.pid != SLOT_PID(slot->word) || record.image.image_id != slot->image_id)
        return; /* scribble must not speak for another process */
    places_inherit(drain->places, slot->image_id, record.image.parent_image);
    tree_attach(drain->tree, &record.image, record.ticks, drain->out);
}

/* Take all that was published, piece by piece. A broken ring is abandoned. */
static void empty_ring(struct drain *drain, struct slot *slot, unsigned ring,
                       const struct walk *walk)
{
    struct stream *const stream = &slot->streams[ring];
    const uint64_t n_bytes = walk->head - stream->tail;
    if (n_bytes == 0 || stream->abandoned)
        return;
    if (n_bytes > walk->ring_size) {
        abandon(drain, slot, ring);
        return;
    }
    pace_note_fill(compress_pace(drain->out), n_bytes, walk->ring_size, ticks_monotonic_ns());
    if (ring == 0 && stream->tail == 0)
        greet(drain, slot, walk);
    while (stream->tail != walk->head) {
        const size_t n_taken = announce(drain, slot, ring) ? write_piece(drain, slot, ring, walk)
                                                           : discard_piece(drain, slot, ring, walk);
        if (n_taken == 0) {
            abandon(drain, slot, ring);
            return;
        }
        stream->tail += n_taken;
    }
}

/* Empty one ring. Returns the bytes taken; lowers *hold to what the ring may still deliver. */
static size_t drain_ring(struct drain *drain, struct slot *slot, unsigned ring, uint64_t *hold)
{
    struct ring *const shared = slot_ring(slot, ring);
    struct stream *const stream = &slot->streams[ring];
    const uint32_t in_event = atomic_load(&shared->in_event); /* before head: see above */
    const struct walk walk = {
        .ring_bytes = slots_ring_bytes(drain->slots, slot, ring),
        .ring_size = drain->slots->session->ring_bytes[ring],
        .head = atomic_load_explicit(&shared->head, memory_order_acquire),
    };
    const uint64_t start = stream->tail;
    empty_ring(drain, slot, ring, &walk);
    const size_t n_bytes = stream->abandoned ? 0 : walk.head - start;
    if (stream->abandoned)
        stream->tail = walk.head;
    /* Not only where it moved: a writer whose program wrote over its tail waits for ever else. */
    if (atomic_load_explicit(&shared->tail, memory_order_relaxed) != stream->tail)
        publish_tail(shared, stream->tail);
    if (n_bytes && stream->base.ticks > stream->hold_ticks)
        stream->hold_ticks = stream->base.ticks;
    if (in_event && !stream->abandoned && stream->hold_ticks < *hold)
        *hold = stream->hold_ticks;
    return n_bytes;
}

/* ---- a pass ---- */

static void adopt(struct drain *drain, const struct slot *slot)
{
    places_open_image(drain->places, slot->image_id);
    tree_open_slot(drain->tree, SLOT_PID(slot->word));
}

static uint64_t live_bytes_of(const struct slot *slot)
{
    uint64_t live_bytes = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct ring *const ring = slot_ring(slot, i);
        live_bytes += atomic_load_explicit(&ring->live_gained_bytes, memory_order_relaxed) -
                      atomic_load_explicit(&ring->live_dropped_bytes, memory_order_relaxed);
    }
    return live_bytes;
}

/* `hold`: what some ring may still deliver. A writer that never comes back must not hold up the file, though, beyond
 * `limit`, which all others keep to. */
static void write_watermark(struct drain *drain, uint64_t hold, uint64_t limit)
{
    uint64_t ticks = hold;
    if (hold <= drain->watermark) {
        if (compress_n_bytes(drain->out) - drain->watermark_at_bytes < STUCK_BYTES)
            return;
        ticks = limit;
    }
    if (ticks <= drain->watermark || drain->discarding)
        return;
    if (scribe_watermark(drain->out, ticks) == 0) {
        drain->watermark = ticks;
        drain->watermark_at_bytes = compress_n_bytes(drain->out);
    }
}

static void note_end_of_pass(struct drain *drain)
{
    drain->since_ticks = drain->last_end_ticks;
    take_time(drain);
}

struct drain_pass drain_run(struct drain *drain)
{
    struct drain_pass pass = {0};
    while (ticks_monotonic_ns() - drain->last_end_ns < SETTLE_NS)
        ; /* rarer than one pass in a thousand, and shorter than a sleep */
    uint64_t limit = drain->last_end_ticks;
    if (drain->last_coarse_ticks != 0 && drain->last_coarse_ticks < limit)
        limit = drain->last_coarse_ticks;
    uint64_t hold = limit;
    drain->live_bytes = drain->live_closed_bytes;
    for (uint32_t i = 0; i < drain->slots->n_offered; i++) {
        bool adopted;
        struct slot *const slot = slots_look(drain->slots, i, drain->since_ticks, &adopted);
        if (!slot)
            continue;
        if (adopted)
            adopt(drain, slot);
        for (unsigned ring = 0; ring < 2; ring++) {
            const size_t n = drain_ring(drain, slot, ring, &hold);
            pass.n_bytes += n;
            if (n > pass.fullest_bytes)
                pass.fullest_bytes = n;
            if (n && atomic_load(&slot_ring(slot, ring)->wants_coarse))
                pass.wants_clock = true;
        }
        drain->live_bytes += live_bytes_of(slot);
    }
    if (pass.n_bytes)
        write_watermark(drain, hold, limit);
    note_end_of_pass(drain);
    return pass;
}

/* ---- the end of a stream ---- */

static void write_stream_losses(struct drain *drain, struct slot *slot, unsigned ring)
{
    struct stream *const stream = &slot->streams[ring];
    for (uint32_t reason = 1; reason < 8; reason++) {
        const uint64_t n = atomic_load(&slot_ring(slot, ring)->n_lost[reason]);
        if (n <= stream->n_lost[reason] || n > sane_count)
            continue;
        announce(drain, slot, ring);
        count_lost(drain, stream->id, n - stream->n_lost[reason], reason);
        stream->n_lost[reason] = n;
    }
}

static void end_stream(struct drain *drain, struct slot *slot, unsigned ring)
{
    const struct ring *const shared = slot_ring(slot, ring);
    write_stream_losses(drain, slot, ring);
    if (slot->streams[ring].id == 0 || drain->discarding)
        return;
    const struct scribe_stream_totals totals = {
        .n_fast = atomic_load(&shared->n_fast),
        .n_fallback = atomic_load(&shared->n_fallback),
        .n_truncated = atomic_load(&shared->n_truncated),
        .n_stdio_calls = atomic_load(&shared->n_stdio_calls),
    };
    scribe_stream_end(drain->out, slot->streams[ring].id, &totals);
}

static void end_slot(struct drain *drain, struct slot *slot)
{
    end_stream(drain, slot, 0);
    end_stream(drain, slot, 1);
    drain->live_closed_bytes += live_bytes_of(slot);
    places_close_image(drain->places, slot->image_id);
    tree_close_slot(drain->tree, SLOT_PID(slot->word));
}

/* Gone: the thread or its process exited, or the process has become another program since. In
 * another pid namespace its numbers mean nothing here, and a living thread must not be taken for gone. */
static bool owner_is_gone(const struct drain *drain, const struct slot *slot, uint64_t now_ns)
{
    const int pid = SLOT_PID(slot->word);
    if (tree_image_of(drain->tree, pid) > slot->image_id)
        return true;
    return slots_thread_is_gone(slot->word) && tree_knows_pid(drain->tree, pid, now_ns);
}

static bool is_empty(const struct slot *slot)
{
    for (unsigned ring = 0; ring < 2; ring++)
        if (atomic_load(&slot_ring(slot, ring)->head) != slot->streams[ring].tail)
            return false;
    return true;
}

static void reclaim_one(struct drain *drain, uint32_t i, uint64_t now_ns)
{
    struct slot *const slot = &drain->slots->slots[i];
    if (slot->word == 0) {
        /* Claimed and never made ready: its thread died in between. */
        const uint64_t word = atomic_load(&drain->slots->session->header->slots[i]);
        if (SLOT_STATE(word) == SLOT_CLAIMED && slots_thread_is_gone(word) &&
            tree_knows_pid(drain->tree, SLOT_PID(word), now_ns) &&
            atomic_load(&slot->header->ready) == 0)
            slots_give_back(drain->slots, i);
        return;
    }
    slot->next_check_ns = now_ns + GONE_CHECK_NS;
    slot->gone =
        slot->gone || atomic_load(&slot->header->closed) || owner_is_gone(drain, slot, now_ns);
    if (!slot->gone || !is_empty(slot))
        return; /* the next pass takes what was published before it went */
    end_slot(drain, slot);
    slots_give_back(drain->slots, i);
}

void drain_reclaim(struct drain *drain, bool all)
{
    const uint64_t now_ns = ticks_monotonic_ns();
    for (uint32_t i = 0; i < drain->slots->n_offered; i++)
        if (all || drain->slots->slots[i].next_check_ns <= now_ns)
            reclaim_one(drain, i, now_ns);
}

void drain_write_losses(struct drain *drain)
{
    struct session_header *const header = drain->slots->session->header;
    for (uint32_t i = 0; i < drain->slots->n_offered; i++) {
        struct slot *const slot = &drain->slots->slots[i];
        if (slot->word == 0)
            continue;
        write_stream_losses(drain, slot, 0);
        write_stream_losses(drain, slot, 1);
    }
    const uint64_t n = atomic_load(&header->n_lost_no_slot);
    if (n <= drain->n_no_slot || n > sane_count)
        return;
    /* After the stop no thread waits for a slot: that, not memory, is what it lacked. */
    count_lost(drain, 0, n - drain->n_no_slot,
               drain->discarding ? TRACE_LOSS_STOPPED : TRACE_LOSS_NO_SLOT);
    drain->n_no_slot = n;
}

void drain_finish(struct drain *drain)
{
    drain_write_losses(drain);
    for (uint32_t i = 0; i < drain->slots->n_offered; i++) {
        struct slot *const slot = &drain->slots->slots[i];
        if (slot->word == 0)
            continue;
        end_slot(drain, slot);
        slot->word = 0;
    }
    /* What was lost after recording stopped is written now, in sum, out of the reserve. */
    for (uint32_t reason = 1; reason < 8; reason++)
        if (drain->n_lost[reason] > drain->n_lost_written[reason])
            scribe_lost(drain->out, 0, drain->n_lost[reason] - drain->n_lost_written[reason],
                        reason);
}

uint32_t drain_count_live(const struct drain *drain)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < drain->slots->n_offered; i++) {
        const uint64_t word = atomic_load(&drain->slots->session->header->slots[i]);
        n += SLOT_STATE(word) == SLOT_CLAIMED && tree_is_alive(drain->tree, SLOT_PID(word)) &&
             !slots_thread_is_gone(word);
    }
    return n;
}
