/* SPDX-License-Identifier: MIT */
/* How the earliest record is found: a binary heap of the streams that have one, by its ticks. The one at
 * its top then goes on until it reaches the second one's time, straight into the outlet's batch: with one
 * busy thread that is a whole chunk without a look at the heap.
 *
 * Streams that take turns are decoded some events ahead, and these interleaved up to the first stream's last
 * known one:
 *
 *   stream 1   h a a a a        h: head, a: ahead; all before the limit go out, each stream keeps at
 *   stream 2     h a   a   a    least one as its new head
 *   stream 3           h a a
 *                      ^ limit: stream 1 may go on here with anything */
#include "reader/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/event_decode.h"
#include "reader/heap.h"
#include "reader/interleave.h"

struct chunk {
    struct chunk *next;
    struct merge_chunk_head head;
    uint8_t *bytes;
    size_t n_bytes;
};

/* Events behind a stream's head: events[at..n). The place before them is for the head itself. */
struct ahead {
    uint32_t at, n;
    uint64_t last_ticks; /* latest of them and of the head */
    struct event events[INTERLEAVE_EVENTS];
};

struct merge_stream {
    struct chunk *first, *last;
    struct unpack_cursor cursor; /* in first, behind what is decoded; or at the end of nothing */
    struct record_base base;
    struct event head;             /* next stamped record, while in_heap */
    struct batch_record long_head; /* its bytes, in `first`, where it is EVENT_LONG */
    struct ahead *ahead;           /* NULL until the stream takes turns with others */
    bool in_heap;
    bool ending; /* nothing more will be appended */
    bool ended;  /* and the outlet knows */
    bool broken;
};

struct merge {
    struct outlet *outlet;
    struct merge_stream *streams;
    struct place *heap;
    uint32_t n_streams, streams_capacity, n_heap, heap_capacity;
    uint64_t n_buffered_bytes;
    bool broken;
    struct trace_error error;
    struct interleave interleave;
};

static void drop_chunk(struct merge *merge, struct merge_stream *stream)
{
    struct chunk *const chunk = stream->first;
    stream->first = chunk->next;
    if (!stream->first)
        stream->last = NULL;
    merge->n_buffered_bytes -= chunk->n_bytes;
    free(chunk->bytes);
    free(chunk);
    stream->cursor = (struct unpack_cursor){0};
}

static void open_chunk(struct merge_stream *stream)
{
    const struct chunk *const chunk = stream->first;
    stream->cursor =
        (struct unpack_cursor){.at = chunk->bytes, .end = chunk->bytes + chunk->n_bytes};
    stream->base = chunk->head.base;
}

static void break_stream(struct merge *merge, struct merge_stream *stream, const char *reason)
{
    const struct chunk *const chunk = stream->first;
    if (!merge->broken) {
        merge->broken = true;
        merge->error.offset_bytes =
            chunk->head.offset + (uint64_t)(stream->cursor.at - chunk->bytes);
        merge->error.record = "chunk";
        snprintf(merge->error.reason, sizeof merge->error.reason, "%s", reason);
    }
    stream->broken = true;
    while (stream->first)
        drop_chunk(merge, stream);
}

/* Decode the next known record of the chunk into `event`; its bytes, if they will be needed, are
 * noted in the stream. Returns 0 or why there is none. */
static int decode_event(struct merge_stream *stream, struct event *event)
{
    for (;;) {
        struct record record;
        while (unpack_nil(&stream->cursor))
            ;
        const struct record_base base = stream->base;
        const uint8_t *const start = stream->cursor.at;
        const int error = record_decode(&stream->cursor, &stream->base, &record);
        if (error)
            return error;
        if (!record.known)
            continue;
        if (record.tag <= TRACE_TREE_RESET) {
            event_fill(event, &record);
            return 0;
        }
        event->ticks = record.ticks;
        event->tag = record.tag;
        event->kind = EVENT_LONG;
        stream->long_head = (struct batch_record){
            .bytes = start, .n_bytes = (size_t)(stream->cursor.at - start), .base = base};
        return 0;
    }
}

/* The same, from the next chunk where the first one is through. False when there is none at present. */
static bool next_event(struct merge *merge, struct merge_stream *stream, struct event *event)
{
    while (stream->first) {
        if (!stream->cursor.at)
            open_chunk(stream);
        const int error = decode_event(stream, event);
        if (error == 0)
            return true;
        if (error == -EBADMSG)
            break_stream(merge, stream, "what stands here is no record");
        else if (stream->cursor.at < stream->cursor.end && !stream->first->head.cut)
            break_stream(merge, stream, "a chunk ends inside a record");
        else
            drop_chunk(merge, stream);
    }
    return false;
}

