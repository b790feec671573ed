/* SPDX-License-Identifier: MIT */
/* How one record is decoded: an array head, a tag, then that tag's fields in order.
 *
 * A table gives each tag its name, its least number of elements and the function that takes its
 * fields. Elements beyond the ones a function takes are passed over, so a newer minor version may
 * append fields. Nothing is published before the whole object has been checked. */
#include "trace/record.h"

#include <errno.h>
#include <stddef.h>

/* What a field function works on: the rest of the array and the record it fills. */
struct decoding {
    struct unpack_cursor cursor;
    uint32_t n_left; /* elements not yet taken */
    struct record_base base;
    struct record *record;
};

static int take_uint(struct decoding *decoding, uint64_t max, uint64_t *value_out)
{
    uint64_t value;
    const int error = unpack_uint(&decoding->cursor, &value);
    if (error)
        return error;
    if (value > max)
        return -EBADMSG;
    decoding->n_left--;
    *value_out = value;
    return 0;
}

static int take_u32(struct decoding *decoding, uint32_t *value_out)
{
    uint64_t value;
    const int error = take_uint(decoding, UINT32_MAX, &value);
    if (error == 0)
        *value_out = (uint32_t)value;
    return error;
}

static int take_int(struct decoding *decoding, int64_t *value_out)
{
    const int error = unpack_int(&decoding->cursor, value_out);
    if (error == 0)
        decoding->n_left--;
    return error;
}

static int take_i32(struct decoding *decoding, int32_t *value_out)
{
    int64_t value;
    const int error = take_int(decoding, &value);
    if (error)
        return error;
    if (value < INT32_MIN || value > INT32_MAX)
        return -EBADMSG;
    *value_out = (int32_t)value;
    return 0;
}

static int take_text(struct decoding *decoding, struct unpack_text *text_out)
{
    const int error = unpack_text(&decoding->cursor, text_out);
    if (error)
        return error;
    if (text_out->n_bytes > TRACE_MAX_TEXT_BYTES)
        return -EBADMSG;
    decoding->n_left--;
    return 0;
}

/* Ticks and addresses wrap modulo 2^64 on purpose: the writer subtracts, we add. */
static int take_ticks(struct decoding *decoding)
{
    int64_t delta;
    const int error = take_int(decoding, &delta);
    if (error)
        return error;
    decoding->base.ticks += (uint64_t)delta;
    decoding->record->ticks = decoding->base.ticks;
    return 0;
}

static int take_address(struct decoding *decoding)
{
    int64_t delta;
    const int error = take_int(decoding, &delta);
    if (error)
        return error;
    decoding->base.address += (uint64_t)delta;
    decoding->record->block.address = decoding->base.address;
    return 0;
}

static int take_absolute_ticks(struct decoding *decoding)
{
    return take_uint(decoding, UINT64_MAX, &decoding->record->ticks);
}

/* Check one array of texts, remember where its elements begin. */
static int take_arguments(struct unpack_cursor *cursor, struct record_image *image)
{
    uint32_t n;
    int error = unpack_array(cursor, &n);
    if (error)
        return error;
    if (n > TRACE_MAX_ARGUMENTS)
        return -EBADMSG;
    const uint8_t *const first = cursor->at;
    for (uint32_t i = 0; i < n; i++) {
        struct unpack_text text;
        if ((error = unpack_text(cursor, &text)))
            return error;
    }
    image->n_arguments = n;
    image->arguments = (struct unpack_cursor){.at = first, .end = cursor->at};
    return 0;
}

/* ---- ring records ---- */

static int decode_allocation(struct decoding *decoding)
{
    struct record_block *const block = &decoding->record->block;
    int error;
    if ((error = take_ticks(decoding)) || (error = take_address(decoding)) ||
        (error = take_uint(decoding, UINT64_MAX, &block->size_bytes)) ||
        (error = take_u32(decoding, &block->stack)))
        return error;
    block->usable_bytes = TRACE_USUAL_USABLE(block->size_bytes);
    if (decoding->n_left && (error = take_uint(decoding, UINT64_MAX, &block->usable_bytes)))
        return error;
    if (decoding->n_left && (error = take_uint(decoding, UINT64_MAX, &block->alignment)))
        return error;
    return 0;
}

