/* SPDX-License-Identifier: MIT */
/* How records become lines: a function per shape of record, chosen by a table. */
#include "reader/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader/decode.h"
#include "reader/dump_fields.h"
#include "reader/jsontext.h"
#include "trace/record.h"

/* ---- ring records ---- */

static void dump_allocation(FILE *out, const struct record *record)
{
    dump_put_address(out, "address", record->block.address);
    dump_put_number(out, "size", record->block.size_bytes);
    dump_put_number(out, "usable", record->block.usable_bytes);
    if (record->block.alignment)
        dump_put_number(out, "alignment", record->block.alignment);
    dump_put_number(out, "stack", record->block.stack);
}

static void dump_resize_begin(FILE *out, const struct record *record)
{
    dump_put_address(out, "address", record->block.address);
    dump_put_number(out, "call", record->block.resize_call);
}

static void dump_resize_freed(FILE *out, const struct record *record)
{
    if (record->block.stack)
        dump_put_number(out, "stack", record->block.stack);
}

static void dump_release(FILE *out, const struct record *record)
{
    dump_put_address(out, "address", record->block.address);
    dump_resize_freed(out, record);
}

static void dump_map(FILE *out, const struct record *record)
{
    dump_put_address(out, "address", record->block.address);
    dump_put_number(out, "bytes", record->block.size_bytes);
    if (record->block.stack)
        dump_put_number(out, "stack", record->block.stack);
}

static void dump_nothing(FILE *out, const struct record *record)
{
    (void)out;
    (void)record;
}

static void dump_call_time(FILE *out, const struct record *record)
{
    dump_put_number(out, "call", record->block.timed_call);
    dump_put_number(out, "cycles", record->block.size_bytes);
}

static void dump_node(FILE *out, const struct record *record)
{
    dump_put_number(out, "id", record->node.id);
    dump_put_number(out, "parent", record->node.parent);
    dump_put_address(out, "return_address", record->node.return_address);
}

static void dump_module(FILE *out, const struct record *record)
{
    dump_put_number(out, "module", record->module.id);
    if (record->tag == TRACE_MODULE_GONE)
        return;
    dump_put_text(out, "path", record->module.path);
    dump_put_text(out, "build_id", record->module.build_id);
    dump_put_address(out, "bias", record->module.bias);
    dump_put_address(out, "start", record->module.start);
    dump_put_address(out, "end", record->module.end);
}

static void dump_image(FILE *out, const struct record *record)
{
    const struct record_image *const image = &record->image;
    struct unpack_cursor arguments = image->arguments;
    dump_put_number(out, "image", image->image_id);
    dump_put_signed(out, "pid", image->pid);
    dump_put_signed(out, "parent_pid", image->parent_pid);
    dump_put_number(out, "parent_image", image->parent_image);
    dump_put_number(out, "fork_id", image->fork_id);
    dump_put_number(out, "start", image->start_clock_ticks);
    dump_put_text(out, "executable", image->executable);
    dump_put_text(out, "allocator", image->allocator);
    fputs(", \"arguments\": [", out);
    for (uint32_t i = 0; i < image->n_arguments; i++) {
        fputs(i ? ", " : "", out);
        jsontext_object(out, &arguments);
    }
    putc(']', out);
}

static void dump_thread(FILE *out, const struct record *record)
{
    dump_put_signed(out, "tid", record->thread.tid);
    dump_put_text(out, "name", record->thread.name);
}

static void dump_fork(FILE *out, const struct record *record)
{
    dump_put_number(out, "fork_id", record->fork.id);
}

static void dump_exec(FILE *out, const struct record *record)
{
    if (record->tag == TRACE_EXEC)
        dump_put_text(out, "path", record->exec.path);
    else
        dump_put_signed(out, "errno", record->exec.error);
}

static void dump_exit(FILE *out, const struct record *record)
{
    dump_put_signed(out, "pid", record->exit.pid);
    if (record->exit.has_status)
        dump_put_signed(out, "wait_status", record->exit.wait_status);
    else
        fputs(", \"wait_status\": null", out);
}

static void dump_remark(FILE *out, const struct record *record)
{
    dump_put_number(out, "remark", record->remark.what);
    dump_put_text(out, "text", record->remark.text);
}

/* ---- the file's own records ---- */

static void dump_header(FILE *out, const struct record *record)
{
    fputs(", \"name\": \"" TRACE_NAME "\"", out);
    dump_put_number(out, "major", record->header.major);
    dump_put_number(out, "minor", record->header.minor);
    dump_put_text(out, "tool_version", record->header.tool_version);
}

static void dump_pairs(FILE *out, const struct record *record)
{
    dump_put_pairs(out, record->map.n_pairs, record->map.pairs);
}

static void dump_clock(FILE *out, const struct record *record)
{
    dump_put_number(out, "monotonic_ns", record->clock.monotonic_ns);
    dump_put_signed(out, "realtime_ns", record->clock.realtime_ns);
}

