/* SPDX-License-Identifier: MIT */
/* How the file's own records are decoded: header, host, clock, streams and chunks, losses, symbols,
 * ends. All their numbers are absolute. */
#include "trace/record_shape.h"

static int decode_header(struct record_input *input)
{
    struct record *const record = input->record;
    struct unpack_text name;
    int error;
    if ((error = record_take_text(input, &name)))
        return error;
    if (!record_key_is(&name, TRACE_NAME))
        return -EBADMSG;
    if ((error = record_take_uint(input, UINT32_MAX, &record->header.major)) ||
        (error = record_take_uint(input, UINT32_MAX, &record->header.minor)))
        return error;
    return record_take_text(input, &record->header.tool_version);
}

/* A map with text keys and any values: checked here, read by whoever knows the keys. */
static int take_pairs(struct record_input *input, uint32_t *n_pairs_out,
                      struct unpack_cursor *pairs_out)
{
    uint32_t n;
    int error = unpack_map(&input->cursor, &n);
    if (error)
        return error;
    const uint8_t *const first = input->cursor.at;
    for (uint32_t i = 0; i < n; i++) {
        struct unpack_text key;
        if ((error = unpack_text(&input->cursor, &key)) ||
            (error = unpack_skip(&input->cursor, TRACE_MAX_NESTING)))
            return error;
    }
    input->n_left--;
    *n_pairs_out = n;
    *pairs_out = (struct unpack_cursor){.at = first, .end = input->cursor.at};
    return 0;
}

static int decode_run(struct record_input *input)
{
    return take_pairs(input, &input->record->map.n_pairs, &input->record->map.pairs);
}

static int decode_end(struct record_input *input)
{
    const int error = record_take_absolute_ticks(input);
    return error ? error : decode_run(input);
}

static int decode_clock(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_absolute_ticks(input)) ||
        (error = record_take_uint(input, INT64_MAX, &record->clock.monotonic_ns)))
        return error;
    return record_take_int(input, &record->clock.realtime_ns);
}

static int decode_stream(struct record_input *input)
{
    struct record *const record = input->record;
    uint64_t ring = 0;
    int error;
    if ((error = record_take_u32(input, &record->stream.id)) ||
        (error = record_take_u32(input, &record->stream.image_id)) ||
        (error = record_take_i32(input, &record->stream.pid)) ||
        (error = record_take_i32(input, &record->stream.tid)) ||
        (error = record_take_uint(input, 1, &ring)))
        return error;
    record->stream.ring = (uint8_t)ring;
    return 0;
}

static int decode_chunk(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_u32(input, &record->chunk.stream)) ||
        (error = record_take_u32(input, &record->chunk.n_bytes)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->chunk.n_records)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->chunk.base.ticks)))
        return error;
    return record_take_uint(input, UINT64_MAX, &record->chunk.base.address);
}

static int decode_watermark(struct record_input *input)
{
    return record_take_absolute_ticks(input);
}

static int decode_rss(struct record_input *input)
{
    int error;
    if ((error = record_take_absolute_ticks(input)) ||
        (error = record_take_i32(input, &input->record->rss.pid)))
        return error;
    return record_take_uint(input, INT64_MAX, &input->record->rss.bytes);
}

static int decode_stream_end(struct record_input *input)
{
    struct record *const record = input->record;
    const int error = record_take_u32(input, &record->stream_end.stream);
    return error ? error
                 : take_pairs(input, &record->stream_end.n_pairs, &record->stream_end.pairs);
}

static int decode_process_end(struct record_input *input)
{
    const int error = record_take_absolute_ticks(input);
    return error ? error : record_take_exit(input);
}

static int decode_lost(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_u32(input, &record->lost.stream)) ||
        (error = record_take_uint(input, INT64_MAX, &record->lost.n_events)))
        return error;
    return record_take_u32(input, &record->lost.reason);
}

static int decode_unattached(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_absolute_ticks(input)) ||
        (error = record_take_i32(input, &record->unattached.pid)) ||
        (error = record_take_u32(input, &record->unattached.reason)))
        return error;
    return record_take_text(input, &record->unattached.path);
}

static int decode_stopped(struct record_input *input)
{
    const int error = record_take_absolute_ticks(input);
    return error ? error : record_take_u32(input, &input->record->stopped.reason);
}