static int decode_resize_begin(struct decoding *decoding)
{
    uint64_t call = 0;
    int error;
    if ((error = take_ticks(decoding)) || (error = take_address(decoding)) ||
        (error = take_uint(decoding, UINT8_MAX, &call)))
        return error;
    decoding->record->block.resize_call = (uint8_t)call;
    return 0;
}

static int decode_stamp_only(struct decoding *decoding)
{
    return take_ticks(decoding);
}

static int decode_release(struct decoding *decoding)
{
    int error;
    if ((error = take_ticks(decoding)) || (error = take_address(decoding)))
        return error;
    return decoding->n_left ? take_u32(decoding, &decoding->record->block.stack) : 0;
}

static int decode_map(struct decoding *decoding)
{
    struct record_block *const block = &decoding->record->block;
    int error;
    if ((error = take_ticks(decoding)) ||
        (error = take_uint(decoding, UINT64_MAX, &block->address)) ||
        (error = take_uint(decoding, UINT64_MAX, &block->size_bytes)))
        return error;
    return decoding->n_left ? take_u32(decoding, &block->stack) : 0;
}

static int decode_node(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_u32(decoding, &record->node.id)) ||
        (error = take_u32(decoding, &record->node.parent)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->node.return_address)))
        return error;
    return record->node.parent < record->node.id ? 0 : -EBADMSG;
}

static int decode_nothing(struct decoding *decoding)
{
    (void)decoding;
    return 0;
}

static int decode_module(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_ticks(decoding)) || (error = take_u32(decoding, &record->module.id)) ||
        (error = take_text(decoding, &record->module.path)) ||
        (error = take_text(decoding, &record->module.build_id)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->module.bias)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->module.start)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->module.end)))
        return error;
    return record->module.build_id.n_bytes <= 2 * TRACE_MAX_BUILD_ID_BYTES ? 0 : -EBADMSG;
}

static int decode_module_gone(struct decoding *decoding)
{
    const int error = take_ticks(decoding);
    return error ? error : take_u32(decoding, &decoding->record->module.id);
}

static bool key_is(const struct unpack_text *key, const char *name)
{
    const size_t n = __builtin_strlen(name);
    return key->n_bytes == n && __builtin_memcmp(key->bytes, name, n) == 0;
}

/* The image map's number keys, and where each goes. */
static int take_image_number(struct unpack_cursor *cursor, const struct unpack_text *key,
                             struct record_image *image)
{
    int64_t value;
    const int error = unpack_int(cursor, &value);
    if (error)
        return error;
    if (key_is(key, "start")) {
        image->start_clock_ticks = (uint64_t)value;
        return 0;
    }
    if (value < INT32_MIN || value > UINT32_MAX)
        return -EBADMSG;
    if (key_is(key, "image"))
        image->image_id = (uint32_t)value;
    else if (key_is(key, "pid"))
        image->pid = (int32_t)value;
    else if (key_is(key, "parent_pid"))
        image->parent_pid = (int32_t)value;
    else if (key_is(key, "parent_image"))
        image->parent_image = (uint32_t)value;
    else
        image->fork_id = (uint32_t)value;
    return 0;
}

static int take_image_pair(struct unpack_cursor *cursor, struct record_image *image)
{
    static const char *const numbers[] = {"start",      "image",        "pid",
                                          "parent_pid", "parent_image", "fork_id"};
    struct unpack_text key;
    const int error = unpack_text(cursor, &key);
    if (error)
        return error;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (key_is(&key, numbers[i]))
            return take_image_number(cursor, &key, image);
    if (key_is(&key, "executable"))
        return unpack_text(cursor, &image->executable);
    if (key_is(&key, "allocator"))
        return unpack_text(cursor, &image->allocator);
    if (key_is(&key, "arguments"))
        return take_arguments(cursor, image);
    return unpack_skip(cursor, TRACE_MAX_NESTING);
}

static int decode_image(struct decoding *decoding)
{
    int error = take_ticks(decoding);
    uint32_t n_pairs;
    if (error || (error = unpack_map(&decoding->cursor, &n_pairs)))
        return error;
    for (uint32_t i = 0; i < n_pairs; i++)
        if ((error = take_image_pair(&decoding->cursor, &decoding->record->image)))
            return error;
    decoding->n_left--;
    return decoding->record->image.image_id ? 0 : -EBADMSG;
}

static int decode_thread(struct decoding *decoding)
{
    int error;
    if ((error = take_ticks(decoding)) ||
        (error = take_i32(decoding, &decoding->record->thread.tid)))
        return error;
    return take_text(decoding, &decoding->record->thread.name);
}