static bool is_stamped(const struct event *event)
{
    return event->tag != TRACE_NODE && event->tag != TRACE_TREE_RESET;
}

/* Decode usual events stamped before `ticks`, at most n_most, as long as one follows the other in the open
 * chunk; what comes then is left where it is. Returns how many they are. */
static uint32_t decode_usual(struct merge_stream *stream, uint32_t number, uint64_t ticks,
                             struct event *events, uint32_t n_most)
{
    struct event_numbers numbers = {.at = stream->cursor.at};
    struct record_base base = stream->base, done_base = base;
    const uint8_t *done = numbers.at;
    struct event *event = events;
    const struct event *const end = events + n_most;
    for (; event < end && stream->cursor.end - done >= EVENT_DECODE_BYTES; event++) {
        if (!event_decode(&numbers, &base, event) || event->ticks >= ticks)
            break;
        event->stream = number;
        done = numbers.at;
        done_base = base;
    }
    stream->cursor.at = done;
    stream->base = done_base;
    return (uint32_t)(event - events);
}

/* The event by value: it may lie where the outlet is about to write. */
static int send_long(struct merge *merge, const struct merge_stream *stream, const struct event *at)
{
    const struct event event = *at;
    return outlet_add_record(merge->outlet, &event, &stream->long_head);
}

/* Send on what was decoded ahead, as send_before(). */
static int send_ahead(struct ahead *ahead, uint64_t ticks, struct outlet *outlet,
                      struct event *head_out)
{
    for (; ahead->at < ahead->n; ahead->at++) {
        const struct event *const event = &ahead->events[ahead->at];
        int error;
        if (is_stamped(event) && event->ticks >= ticks) {
            *head_out = *event;
            ahead->at++;
            return 1;
        }
        struct event *const place = outlet_place(outlet, &error);
        if (error)
            return error;
        *place = *event;
        outlet_commit(outlet);
    }
    return 0;
}

/* Send on what the stream holds before `ticks`, and unstamped records behind that: they go with the
 * one before them. The next one becomes the head. Returns 1, 0 when there is none at present, or what
 * the outlet returned. */
static int send_before(struct merge *merge, uint32_t number, uint64_t ticks)
{
    struct merge_stream *const stream = &merge->streams[number];
    struct outlet *const outlet = merge->outlet;
    const int found = stream->ahead ? send_ahead(stream->ahead, ticks, outlet, &stream->head) : 0;
    if (found)
        return found;
    for (;;) {
        int error;
        struct batch *const batch = outlet->batch;
        batch->n_events += decode_usual(stream, number, ticks, batch->events + batch->n_events,
                                        BATCH_EVENTS - batch->n_events);
        struct event *const place = outlet_place(outlet, &error);
        if (error)
            return error;
        if (!next_event(merge, stream, place))
            return 0;
        place->stream = number;
        if (is_stamped(place) && place->ticks >= ticks) {
            stream->head = *place;
            return 1;
        }
        if (place->kind == EVENT_SHORT)
            outlet_commit(outlet);
        else if ((error = send_long(merge, stream, place)))
            return error;
    }
}

static int send_head(struct merge *merge, const struct merge_stream *stream)
{
    int error;
    if (stream->head.kind == EVENT_LONG)
        return send_long(merge, stream, &stream->head);
    struct event *const place = outlet_place(merge->outlet, &error);
    if (error)
        return error;
    *place = stream->head;
    outlet_commit(merge->outlet);
    return 0;
}

static int tell_ended(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    int error;
    if (!stream->ending || stream->ended || stream->in_heap)
        return 0;
    struct event *const place = outlet_place(merge->outlet, &error);
    if (error)
        return error;
    stream->ended = true;
    free(stream->ahead);
    stream->ahead = NULL;
    *place = (struct event){.stream = number, .kind = EVENT_OVER};
    outlet_commit(merge->outlet);
    return 0;
}