static int decode_process_io(struct record_input *input)
{
    int error;
    if ((error = record_take_absolute_ticks(input)) ||
        (error = record_take_i32(input, &input->record->kernel_io.pid)))
        return error;
    return record_take_kernel_counts(input);
}

static int decode_string(struct record_input *input)
{
    struct record *const record = input->record;
    const int error = record_take_u32(input, &record->string.id);
    return error ? error : record_take_text(input, &record->string.text);
}

static int decode_object(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_u32(input, &record->object.id)) ||
        (error = record_take_u32(input, &record->object.path_string)))
        return error;
    return record_take_text(input, &record->object.build_id);
}

int record_next_frame(struct unpack_cursor *frames, struct record_frame *frame_out)
{
    struct unpack_cursor ahead = *frames;
    uint32_t n;
    uint64_t numbers[3];
    bool inlined;
    int error = unpack_array(&ahead, &n);
    if (error)
        return error;
    if (n < 4)
        return -EBADMSG;
    for (size_t i = 0; i < 3; i++) {
        if ((error = unpack_uint(&ahead, &numbers[i])))
            return error;
        if (numbers[i] > UINT32_MAX)
            return -EBADMSG;
    }
    if (!unpack_bool(&ahead, &inlined))
        return ahead.at == ahead.end ? -EAGAIN : -EBADMSG;
    for (uint32_t i = 4; i < n; i++)
        if ((error = unpack_skip(&ahead, TRACE_MAX_NESTING)))
            return error;
    *frame_out = (struct record_frame){.function = (uint32_t)numbers[0],
                                       .file = (uint32_t)numbers[1],
                                       .line = (uint32_t)numbers[2],
                                       .inlined = inlined};
    *frames = ahead;
    return 0;
}

static int decode_symbol(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_u32(input, &record->symbol.object)) ||
        (error = record_take_uint(input, UINT64_MAX, &record->symbol.offset)) ||
        (error = unpack_array(&input->cursor, &record->symbol.n_frames)))
        return error;
    const uint8_t *const first = input->cursor.at;
    for (uint32_t i = 0; i < record->symbol.n_frames; i++) {
        struct record_frame frame;
        if ((error = record_next_frame(&input->cursor, &frame)))
            return error;
    }
    record->symbol.frames = (struct unpack_cursor){.at = first, .end = input->cursor.at};
    input->n_left--;
    return 0;
}

const struct record_shape record_file_shapes[TRACE_END + 1 - TRACE_TAG_FILE] = {
    [TRACE_HEADER - TRACE_TAG_FILE] = {"header", 5, decode_header},
    [TRACE_RUN - TRACE_TAG_FILE] = {"run", 2, decode_run},
    [TRACE_CLOCK - TRACE_TAG_FILE] = {"clock", 4, decode_clock},
    [TRACE_STREAM - TRACE_TAG_FILE] = {"stream", 6, decode_stream},
    [TRACE_CHUNK - TRACE_TAG_FILE] = {"chunk", 6, decode_chunk},
    [TRACE_WATERMARK - TRACE_TAG_FILE] = {"watermark", 2, decode_watermark},
    [TRACE_RSS - TRACE_TAG_FILE] = {"rss", 4, decode_rss},
    [TRACE_STREAM_END - TRACE_TAG_FILE] = {"stream_end", 3, decode_stream_end},
    [TRACE_PROCESS_END - TRACE_TAG_FILE] = {"process_end", 4, decode_process_end},
    [TRACE_LOST - TRACE_TAG_FILE] = {"lost", 4, decode_lost},
    [TRACE_UNATTACHED - TRACE_TAG_FILE] = {"unattached", 5, decode_unattached},
    [TRACE_STOPPED - TRACE_TAG_FILE] = {"stopped", 3, decode_stopped},
    [TRACE_PROCESS_IO - TRACE_TAG_FILE] = {"process_io", 7, decode_process_io},
    [TRACE_STRING - TRACE_TAG_FILE] = {"string", 3, decode_string},
    [TRACE_OBJECT - TRACE_TAG_FILE] = {"object", 4, decode_object},
    [TRACE_SYMBOL - TRACE_TAG_FILE] = {"symbol", 4, decode_symbol},
    [TRACE_END - TRACE_TAG_FILE] = {"end", 3, decode_end},
};
