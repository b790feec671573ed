/* SPDX-License-Identifier: MIT */
/* How the file's records are told apart: chunks go to the merge, watermarks drive it, and what else the
 * model has to know is sent on encoded. */
#include "reader/sequence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/idmap.h"
#include "reader/merge.h"

struct sequence {
    struct outlet *outlet;
    struct decoder *decoder;
    struct merge *merge;
    struct idmap streams; /* the trace's stream id -> merge's number */
    bool ended;           /* TRACE_END was there */
};

/* Send a record of the file on; `stream` is the number of the one it names. */
static int send(struct sequence *sequence, const struct decode_item *item, uint32_t stream)
{
    const struct event event = {
        .ticks = item->record.ticks, .stream = stream, .tag = item->record.tag, .kind = EVENT_FILE};
    const struct batch_record record = {.bytes = item->bytes, .n_bytes = item->n_bytes};
    return outlet_add_record(sequence->outlet, &event, &record);
}

static int add_stream(struct sequence *sequence, const struct decode_item *item)
{
    const uint32_t id = item->record.stream.id;
    uint32_t number;
    if (idmap_get(&sequence->streams, id))
        return 0; /* named twice */
    int error = merge_add_stream(sequence->merge, &number);
    if (error == 0)
        error = idmap_put(&sequence->streams, id, number);
    return error ? error : send(sequence, item, number);
}

static int end_stream(struct sequence *sequence, const struct decode_item *item)
{
    const uint32_t number = idmap_get(&sequence->streams, item->record.stream_end.stream);
    if (number == 0)
        return 0;
    const int error = send(sequence, item, number);
    return error ? error : merge_end_stream(sequence->merge, number);
}

static int add_chunk(struct sequence *sequence, const struct decode_item *item)
{
    const uint32_t number = idmap_get(&sequence->streams, item->record.chunk.stream);
    const struct merge_chunk_head head = {.base = item->record.chunk.base,
                                          .offset = item->payload_offset,
                                          .cut = item->payload_bytes < item->record.chunk.n_bytes};
    if (number == 0) { /* of a stream never named: whose it is is not known */
        free(item->payload);
        return 0;
    }
    return merge_add_chunk(sequence->merge, number, &head, item->payload, item->payload_bytes);
}

/* The collector's stamped records take part in the merge as stream 0, by their own bytes. */
static int add_own(struct sequence *sequence, const struct decode_item *item)
{
    const struct merge_chunk_head head = {.offset = item->offset};
    uint8_t *const copy = malloc(item->n_bytes);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, item->bytes, item->n_bytes);
    return merge_add_chunk(sequence->merge, 0, &head, copy, item->n_bytes);
}

static int add_loss(struct sequence *sequence, const struct decode_item *item)
{
    return send(sequence, item, idmap_get(&sequence->streams, item->record.lost.stream));
}

static int take_item(struct sequence *sequence, const struct decode_item *item)
{
    const struct record *const record = &item->record;
    if (!record->known)
        return 0;
    switch (record->tag) {
    case TRACE_STREAM: return add_stream(sequence, item);
    case TRACE_CHUNK: return add_chunk(sequence, item);
    case TRACE_WATERMARK: return merge_up_to(sequence->merge, record->ticks);
    case TRACE_STREAM_END: return end_stream(sequence, item);
    case TRACE_LOST: return add_loss(sequence, item);
    case TRACE_RSS:
    case TRACE_PROCESS_END:
    case TRACE_UNATTACHED:
    case TRACE_STOPPED:
    case TRACE_PROCESS_IO: return add_own(sequence, item);
    case TRACE_END: sequence->ended = true; return send(sequence, item, 0);
    default: return record->tag >= TRACE_TAG_FILE ? send(sequence, item, 0) : 0;
    }
}

/* Tell whether the file, too, ends at the end mark: a last frame without its checksum is a cut, and
 * what stands before it was not verified. */
static bool is_whole(struct sequence *sequence, struct trace_error *cut_out)
{
    struct decode_item after = {0};
    const int found = decode_next(sequence->decoder, &after, cut_out);
    if (found > 0)
        free(after.payload);
    return found >= 0;
}

static int send_all(struct sequence *sequence, struct sequence_end *end, struct trace_error *error)
{
    struct decode_item item;
    int found, result;
    while (!sequence->ended && !merge_is_broken(sequence->merge, &end->cut) &&
           (found = decode_next(sequence->decoder, &item, &end->cut)) != 0) {
        if (found < 0 && found != -EBADMSG) {
            *error = end->cut;
            return found;
        }
        if (found < 0)
            break;
        if ((result = take_item(sequence, &item)))
            return result;
    }
    if ((result = merge_finish(sequence->merge)))
        return result;
    const bool broken = merge_is_broken(sequence->merge, &end->cut);
    end->truncated = broken || !sequence->ended || !is_whole(sequence, &end->cut);
    if (!end->truncated)
        end->cut = (struct trace_error){.record = ""};
    else if (!end->cut.reason[0])
        snprintf(end->cut.reason, sizeof end->cut.reason, "the end mark is missing");
    return 0;
}

int sequence_send(struct decoder *decoder, struct outlet *outlet, struct sequence_end *end_out,
                  struct trace_error *error_out)
{
    struct sequence sequence = {.outlet = outlet, .decoder = decoder, .merge = merge_new(outlet)};
    *end_out = (struct sequence_end){.cut = {.record = ""}};
    const int error = sequence.merge ? send_all(&sequence, end_out, error_out) : -ENOMEM;
    merge_free(sequence.merge);
    idmap_fini(&sequence.streams);
    return error;
}
