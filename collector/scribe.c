/* SPDX-License-Identifier: MIT */
/* How the file's own records are packed: into a buffer on the stack that holds the largest of its
 * kind, then written whole. Only RUN, with its command, may need more and takes it from the heap. */
#include "collector/scribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/pack.h"
#include "trace/session_layout.h"

enum { SMALL_BYTES = 256, TEXT_RECORD_BYTES = TRACE_MAX_TEXT_BYTES + 128, MAX_SYMBOL_FRAMES = 64 };

static void pack_tag(struct pack_cursor *cursor, unsigned n_elements, enum trace_tag tag)
{
    pack_array(cursor, n_elements);
    pack_uint8(cursor, (uint8_t)tag);
}

/* A text of at most the format's length, never cut inside a UTF-8 sequence. Not inlined: where gcc knows the
 * text it takes the limit for a read beyond it. */
static __attribute__((noinline)) void pack_cut(struct pack_cursor *cursor, const char *text)
{
    size_t n = strnlen(text, TRACE_MAX_TEXT_BYTES + 1);
    if (n > TRACE_MAX_TEXT_BYTES) {
        n = TRACE_MAX_TEXT_BYTES;
        while (n > TRACE_MAX_TEXT_BYTES - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    pack_text(cursor, text, n);
}

static void pack_key(struct pack_cursor *cursor, const char *key)
{
    pack_text(cursor, key, strlen(key));
}

static void pack_pair(struct pack_cursor *cursor, const char *key, uint64_t value)
{
    pack_key(cursor, key);
    pack_uint64(cursor, value);
}

static void pack_text_pair(struct pack_cursor *cursor, const char *key, const char *value)
{
    pack_key(cursor, key);
    pack_cut(cursor, value);
}

static int write_packed(struct compress *out, const uint8_t *start, const struct pack_cursor *end)
{
    return compress_write(out, start, (size_t)(end->at - start));
}

int scribe_header(struct compress *out)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 5, TRACE_HEADER);
    pack_key(&cursor, TRACE_NAME);
    pack_uint64(&cursor, TRACE_VERSION_MAJOR);
    pack_uint64(&cursor, TRACE_VERSION_MINOR);
    pack_key(&cursor, HEAPWISE_VERSION);
    return write_packed(out, bytes, &cursor);
}

static void pack_command(struct pack_cursor *cursor, char *const *command)
{
    uint32_t n = 0;
    while (n < TRACE_MAX_ARGUMENTS && command[n])
        n++;
    pack_array(cursor, n);
    for (uint32_t i = 0; i < n; i++)
        pack_cut(cursor, command[i]);
}

static size_t command_bytes(char *const *command)
{
    size_t n_bytes = PACK_HEAD_BYTES;
    for (uint32_t i = 0; i < TRACE_MAX_ARGUMENTS && command[i]; i++)
        n_bytes += strnlen(command[i], TRACE_MAX_TEXT_BYTES) + PACK_HEAD_BYTES;
    return n_bytes;
}

/* Of so many releases one has its stack; 0: none has. */
static uint32_t free_stacks(const struct scribe_run *run)
{
    if (run->depth == 0 || (run->flags & SESSION_NO_ALLOC))
        return 0;
    return run->flags & SESSION_FREE_STACKS ? 1 : TRACE_FREES_SAMPLED;
}