static int decode_fork(struct decoding *decoding)
{
    const int error = take_ticks(decoding);
    return error ? error : take_u32(decoding, &decoding->record->fork.id);
}

static int decode_exec(struct decoding *decoding)
{
    const int error = take_ticks(decoding);
    return error ? error : take_text(decoding, &decoding->record->exec.path);
}

static int decode_exec_fail(struct decoding *decoding)
{
    const int error = take_ticks(decoding);
    return error ? error : take_i32(decoding, &decoding->record->exec.error);
}

static int take_exit(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    const int error = take_i32(decoding, &record->exit.pid);
    if (error)
        return error;
    if (decoding->n_left && unpack_nil(&decoding->cursor)) {
        decoding->n_left--;
        return 0;
    }
    record->exit.has_status = true;
    return take_i32(decoding, &record->exit.wait_status);
}

static int decode_child_exit(struct decoding *decoding)
{
    const int error = take_ticks(decoding);
    return error ? error : take_exit(decoding);
}

static int decode_remark(struct decoding *decoding)
{
    int error;
    if ((error = take_ticks(decoding)) ||
        (error = take_u32(decoding, &decoding->record->remark.what)))
        return error;
    return take_text(decoding, &decoding->record->remark.text);
}

/* ---- file records ---- */

static int decode_header(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    struct unpack_text name;
    int error;
    if ((error = take_text(decoding, &name)))
        return error;
    if (!key_is(&name, TRACE_NAME))
        return -EBADMSG;
    if ((error = take_uint(decoding, UINT32_MAX, &record->header.major)) ||
        (error = take_uint(decoding, UINT32_MAX, &record->header.minor)))
        return error;
    return take_text(decoding, &record->header.tool_version);
}

/* A map with text keys and any values: checked here, read by whoever knows the keys. */
static int take_pairs(struct decoding *decoding, uint32_t *n_pairs_out,
                      struct unpack_cursor *pairs_out)
{
    uint32_t n;
    int error = unpack_map(&decoding->cursor, &n);
    if (error)
        return error;
    const uint8_t *const first = decoding->cursor.at;
    for (uint32_t i = 0; i < n; i++) {
        struct unpack_text key;
        if ((error = unpack_text(&decoding->cursor, &key)) ||
            (error = unpack_skip(&decoding->cursor, TRACE_MAX_NESTING)))
            return error;
    }
    decoding->n_left--;
    *n_pairs_out = n;
    *pairs_out = (struct unpack_cursor){.at = first, .end = decoding->cursor.at};
    return 0;
}

static int decode_run(struct decoding *decoding)
{
    return take_pairs(decoding, &decoding->record->map.n_pairs, &decoding->record->map.pairs);
}

static int decode_end(struct decoding *decoding)
{
    const int error = take_absolute_ticks(decoding);
    return error ? error : decode_run(decoding);
}

static int decode_clock(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_absolute_ticks(decoding)) ||
        (error = take_uint(decoding, INT64_MAX, &record->clock.monotonic_ns)))
        return error;
    return take_int(decoding, &record->clock.realtime_ns);
}

static int decode_stream(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    uint64_t ring = 0;
    int error;
    if ((error = take_u32(decoding, &record->stream.id)) ||
        (error = take_u32(decoding, &record->stream.image_id)) ||
        (error = take_i32(decoding, &record->stream.pid)) ||
        (error = take_i32(decoding, &record->stream.tid)) ||
        (error = take_uint(decoding, 1, &ring)))
        return error;
    record->stream.ring = (uint8_t)ring;
    return 0;
}

static int decode_chunk(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_u32(decoding, &record->chunk.stream)) ||
        (error = take_u32(decoding, &record->chunk.n_bytes)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->chunk.n_records)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->chunk.base.ticks)))
        return error;
    return take_uint(decoding, UINT64_MAX, &record->chunk.base.address);
}

static int decode_watermark(struct decoding *decoding)
{
    return take_absolute_ticks(decoding);
}

static int decode_rss(struct decoding *decoding)
{
    int error;
    if ((error = take_absolute_ticks(decoding)) ||
        (error = take_i32(decoding, &decoding->record->rss.pid)))
        return error;
    return take_uint(decoding, INT64_MAX, &decoding->record->rss.bytes);
}