static void dump_stream(FILE *out, const struct record *record)
{
    dump_put_number(out, "stream", record->stream.id);
    dump_put_number(out, "image", record->stream.image_id);
    dump_put_signed(out, "pid", record->stream.pid);
    dump_put_signed(out, "tid", record->stream.tid);
    dump_put_number(out, "ring", record->stream.ring);
}

static void dump_chunk(FILE *out, const struct record *record)
{
    dump_put_number(out, "stream", record->chunk.stream);
    dump_put_number(out, "n_bytes", record->chunk.n_bytes);
    dump_put_number(out, "n_records", record->chunk.n_records);
    dump_put_number(out, "base_ticks", record->chunk.base.ticks);
    dump_put_address(out, "base_address", record->chunk.base.address);
}

static void dump_rss(FILE *out, const struct record *record)
{
    dump_put_signed(out, "pid", record->rss.pid);
    dump_put_number(out, "bytes", record->rss.bytes);
}

static void dump_stream_end(FILE *out, const struct record *record)
{
    dump_put_number(out, "stream", record->stream_end.stream);
    dump_put_pairs(out, record->stream_end.n_pairs, record->stream_end.pairs);
}

static void dump_lost(FILE *out, const struct record *record)
{
    dump_put_number(out, "stream", record->lost.stream);
    dump_put_number(out, "n_events", record->lost.n_events);
    dump_put_number(out, "reason", record->lost.reason);
}

static void dump_unattached(FILE *out, const struct record *record)
{
    dump_put_signed(out, "pid", record->unattached.pid);
    dump_put_number(out, "reason", record->unattached.reason);
    dump_put_text(out, "path", record->unattached.path);
}

static void dump_stopped(FILE *out, const struct record *record)
{
    dump_put_number(out, "reason", record->stopped.reason);
}

static void dump_string(FILE *out, const struct record *record)
{
    dump_put_number(out, "id", record->string.id);
    dump_put_text(out, "text", record->string.text);
}

static void dump_object(FILE *out, const struct record *record)
{
    dump_put_number(out, "id", record->object.id);
    dump_put_number(out, "path_string", record->object.path_string);
    dump_put_text(out, "build_id", record->object.build_id);
}

static void dump_symbol(FILE *out, const struct record *record)
{
    struct unpack_cursor frames = record->symbol.frames;
    struct record_frame frame;
    dump_put_number(out, "object", record->symbol.object);
    dump_put_address(out, "offset", record->symbol.offset);
    fputs(", \"frames\": [", out);
    for (uint32_t i = 0; i < record->symbol.n_frames && record_next_frame(&frames, &frame) == 0;
         i++)
        fprintf(out,
                "%s{\"function\": %" PRIu32 ", \"file\": %" PRIu32 ", \"line\": %" PRIu32
                ", \"inlined\": %s}",
                i ? ", " : "", frame.function, frame.file, frame.line,
                frame.inlined ? "true" : "false");
    putc(']', out);
}

static void (*const dumpers[TRACE_END + 1])(FILE *out, const struct record *record) = {
    [TRACE_REALLOC_BEGIN] = dump_resize_begin,
    [TRACE_REALLOC_END] = dump_allocation,
    [TRACE_REALLOC_FAIL] = dump_nothing,
    [TRACE_REALLOC_FREED] = dump_resize_freed,
    [TRACE_MMAP] = dump_map,
    [TRACE_MUNMAP] = dump_map,
    [TRACE_REMAP_BEGIN] = dump_map,
    [TRACE_REMAP_END] = dump_map,
    [TRACE_MAP_FAIL] = dump_nothing,
    [TRACE_CALL_TIME] = dump_call_time,
    [TRACE_NODE] = dump_node,
    [TRACE_TREE_RESET] = dump_nothing,
    [TRACE_MODULE] = dump_module,
    [TRACE_MODULE_GONE] = dump_module,
    [TRACE_IMAGE] = dump_image,
    [TRACE_THREAD] = dump_thread,
    [TRACE_FORK] = dump_fork,
    [TRACE_FORK_FAIL] = dump_fork,
    [TRACE_EXEC] = dump_exec,
    [TRACE_EXEC_FAIL] = dump_exec,
    [TRACE_CHILD_EXIT] = dump_exit,
    [TRACE_REMARK] = dump_remark,
    [TRACE_IO] = dump_io,
    [TRACE_STDIO] = dump_io,
    [TRACE_PATH_CALL] = dump_path_call,
    [TRACE_FD_NEW] = dump_fd_new,
    [TRACE_FD_IS] = dump_fd_is,
    [TRACE_FD_CLOSE] = dump_fd_close,
    [TRACE_FOLDER] = dump_folder,
    [TRACE_KERNEL_IO] = dump_kernel_io,
    [TRACE_HEADER] = dump_header,
    [TRACE_RUN] = dump_pairs,
    [TRACE_CLOCK] = dump_clock,
    [TRACE_STREAM] = dump_stream,
    [TRACE_CHUNK] = dump_chunk,
    [TRACE_WATERMARK] = dump_nothing,
    [TRACE_RSS] = dump_rss,
    [TRACE_STREAM_END] = dump_stream_end,
    [TRACE_PROCESS_END] = dump_exit,
    [TRACE_LOST] = dump_lost,
    [TRACE_UNATTACHED] = dump_unattached,
    [TRACE_STOPPED] = dump_stopped,
    [TRACE_PROCESS_IO] = dump_kernel_io,
    [TRACE_STRING] = dump_string,
    [TRACE_OBJECT] = dump_object,
    [TRACE_SYMBOL] = dump_symbol,
    [TRACE_END] = dump_pairs,
};