int scribe_run(struct compress *out, const struct scribe_run *run)
{
    uint8_t *const bytes = malloc(command_bytes(run->command) + 6 * TEXT_RECORD_BYTES);
    if (!bytes)
        return -ENOMEM;
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 2, TRACE_RUN);
    pack_map(&cursor, run->tsc ? 14 : 13);
    pack_key(&cursor, "command");
    pack_command(&cursor, run->command);
    pack_text_pair(&cursor, "folder", run->folder);
    pack_text_pair(&cursor, "kernel", run->kernel);
    pack_text_pair(&cursor, "libc", run->libc);
    pack_text_pair(&cursor, "cpu", run->cpu);
    pack_pair(&cursor, "cores", run->cores);
    pack_pair(&cursor, "page_bytes", run->page_bytes);
    pack_text_pair(&cursor, "clock", run->tsc ? "tsc" : "monotonic");
    pack_pair(&cursor, "started_ns", run->started_realtime_ns);
    pack_pair(&cursor, "root_pid", (uint64_t)run->root_pid);
    pack_pair(&cursor, "depth", run->depth);
    pack_pair(&cursor, "flags", run->flags);
    pack_pair(&cursor, "free_stacks", free_stacks(run));
    if (run->tsc)
        pack_pair(&cursor, "cycles_per_tick", TRACE_CYCLES_PER_TICK);
    const int error = write_packed(out, bytes, &cursor);
    free(bytes);
    return error;
}

int scribe_clock(struct compress *out, const struct ticks_moment *moment)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 4, TRACE_CLOCK);
    pack_uint64(&cursor, moment->ticks);
    pack_uint64(&cursor, moment->monotonic_ns);
    pack_int64(&cursor, moment->realtime_ns);
    return write_packed(out, bytes, &cursor);
}

int scribe_stream(struct compress *out, uint32_t stream, uint32_t image_id, int pid, int tid,
                  unsigned ring)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 6, TRACE_STREAM);
    pack_uint64(&cursor, stream);
    pack_uint64(&cursor, image_id);
    pack_int64(&cursor, pid);
    pack_int64(&cursor, tid);
    pack_uint64(&cursor, ring);
    return write_packed(out, bytes, &cursor);
}

/* The head's length is known only once the records are there: padding fills up to it. */
int scribe_chunk(struct compress *out, const struct record *head, uint8_t *reserved, uint64_t mark)
{
    uint8_t packed[SCRIBE_CHUNK_HEAD_BYTES];
    struct pack_cursor cursor = {packed};
    pack_tag(&cursor, 6, TRACE_CHUNK);
    pack_uint64(&cursor, head->chunk.stream);
    pack_uint64(&cursor, head->chunk.n_bytes);
    pack_uint64(&cursor, head->chunk.n_records);
    pack_uint64(&cursor, head->chunk.base.ticks);
    pack_uint64(&cursor, head->chunk.base.address);
    const size_t n_head = (size_t)(cursor.at - packed);
    const size_t n_padding = SCRIBE_CHUNK_HEAD_BYTES - n_head;
    memset(reserved, 0xc0, n_padding);
    memcpy(reserved + n_padding, packed, n_head);
    return compress_commit(out, SCRIBE_CHUNK_HEAD_BYTES + head->chunk.n_bytes, mark);
}

int scribe_watermark(struct compress *out, uint64_t ticks)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 2, TRACE_WATERMARK);
    pack_uint64(&cursor, ticks);
    return write_packed(out, bytes, &cursor);
}

int scribe_rss(struct compress *out, uint64_t ticks, int pid, uint64_t n_bytes)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 4, TRACE_RSS);
    pack_uint64(&cursor, ticks);
    pack_int64(&cursor, pid);
    pack_uint64(&cursor, n_bytes);
    return write_packed(out, bytes, &cursor);
}

int scribe_stream_end(struct compress *out, uint32_t stream,
                      const struct scribe_stream_totals *totals)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 3, TRACE_STREAM_END);
    pack_uint64(&cursor, stream);
    pack_map(&cursor, 4);
    pack_pair(&cursor, "fast", totals->n_fast);
    pack_pair(&cursor, "fallback", totals->n_fallback);
    pack_pair(&cursor, "truncated", totals->n_truncated);
    pack_pair(&cursor, "stdio_calls", totals->n_stdio_calls);
    return write_packed(out, bytes, &cursor);
}

int scribe_process_end(struct compress *out, uint64_t ticks, int pid, const int *wait_status)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 4, TRACE_PROCESS_END);
    pack_uint64(&cursor, ticks);
    pack_int64(&cursor, pid);
    if (wait_status)
        pack_int64(&cursor, *wait_status);
    else
        pack_nil(&cursor);
    return write_packed(out, bytes, &cursor);
}