static int decode_stream_end(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    const int error = take_u32(decoding, &record->stream_end.stream);
    return error ? error
                 : take_pairs(decoding, &record->stream_end.n_pairs, &record->stream_end.pairs);
}

static int decode_process_end(struct decoding *decoding)
{
    const int error = take_absolute_ticks(decoding);
    return error ? error : take_exit(decoding);
}

static int decode_lost(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_u32(decoding, &record->lost.stream)) ||
        (error = take_uint(decoding, INT64_MAX, &record->lost.n_events)))
        return error;
    return take_u32(decoding, &record->lost.reason);
}

static int decode_unattached(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_absolute_ticks(decoding)) ||
        (error = take_i32(decoding, &record->unattached.pid)) ||
        (error = take_u32(decoding, &record->unattached.reason)))
        return error;
    return take_text(decoding, &record->unattached.path);
}

static int decode_stopped(struct decoding *decoding)
{
    const int error = take_absolute_ticks(decoding);
    return error ? error : take_u32(decoding, &decoding->record->stopped.reason);
}

static int decode_string(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    const int error = take_u32(decoding, &record->string.id);
    return error ? error : take_text(decoding, &record->string.text);
}

static int decode_object(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_u32(decoding, &record->object.id)) ||
        (error = take_u32(decoding, &record->object.path_string)))
        return error;
    return take_text(decoding, &record->object.build_id);
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

static int decode_symbol(struct decoding *decoding)
{
    struct record *const record = decoding->record;
    int error;
    if ((error = take_u32(decoding, &record->symbol.object)) ||
        (error = take_uint(decoding, UINT64_MAX, &record->symbol.offset)) ||
        (error = unpack_array(&decoding->cursor, &record->symbol.n_frames)))
        return error;
    const uint8_t *const first = decoding->cursor.at;
    for (uint32_t i = 0; i < record->symbol.n_frames; i++) {
        struct record_frame frame;
        if ((error = record_next_frame(&decoding->cursor, &frame)))
            return error;
    }
    record->symbol.frames = (struct unpack_cursor){.at = first, .end = decoding->cursor.at};
    decoding->n_left--;
    return 0;
}

struct shape {
    const char *name;
    uint32_t n_least; /* elements with the tag */
    int (*decode)(struct decoding *decoding);
};