/* Put a stream that has records but no head into the heap. */
static int enter_heap(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    if (stream->in_heap)
        return 0;
    const int found = send_before(merge, number, 0);
    if (found <= 0)
        return found;
    struct place *const heap =
        array_room(merge->heap, merge->n_heap, &merge->heap_capacity, sizeof *merge->heap);
    if (!heap)
        return -ENOMEM;
    merge->heap = heap;
    heap[merge->n_heap] = (struct place){.ticks = stream->head.ticks, .stream = number};
    stream->in_heap = true;
    heap_rise(heap, merge->n_heap++);
    return 0;
}

/* Until when the stream at the heap's top comes before all others, but not beyond `ticks`. */
static uint64_t end_of_run(const struct merge *merge, uint64_t ticks)
{
    const struct place *const heap = merge->heap;
    if (merge->n_heap < 2)
        return ticks;
    const struct place *const second =
        merge->n_heap > 2 && heap_before(&heap[2], &heap[1]) ? &heap[2] : &heap[1];
    return second->ticks < ticks ? second->ticks + (heap[0].stream < second->stream) : ticks;
}

/* ---- streams that take turns ---- */

/* Decode some of the stream's events ahead. Returns the time of the last one known, the head's if there is
 * no more that can be told now. */
static uint64_t look_ahead(struct merge_stream *stream, uint32_t number)
{
    if (!stream->ahead)
        stream->ahead = calloc(1, sizeof *stream->ahead);
    struct ahead *const ahead = stream->ahead;
    if (!ahead || stream->head.kind == EVENT_LONG)
        return stream->head.ticks;
    const uint32_t n_left = ahead->n - ahead->at;
    if (n_left >= INTERLEAVE_EVENTS / 2)
        return ahead->last_ticks;
    if (n_left == 0)
        ahead->last_ticks = stream->head.ticks;
    memmove(&ahead->events[1], &ahead->events[ahead->at], n_left * sizeof *ahead->events);
    ahead->at = 1;
    ahead->n = 1 + n_left;
    const uint32_t n_more = decode_usual(stream, number, UINT64_MAX, &ahead->events[ahead->n],
                                         INTERLEAVE_EVENTS - ahead->n);
    for (uint32_t i = 0; i < n_more; i++) {
        const uint64_t ticks = ahead->events[ahead->n + i].ticks;
        ahead->last_ticks = ticks > ahead->last_ticks ? ticks : ahead->last_ticks;
    }
    ahead->n += n_more;
    return ahead->last_ticks;
}

/* Streams whose heads come before the limit: places in the heap, each behind those above it. */
struct turns {
    struct place limit;
    uint32_t n, places[INTERLEAVE_RUNS];
};

static void consider(const struct merge *merge, struct turns *turns, uint32_t at)
{
    if (at >= merge->n_heap || !heap_before(&merge->heap[at], &turns->limit))
        return;
    if (turns->n < INTERLEAVE_RUNS)
        turns->places[turns->n++] = at;
    else
        turns->limit = merge->heap[at];
}

static void find_turns(struct merge *merge, struct turns *turns)
{
    consider(merge, turns, 0);
    for (uint32_t i = 0; i < turns->n; i++) {
        const uint32_t at = turns->places[i], number = merge->heap[at].stream;
        const struct place last = {.ticks = look_ahead(&merge->streams[number], number),
                                   .stream = number};
        if (heap_before(&last, &turns->limit))
            turns->limit = last;
        consider(merge, turns, 2 * at + 1);
        consider(merge, turns, 2 * at + 2);
    }
}

/* Give what a stream has before the limit to the interleaving; its head is the one after that. */
static void take_turn(struct merge *merge, struct place *place, const struct place *limit)
{
    struct merge_stream *const stream = &merge->streams[place->stream];
    struct ahead *const ahead = stream->ahead;
    if (!ahead || ahead->at == ahead->n)
        return;
    const uint64_t ticks = limit->ticks + (place->stream < limit->stream);
    const uint32_t first = ahead->at - 1;
    ahead->events[first] = stream->head;
    ahead->at = first + 1 +
                interleave_add(&merge->interleave, &ahead->events[first], ahead->n - first, ticks);
    stream->head = ahead->events[ahead->at - 1];
    place->ticks = stream->head.ticks;
}

/* Interleave those streams that come before the one at the heap's top has come to its last known event, or
 * to `ticks`. Nothing is sent where that is one alone. */