int scribe_process_io(struct compress *out, uint64_t ticks, const struct record_kernel_io *io)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 7, TRACE_PROCESS_IO);
    pack_uint64(&cursor, ticks);
    pack_int64(&cursor, io->pid);
    pack_uint64(&cursor, io->n_reads);
    pack_uint64(&cursor, io->n_writes);
    pack_uint64(&cursor, io->read_bytes);
    pack_uint64(&cursor, io->written_bytes);
    return write_packed(out, bytes, &cursor);
}

int scribe_lost(struct compress *out, uint32_t stream, uint64_t n_events, uint32_t reason)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 4, TRACE_LOST);
    pack_uint64(&cursor, stream);
    pack_uint64(&cursor, n_events);
    pack_uint64(&cursor, reason);
    return write_packed(out, bytes, &cursor);
}

int scribe_unattached(struct compress *out, uint64_t ticks, int pid, uint32_t reason,
                      const char *path)
{
    uint8_t bytes[TEXT_RECORD_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 5, TRACE_UNATTACHED);
    pack_uint64(&cursor, ticks);
    pack_int64(&cursor, pid);
    pack_uint64(&cursor, reason);
    pack_cut(&cursor, path);
    return write_packed(out, bytes, &cursor);
}

int scribe_stopped(struct compress *out, uint64_t ticks, uint32_t reason)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 3, TRACE_STOPPED);
    pack_uint64(&cursor, ticks);
    pack_uint64(&cursor, reason);
    return write_packed(out, bytes, &cursor);
}

int scribe_string(struct compress *out, uint32_t id, const char *text)
{
    uint8_t bytes[TEXT_RECORD_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 3, TRACE_STRING);
    pack_uint64(&cursor, id);
    pack_cut(&cursor, text);
    return write_packed(out, bytes, &cursor);
}

int scribe_object(struct compress *out, uint32_t id, uint32_t path_string, const char *build_id)
{
    uint8_t bytes[TEXT_RECORD_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 4, TRACE_OBJECT);
    pack_uint64(&cursor, id);
    pack_uint64(&cursor, path_string);
    pack_cut(&cursor, build_id);
    return write_packed(out, bytes, &cursor);
}

int scribe_symbol(struct compress *out, uint32_t object, uint64_t offset,
                  const struct record_frame *frames, size_t n_frames)
{
    uint8_t bytes[SMALL_BYTES + MAX_SYMBOL_FRAMES * 4 * PACK_INTEGER_BYTES];
    struct pack_cursor cursor = {bytes};
    if (n_frames > MAX_SYMBOL_FRAMES)
        n_frames = MAX_SYMBOL_FRAMES;
    pack_tag(&cursor, 4, TRACE_SYMBOL);
    pack_uint64(&cursor, object);
    pack_uint64(&cursor, offset);
    pack_array(&cursor, n_frames);
    for (size_t i = 0; i < n_frames; i++) {
        pack_array(&cursor, 4);
        pack_uint64(&cursor, frames[i].function);
        pack_uint64(&cursor, frames[i].file);
        pack_uint64(&cursor, frames[i].line);
        if (frames[i].inlined)
            pack_true(&cursor);
        else
            pack_false(&cursor);
    }
    return write_packed(out, bytes, &cursor);
}

int scribe_end(struct compress *out, const struct scribe_end *end)
{
    uint8_t bytes[SMALL_BYTES];
    struct pack_cursor cursor = {bytes};
    pack_tag(&cursor, 3, TRACE_END);
    pack_uint64(&cursor, end->ticks);
    pack_map(&cursor, end->has_status ? 5 : 4);
    pack_pair(&cursor, "events", end->n_events);
    pack_pair(&cursor, "streams", end->n_streams);
    pack_pair(&cursor, "lost", end->n_lost);
    pack_pair(&cursor, "bytes", compress_n_bytes(out));
    if (end->has_status) {
        pack_key(&cursor, "status");
        pack_int64(&cursor, end->wait_status);
    }
    return write_packed(out, bytes, &cursor);
}