static const struct shape shapes[TRACE_END + 1] = {
    [TRACE_MALLOC] = {"malloc", 5, decode_allocation},
    [TRACE_CALLOC] = {"calloc", 5, decode_allocation},
    [TRACE_REALLOC_NEW] = {"realloc_new", 5, decode_allocation},
    [TRACE_REALLOCARRAY_NEW] = {"reallocarray_new", 5, decode_allocation},
    [TRACE_POSIX_MEMALIGN] = {"posix_memalign", 5, decode_allocation},
    [TRACE_ALIGNED_ALLOC] = {"aligned_alloc", 5, decode_allocation},
    [TRACE_MEMALIGN] = {"memalign", 5, decode_allocation},
    [TRACE_VALLOC] = {"valloc", 5, decode_allocation},
    [TRACE_PVALLOC] = {"pvalloc", 5, decode_allocation},
    [TRACE_MALLOCX] = {"mallocx", 5, decode_allocation},
    [TRACE_REALLOC_BEGIN] = {"realloc_begin", 4, decode_resize_begin},
    [TRACE_REALLOC_END] = {"realloc_end", 5, decode_allocation},
    [TRACE_REALLOC_FAIL] = {"realloc_fail", 2, decode_stamp_only},
    [TRACE_REALLOC_FREED] = {"realloc_freed", 2, decode_stamp_only},
    [TRACE_FREE] = {"free", 3, decode_release},
    [TRACE_FREE_SIZED] = {"free_sized", 3, decode_release},
    [TRACE_FREE_ALIGNED_SIZED] = {"free_aligned_sized", 3, decode_release},
    [TRACE_CFREE] = {"cfree", 3, decode_release},
    [TRACE_DALLOCX] = {"dallocx", 3, decode_release},
    [TRACE_SDALLOCX] = {"sdallocx", 3, decode_release},
    [TRACE_MMAP] = {"mmap", 5, decode_map},
    [TRACE_MUNMAP] = {"munmap", 4, decode_map},
    [TRACE_REMAP_BEGIN] = {"remap_begin", 4, decode_map},
    [TRACE_REMAP_END] = {"remap_end", 5, decode_map},
    [TRACE_MAP_FAIL] = {"map_fail", 2, decode_stamp_only},
    [TRACE_NODE] = {"node", 4, decode_node},
    [TRACE_TREE_RESET] = {"tree_reset", 1, decode_nothing},
    [TRACE_MODULE] = {"module", 8, decode_module},
    [TRACE_MODULE_GONE] = {"module_gone", 3, decode_module_gone},
    [TRACE_IMAGE] = {"image", 3, decode_image},
    [TRACE_THREAD] = {"thread", 4, decode_thread},
    [TRACE_FORK] = {"fork", 3, decode_fork},
    [TRACE_FORK_FAIL] = {"fork_fail", 3, decode_fork},
    [TRACE_EXEC] = {"exec", 3, decode_exec},
    [TRACE_EXEC_FAIL] = {"exec_fail", 3, decode_exec_fail},
    [TRACE_CHILD_EXIT] = {"child_exit", 4, decode_child_exit},
    [TRACE_REMARK] = {"remark", 4, decode_remark},
    [TRACE_HEADER] = {"header", 5, decode_header},
    [TRACE_RUN] = {"run", 2, decode_run},
    [TRACE_CLOCK] = {"clock", 4, decode_clock},
    [TRACE_STREAM] = {"stream", 6, decode_stream},
    [TRACE_CHUNK] = {"chunk", 6, decode_chunk},
    [TRACE_WATERMARK] = {"watermark", 2, decode_watermark},
    [TRACE_RSS] = {"rss", 4, decode_rss},
    [TRACE_STREAM_END] = {"stream_end", 3, decode_stream_end},
    [TRACE_PROCESS_END] = {"process_end", 4, decode_process_end},
    [TRACE_LOST] = {"lost", 4, decode_lost},
    [TRACE_UNATTACHED] = {"unattached", 5, decode_unattached},
    [TRACE_STOPPED] = {"stopped", 3, decode_stopped},
    [TRACE_STRING] = {"string", 3, decode_string},
    [TRACE_OBJECT] = {"object", 4, decode_object},
    [TRACE_SYMBOL] = {"symbol", 4, decode_symbol},
    [TRACE_END] = {"end", 3, decode_end},
};

static const struct shape *shape_of(uint64_t tag)
{
    return tag <= TRACE_END && shapes[tag].decode ? &shapes[tag] : NULL;
}

const char *record_name(uint8_t tag)
{
    const struct shape *const shape = shape_of(tag);
    return shape ? shape->name : NULL;
}

/* Take the fields of a known tag, then whatever a newer minor version appended. */
static int decode_fields(struct decoding *decoding, const struct shape *shape)
{
    if (decoding->n_left + 1 < shape->n_least)
        return -EBADMSG;
    int error = shape->decode(decoding);
    while (error == 0 && decoding->n_left > 0) {
        error = unpack_skip(&decoding->cursor, TRACE_MAX_NESTING);
        decoding->n_left--;
    }
    return error;
}

int record_decode(struct unpack_cursor *cursor, struct record_base *base, struct record *record_out)
{
    while (unpack_nil(cursor))
        ;
    *record_out = (struct record){.tag = 0};
    struct decoding decoding = {.cursor = *cursor, .record = record_out};
    uint32_t n_elements;
    uint64_t tag;
    int error;
    if ((error = unpack_array(&decoding.cursor, &n_elements)))
        return error;
    if (n_elements == 0)
        return -EBADMSG;
    if ((error = unpack_uint(&decoding.cursor, &tag)))
        return error;
    if (tag == 0 || tag > 127)
        return -EBADMSG;
    decoding.n_left = n_elements - 1;
    record_out->tag = (uint8_t)tag;
    const struct shape *const shape = shape_of(tag);
    record_out->known = shape != NULL;
    const bool in_ring = tag < TRACE_TAG_FILE;
    if (in_ring && base)
        decoding.base = *base;
    if (shape && in_ring && !base)
        return -EBADMSG;
    if (shape) {
        error = decode_fields(&decoding, shape);
    } else {
        for (; error == 0 && decoding.n_left > 0; decoding.n_left--)
            error = unpack_skip(&decoding.cursor, TRACE_MAX_NESTING);
    }
    if (error)
        return error;
    if (in_ring && base)
        *base = decoding.base;
    *cursor = decoding.cursor;
    return 0;
}
