/* SPDX-License-Identifier: MIT */
/* How the earliest record is found: a binary heap of the streams that have one, by its ticks. Records
 * are decoded some at a time, so that the sink can begin to fetch what they will need: in a big trace
 * each needs a block that is in no cache. */
#include "reader/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"

enum { N_AHEAD = 16 };

struct chunk {
    struct chunk *next;
    struct merge_chunk_head head;
    uint8_t *bytes;
    size_t n_bytes;
};

struct merge_stream {
    struct chunk *first, *last;
    struct unpack_cursor cursor; /* in first, or at the end of nothing */
    struct record_base base;
    struct record
        *ahead; /* decoded records of `first`: ahead[at..n); [at] is stamped, while in_heap */
    uint32_t at, n;
    bool in_heap;
    bool ending; /* nothing more will be appended */
    bool ended;  /* and the sink knows */
    bool broken;
};

struct place {
    uint64_t ticks;
    uint32_t stream;
};

struct merge {
    struct merge_sink sink;
    struct merge_stream *streams;
    struct place *heap;
    uint32_t n_streams, streams_capacity, n_heap, heap_capacity;
    uint64_t n_buffered_bytes;
    bool broken;
    struct trace_error error;
};

/* Equal ticks go by stream, so that the same trace always gives the same order. */
static bool before(const struct place *a, const struct place *b)
{
    return a->ticks != b->ticks ? a->ticks < b->ticks : a->stream < b->stream;
}

static void sift_down(struct merge *merge)
{
    struct place *const heap = merge->heap;
    const struct place moving = heap[0];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= merge->n_heap)
            break;
        if (child + 1 < merge->n_heap && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static void sift_up(struct merge *merge, uint32_t at)
{
    struct place *const heap = merge->heap;
    const struct place moving = heap[at];
    while (at > 0 && before(&moving, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moving;
}

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

/* Decode until there are enough or an error stops it, which is returned. */
static int decode_some(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    int error = 0;
    while (stream->n < N_AHEAD && error == 0) {
        struct record *const record = &stream->ahead[stream->n];
        error = record_decode(&stream->cursor, &stream->base, record);
        if (error || !record->known)
            continue;
        stream->n++;
        if (merge->sink.coming)
            merge->sink.coming(merge->sink.context, number, record);
    }
    return error;
}

/* Decode the next records of the stream's first chunk; they point into it, so not beyond its end.
 * Returns how many there are now. */
static uint32_t decode_ahead(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    stream->at = stream->n = 0;
    while (stream->first) {
        if (!stream->cursor.at)
            open_chunk(stream);
        const int error = decode_some(merge, number);
        if (stream->n > 0)
            break; /* an error is met again, once these are through */
        if (error == -EBADMSG)
            break_stream(merge, stream, "what stands here is no record");
        else if (stream->cursor.at < stream->cursor.end && !stream->first->head.cut)
            break_stream(merge, stream, "a chunk ends inside a record");
        else
            drop_chunk(merge, stream);
    }
    return stream->n;
}

static bool is_stamped(const struct record *record)
{
    return record->tag != TRACE_NODE && record->tag != TRACE_TREE_RESET;
}

/* Bring the stream's next stamped record to its head; unstamped ones before it go out at once, as
 * the record before them has. Returns 1, 0 when it has none at present, or what the sink returned. */
static int load_head(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    while (stream->at < stream->n || decode_ahead(merge, number)) {
        const struct record *const record = &stream->ahead[stream->at];
        if (is_stamped(record))
            return 1;
        const int error = merge->sink.record(merge->sink.context, number, record);
        if (error)
            return error;
        stream->at++;
    }
    return 0;
}

static int tell_ended(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    if (!stream->ending || stream->ended || stream->in_heap)
        return 0;
    stream->ended = true;
    free(stream->ahead);
    stream->ahead = NULL;
    return merge->sink.ended(merge->sink.context, number);
}

/* Put a stream that has records but no head into the heap. */
static int enter_heap(struct merge *merge, uint32_t number)
{
    struct merge_stream *const stream = &merge->streams[number];
    if (stream->in_heap)
        return 0;
    const int found = load_head(merge, number);
    if (found <= 0)
        return found;
    struct place *const heap =
        array_room(merge->heap, merge->n_heap, &merge->heap_capacity, sizeof *merge->heap);
    if (!heap)
        return -ENOMEM;
    merge->heap = heap;
    heap[merge->n_heap] =
        (struct place){.ticks = stream->ahead[stream->at].ticks, .stream = number};
    stream->in_heap = true;
    sift_up(merge, merge->n_heap++);
    return 0;
}

int merge_up_to(struct merge *merge, uint64_t ticks)
{
    while (merge->n_heap > 0 && merge->heap[0].ticks < ticks) {
        const uint32_t number = merge->heap[0].stream;
        struct merge_stream *const stream = &merge->streams[number];
        int error = merge->sink.record(merge->sink.context, number, &stream->ahead[stream->at++]);
        if (error)
            return error;
        const int found = load_head(merge, number);
        if (found < 0)
            return found;
        if (found) {
            merge->heap[0].ticks = stream->ahead[stream->at].ticks;
        } else {
            stream->in_heap = false;
            merge->heap[0] = merge->heap[--merge->n_heap];
            if ((error = tell_ended(merge, number)))
                return error;
        }
        sift_down(merge);
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
    if (!stream->ahead && !(stream->ahead = calloc(N_AHEAD, sizeof *stream->ahead))) {
        free(bytes);
        free(chunk);
        return -ENOMEM;
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

struct merge *merge_new(const struct merge_sink *sink)
{
    struct merge *const merge = calloc(1, sizeof *merge);
    uint32_t own;
    if (!merge || merge_add_stream(merge, &own)) {
        free(merge);
        return NULL;
    }
    merge->sink = *sink;
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
