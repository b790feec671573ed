/* SPDX-License-Identifier: MIT */
/* How parts of a file are put together: each read must lie behind the last one, in the file and in the
 * block alike. A vector's pieces may lie anywhere, so those do not count. */
#include "reader/io_whole.h"

#include <stdbool.h>

#include "reader/array.h"
#include "reader/io_habits.h"
#include "trace/io_ops.h"

static bool may_fill(const struct io_scene *scene, const struct io_habits_call *call,
                     uint64_t file_bytes)
{
    const uint8_t op = scene->record->io.op;
    return call->block && call->start >= 0 && (op == IO_READ || op == IO_PREAD) &&
           file_bytes >= IO_WHOLE_MIN_BYTES;
}

/* What fread() takes through the stream's buffer it copies to the rest. */
static bool is_whole(const struct io_whole *whole, const struct io_scene *scene,
                     const struct block *block, uint64_t file_bytes)
{
    const bool is_stdio = scene->record->tag == TRACE_STDIO;
    const uint64_t tail = is_stdio ? IO_WHOLE_STDIO_TAIL_BYTES - 1 : 0;
    return add_capped(whole->n_bytes, tail) >= file_bytes &&
           block->size_bytes - whole->offset_bytes >= file_bytes;
}

uint64_t io_whole_note(struct io_whole *whole, const struct io_scene *scene,
                       const struct io_habits_call *call, uint64_t file_bytes)
{
    const struct io_whole before = *whole;
    *whole = (struct io_whole){.block = 0};
    if (!may_fill(scene, call, file_bytes))
        return 0;
    const uint64_t offset_bytes = scene->record->io.buffer - call->block->address;
    const uint64_t start = (uint64_t)call->start, block = call->block->start_ticks + 1;
    if (start && (before.block != block || start != before.n_bytes ||
                  offset_bytes != before.offset_bytes + before.n_bytes))
        return 0;
    *whole = (struct io_whole){
        .block = block,
        .offset_bytes = start ? before.offset_bytes : offset_bytes,
        .n_bytes = add_capped(start, call->bytes),
        .n_calls = start && before.site == call->site ? before.n_calls + 1 : 1,
        .site = call->site,
    };
    if (!is_whole(whole, scene, call->block, file_bytes))
        return 0;
    whole->block = 0;
    return whole->n_calls;
}