static int interleave(struct merge *merge, uint64_t ticks)
{
    struct turns turns = {.limit = {.ticks = ticks}};
    if (merge->n_heap < 2 || merge->streams[merge->heap[0].stream].head.kind == EVENT_LONG)
        return 0;
    find_turns(merge, &turns);
    if (turns.n < 2)
        return 0;
    uint32_t sorted[INTERLEAVE_RUNS];
    memcpy(sorted, turns.places, turns.n * sizeof *sorted);
    heap_sort_by_stream(merge->heap, sorted, turns.n);
    for (uint32_t i = 0; i < turns.n; i++)
        take_turn(merge, &merge->heap[sorted[i]], &turns.limit);
    const int error = interleave_send(&merge->interleave, merge->outlet);
    for (uint32_t i = turns.n; i-- > 0;)
        heap_sink(merge->heap, merge->n_heap, turns.places[i]);
    return error;
}

int merge_up_to(struct merge *merge, uint64_t ticks)
{
    while (merge->n_heap > 0 && merge->heap[0].ticks < ticks) {
        int error = interleave(merge, ticks);
        if (error || merge->heap[0].ticks >= ticks)
            return error;
        const uint32_t number = merge->heap[0].stream;
        struct merge_stream *const stream = &merge->streams[number];
        if ((error = send_head(merge, stream)))
            return error;
        const int found = send_before(merge, number, end_of_run(merge, ticks));
        if (found < 0)
            return found;
        if (found) {
            merge->heap[0].ticks = stream->head.ticks;
        } else {
            stream->in_heap = false;
            merge->heap[0] = merge->heap[--merge->n_heap];
            if ((error = tell_ended(merge, number)))
                return error;
        }
        heap_sink(merge->heap, merge->n_heap, 0);
    }
    return 0;
}

int merge_finish(struct merge *merge)
{
    int error = merge_up_to(merge, UINT64_MAX);
    /* Only stamps of UINT64_MAX itself are left now; no clock gives them. */
    while (merge->n_heap > 0)
        merge->streams[merge->heap[--merge->n_heap].stream].in_heap = false;
    for (uint32_t i = 0; i < merge->n_streams && error == 0; i++)
        error = merge_end_stream(merge, i);
    return error;
}

int merge_end_stream(struct merge *merge, uint32_t stream)
{
    if (stream >= merge->n_streams)
        return 0;
    merge->streams[stream].ending = true;
    return tell_ended(merge, stream);
}

int merge_add_chunk(struct merge *merge, uint32_t stream_number,
                    const struct merge_chunk_head *head, uint8_t *bytes, size_t n_bytes)
{
    struct merge_stream *const stream =
        stream_number < merge->n_streams ? &merge->streams[stream_number] : NULL;
    struct chunk *const chunk =
        stream && !stream->broken && !stream->ending && n_bytes ? malloc(sizeof *chunk) : NULL;
    if (!chunk) {
        free(bytes);
        return stream && !stream->broken && !stream->ending && n_bytes ? -ENOMEM : 0;
    }
    *chunk = (struct chunk){.head = *head, .bytes = bytes, .n_bytes = n_bytes};
    if (stream->last)
        stream->last->next = chunk;
    else
        stream->first = chunk;
    stream->last = chunk;
    merge->n_buffered_bytes += n_bytes;
    const int error = enter_heap(merge, stream_number);
    if (error || merge->n_buffered_bytes < MERGE_MAX_BYTES)
        return error;
    return merge_up_to(merge, UINT64_MAX);
}

int merge_add_stream(struct merge *merge, uint32_t *stream_out)
{
    struct merge_stream *const streams =
        array_room(merge->streams, merge->n_streams, &merge->streams_capacity, sizeof *streams);
    if (!streams)
        return -ENOMEM;
    merge->streams = streams;
    streams[merge->n_streams] = (struct merge_stream){0};
    *stream_out = merge->n_streams++;
    return 0;
}

struct merge *merge_new(struct outlet *outlet)
{
    struct merge *const merge = calloc(1, sizeof *merge);
    uint32_t own;
    if (!merge || merge_add_stream(merge, &own)) {
        free(merge);
        return NULL;
    }
    merge->outlet = outlet;
    return merge;
}

void merge_free(struct merge *merge)
{
    if (!merge)
        return;
    for (uint32_t i = 0; i < merge->n_streams; i++) {
        while (merge->streams[i].first)
            drop_chunk(merge, &merge->streams[i]);
        free(merge->streams[i].ahead);
    }
    free(merge->streams);
    free(merge->heap);
    free(merge);
}

bool merge_is_broken(const struct merge *merge, struct trace_error *error_out)
{
    if (merge->broken)
        *error_out = merge->error;
    return merge->broken;
}