/* ---- lines and files ---- */

static bool has_stamp(uint8_t tag)
{
    static const uint8_t without[] = {TRACE_NODE,   TRACE_TREE_RESET, TRACE_HEADER,     TRACE_RUN,
                                      TRACE_STREAM, TRACE_CHUNK,      TRACE_STREAM_END, TRACE_LOST,
                                      TRACE_STRING, TRACE_OBJECT,     TRACE_SYMBOL};
    return !memchr(without, tag, sizeof without);
}

/* One line. `stream` NULL: a record of the file itself. */
static void put_line(FILE *out, const struct record *record, const uint32_t *stream)
{
    if (!record->known) {
        fprintf(out, "{\"record\": \"unknown\", \"tag\": %u}\n", record->tag);
        return;
    }
    fprintf(out, "{\"record\": \"%s\"", record_name(record->tag));
    if (stream)
        dump_put_number(out, "stream", *stream);
    if (has_stamp(record->tag))
        dump_put_number(out, "t", record->ticks);
    if (record_is_allocation(record->tag))
        dump_allocation(out, record);
    else if (record_is_release(record->tag))
        dump_release(out, record);
    else if (dumpers[record->tag])
        dumpers[record->tag](out, record);
    fputs("}\n", out);
}

static int fail_chunk(const struct decode_item *item, size_t at, struct trace_error *error)
{
    error->offset_bytes = item->payload_offset + at;
    error->record = "chunk";
    snprintf(error->reason, sizeof error->reason, "what stands here is no whole record");
    return -EBADMSG;
}

/* Walk a chunk's records; as lines, or as the bytes of all that are whole. */
static int dump_payload(const struct decode_item *item, enum dump_format format, FILE *out,
                        struct trace_error *error)
{
    struct unpack_cursor cursor = {.at = item->payload, .end = item->payload + item->payload_bytes};
    struct record_base base = item->record.chunk.base;
    struct record record;
    int result = 0;
    while (cursor.at < cursor.end && (result = record_decode(&cursor, &base, &record)) == 0)
        if (format == DUMP_JSON)
            put_line(out, &record, &item->record.chunk.stream);
    const size_t n_whole = item->payload ? (size_t)(cursor.at - item->payload) : 0;
    if (format == DUMP_MSGPACK && n_whole)
        fwrite(item->payload, 1, n_whole, out);
    /* Half a record where the trace itself ends is told by the next decode_next(). */
    const bool cut = item->payload_bytes < item->record.chunk.n_bytes;
    if (result == 0 || (result == -EAGAIN && (cut || cursor.at == cursor.end)))
        return 0;
    return fail_chunk(item, n_whole, error);
}

static int dump_item(struct decode_item *item, enum dump_format format, FILE *out,
                     struct trace_error *error)
{
    if (format == DUMP_JSON)
        put_line(out, &item->record, NULL);
    else
        fwrite(item->bytes, 1, item->n_bytes, out);
    int result = 0;
    if (item->record.tag == TRACE_CHUNK) {
        result = dump_payload(item, format, out, error);
        free(item->payload);
    }
    return result == 0 && ferror(out) ? -EIO : result;
}

int dump_trace(const char *path, enum dump_format format, FILE *out, struct trace_error *error_out)
{
    struct trace_error error = {.record = ""};
    struct decoder *decoder = NULL;
    struct decode_item item = {.n_bytes = 0};
    bool ended = false;
    int result = decode_open(path, &decoder, &error), found = 0;
    while (result == 0 && (found = decode_next(decoder, &item, &error)) == 1) {
        ended = ended || item.record.tag == TRACE_END;
        result = dump_item(&item, format, out, &error);
    }
    if (result == 0 && found < 0)
        result = found;
    if (result == 0 && !ended) {
        result = -EBADMSG;
        snprintf(error.reason, sizeof error.reason, "the end mark is missing");
    }
    if (result == -EIO && !error.reason[0])
        snprintf(error.reason, sizeof error.reason, "%s", strerror(EIO));
    decode_close(decoder);
    if (result)
        *error_out = error;
    return result;
}
