/* SPDX-License-Identifier: MIT */
/* How the records of I/O are packed.
 *
 * Of a transfer the counter is read only once after the call. From then until the record is published
 * the ring stays in its event, so that the collector expects a record of that time; where something
 * else was published in between, or room has to be waited for, another stamp is taken. */
#include "preload/event_io.h"

#include <errno.h>
#include <string.h>

#include "preload/event.h"
#include "preload/event_hot.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "trace/pack_hot.h"

enum {
    IO_BYTES = 12 * PACK_HOT_BYTES, /* head, tag and at most ten integers */
};

static uint64_t ticks_since(uint64_t began, uint64_t ended)
{
    const uint64_t stamp_ticks = session.stamp_cycles / TRACE_CYCLES_PER_TICK;
    if ((session.flags & SESSION_BORROWED_CLOCK) || ended <= began + stamp_ticks)
        return 0;
    return ended - began - stamp_ticks;
}

/* Get room for a record of a call that ended at *ended, when the ring's head was at `head`. Where that may
 * not be its stamp any more, *ended becomes another. */
static inline uint8_t *room_at(struct lane *lane, size_t n_bytes, uint64_t head, uint64_t *ended)
{
    if (__builtin_expect(lane->head == head && head + n_bytes <= lane->plain_until, 1))
        return ring_byte(lane, head);
    atomic_store_explicit(&lane->ring->in_event, 0, memory_order_release);
    uint8_t *const room = event_room(lane, n_bytes);
    if (!room)
        return NULL;
    ring_begin_stamp(lane);
    *ended = event_ticks(lane);
    return room;
}

/* A number that has mostly the same length from call to call: by branches, which are foreseen then. */
static inline uint8_t *put_number(uint8_t *at, int64_t number)
{
    if (__builtin_expect((uint64_t)number < 128, 1)) {
        *at = (uint8_t)number;
        return at + 1;
    }
    if (__builtin_expect((uint64_t)number - 256 <= UINT16_MAX - 256, 1))
        return pack_hot_uint16(at, (uint16_t)number);
    return pack_hot_int(at, number);
}

static inline uint8_t *put_unsigned(uint8_t *at, uint64_t number)
{
    return __builtin_expect(number <= UINT16_MAX, 1) ? put_number(at, (int64_t)number)
                                                     : pack_hot_uint(at, number);
}

/* Whoever releases the block that the buffer begins, if it does, is to be recorded after this call. */
static inline void come_before_release(const struct lane *lane, const void *buffer)
{
    if (stamp_has_company(lane))
        last_touch_forget_others(lane, buffer);
}

void event_io(struct lane *lane, enum trace_tag tag, const struct event_io *io,
              const struct arch_frame *caller)
{
    ring_begin_stamp(lane);
    uint64_t ticks = event_ticks(lane);
    const uint64_t took = ticks_since(io->began, ticks), head = lane->head;
    const uint32_t stack = event_stack_at(lane, caller);
    uint8_t *at = room_at(lane, IO_BYTES, head, &ticks);
    if (!at)
        return;
    at = event_hot_head(lane, at, tag, 10, ticks, took);
    *at++ = io->op; /* below 128 */
    at = put_number(at, io->fd);
    at = put_unsigned(at, io->requested_bytes);
    at = put_number(at, io->result);
    at = put_unsigned(at, took);
    at = put_unsigned(at, stack);
    at = pack_hot_uint(at, (uintptr_t)io->buffer);
    at = put_number(at, io->detail);
    come_before_release(lane, io->buffer);
    ring_publish(lane, at);
}

/* Tell whether the kernel got as far as reading the path, so that we may. Other refusals come before that, or
 * are about the path's address. */
static bool path_was_read(int64_t result)
{
    switch (-(uint64_t)result) {
    case EPERM:
    case ENOENT:
    case EACCES:
    case EBUSY:
    case EEXIST:
    case EXDEV:
    case ENODEV:
    case ENOTDIR:
    case EISDIR:
    case ENFILE:
    case EMFILE:
    case ETXTBSY:
    case ENOSPC:
    case EROFS:
    case ENXIO:
    case ENAMETOOLONG:
    case ENOTEMPTY:
    case ELOOP: return true;
    default: return result >= 0;
    }
}

void event_path_call(struct lane *lane, const struct event_path_call *call,
                     const struct arch_frame *caller)
{
    const uint64_t ended = event_ticks(lane);
    const uint32_t stack = event_stack(lane, caller);
    const char *const path = call->path && path_was_read(call->result) ? call->path : "";
    const size_t n = strnlen(path, TRACE_MAX_TEXT_BYTES);
    uint8_t *const room = event_room(lane, IO_BYTES + n);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_PATH_CALL, 8);
    pack_uint8(&cursor, call->op);
    pack_int32(&cursor, call->folder_fd);
    pack_int64(&cursor, call->result);
    pack_uint64(&cursor, ticks_since(call->began, ended));
    pack_uint32(&cursor, stack);
    pack_text(&cursor, path, n);
    ring_publish(lane, cursor.at);
}

void event_fd_new(struct lane *lane, enum io_op op, int fd, int other,
                  const struct arch_frame *caller)
{
    const uint32_t stack = event_stack(lane, caller);
    uint8_t *const room = event_room(lane, IO_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_FD_NEW, 6);
    pack_uint8(&cursor, (uint8_t)op);
    pack_int32(&cursor, fd);
    pack_int32(&cursor, other);
    pack_uint32(&cursor, stack);
    ring_publish(lane, cursor.at);
}

bool event_fd_is(struct lane *lane, const struct event_fd_is *is)
{
    const size_t n = strnlen(is->name, TRACE_MAX_TEXT_BYTES);
    uint8_t *const room = event_room(lane, IO_BYTES + n);
    if (!room)
        return false;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_FD_IS, 10);
    pack_int32(&cursor, is->fd);
    pack_text(&cursor, is->name, n);
    pack_uint8(&cursor, is->kind);
    pack_uint32(&cursor, is->flags);
    pack_int64(&cursor, is->offset_bytes);
    pack_uint64(&cursor, is->device);
    pack_uint64(&cursor, is->inode);
    pack_uint64(&cursor, is->size_bytes);
    ring_publish(lane, cursor.at);
    return true;
}

void event_fd_close(struct lane *lane, uint32_t first, uint32_t last)
{
    event_numbers(lane, TRACE_FD_CLOSE, first, last);
}

void event_kernel_io(struct lane *lane, enum trace_kernel_io_moment moment,
                     const struct event_kernel_io *counts)
{
    uint8_t *const room = event_room(lane, IO_BYTES);
    if (!room)
        return;
    struct pack_cursor cursor = {.at = room};
    event_begin(lane, &cursor, TRACE_KERNEL_IO, 7);
    pack_uint8(&cursor, (uint8_t)moment);
    pack_uint64(&cursor, counts->n_reads);
    pack_uint64(&cursor, counts->n_writes);
    pack_uint64(&cursor, counts->read_bytes);
    pack_uint64(&cursor, counts->written_bytes);
    ring_publish(lane, cursor.at);
}
