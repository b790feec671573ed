/* SPDX-License-Identifier: MIT */
/* What the shim packs of I/O, record_decode() takes apart again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/event_io.h"
#include "preload/last_touch.h"
#include "preload/session.h"
#include "tests/support/lane_fixture.h"

static const struct arch_frame nowhere;
static struct lane *lane;
static struct record records[16];

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    lane_fixture_set(0, 0);
    memset(records, 0, sizeof records);
    return 0;
}

static void a_transfer_is_written_in_full(void **state)
{
    static const struct event_io rows[] = {
        {.op = IO_READ, .fd = 3, .requested_bytes = 4096, .result = -EAGAIN},
        {.op = IO_PWRITE,
         .fd = INT32_MAX,
         .requested_bytes = UINT64_MAX,
         .result = INT64_MAX,
         .buffer = (const void *)UINTPTR_MAX,
         .detail = INT64_MIN},
        {.op = IO_READLINK, .fd = -1, .result = INT64_MIN, .detail = INT64_MAX},
    };
    enum { N = sizeof rows / sizeof *rows };
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        lane_fixture_set(i + 5, 0);
        event_io(lane, i == 1 ? TRACE_STDIO : TRACE_IO, &rows[i], &nowhere);
    }
    assert_int_equal(lane_fixture_records(records, 16), N);
    for (uint32_t i = 0; i < N; i++) {
        const struct record_io *const io = &records[i].io;
        assert_int_equal(records[i].tag, i == 1 ? TRACE_STDIO : TRACE_IO);
        assert_true(io->op == rows[i].op && io->fd == rows[i].fd);
        assert_true(io->requested_bytes == rows[i].requested_bytes);
        assert_true(io->result == rows[i].result && io->detail == rows[i].detail);
        assert_true(io->buffer == (uintptr_t)rows[i].buffer);
        assert_int_equal(io->stack, i + 5);
    }
}

/* Another lane that releases the block is to see that something came between (last_touch.h). */
static void a_buffers_block_is_nobodys_then(void **state)
{
    static _Atomic uint64_t last_touch[LAST_TOUCH_PLACES];
    static const struct event_io io = {.op = IO_READ, .fd = 3, .buffer = (const void *)0x5000};
    struct lane other = *lane;
    (void)state;
    session.last_touch = last_touch;
    session.company = 1 << 16; /* nobody is alone */
    lane->mark = 1;
    other.mark = 2;
    last_touch_was_ours(&other, io.buffer);
    event_io(lane, TRACE_IO, &io, &nowhere);
    assert_false(last_touch_was_ours(&other, io.buffer));
    session.company = 0;
}

static void it_took_the_time_since_it_began(void **state)
{
    (void)state;
    session.stamp_cycles = 20 * TRACE_CYCLES_PER_TICK;
    const uint64_t began = arch_ticks();
    const struct event_io io = {.op = IO_READ, .began = began};
    event_io(lane, TRACE_IO, &io, &nowhere);
    const struct event_io late = {.op = IO_READ, .began = UINT64_MAX / 2};
    event_io(lane, TRACE_IO, &late, &nowhere);
    const uint64_t after = arch_ticks();
    assert_int_equal(lane_fixture_records(records, 16), 2);
    assert_true(records[0].io.took_ticks < after - began);
    assert_true(records[0].ticks >= began + records[0].io.took_ticks && records[0].ticks <= after);
    assert_int_equal(records[1].io.took_ticks, 0);
}

/* Nothing may be left announced to the collector that will never come. */
static void without_room_it_is_counted_as_lost(void **state)
{
    (void)state;
    lane = lane_fixture_start(1 << 12);
    const struct event_io io = {.op = IO_READ, .buffer = &io};
    for (unsigned i = 0; i < 1000; i++)
        event_io(lane, TRACE_IO, &io, &nowhere);
    assert_true(lane->ring->n_lost[TRACE_LOSS_RING_FULL] > 0);
    assert_int_equal(lane->ring->in_event, 0);
}

static const char *cut_at(char *text, size_t n)
{
    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}

static void a_path_is_read_only_where_the_kernel_read_it(void **state)
{
    static char longest[TRACE_MAX_TEXT_BYTES + 10];
    static const struct {
        int64_t result;
        const char *path;
        size_t n_bytes;
    } rows[] = {
        {3, "/a", 2},
        {-ENOENT, "", 0},
        {-ELOOP, "b\nc", 3},
        {-EFAULT, (const char *)1, 0},
        {-EINVAL, (const char *)1, 0},
        {-EBADF, (const char *)1, 0},
        {INT64_MIN, (const char *)1, 0},
        {0, NULL, 0},
        {-ENAMETOOLONG, longest, TRACE_MAX_TEXT_BYTES},
    };
    enum { N = sizeof rows / sizeof *rows };
    (void)state;
    cut_at(longest, TRACE_MAX_TEXT_BYTES + 5);
    for (size_t i = 0; i < N; i++) {
        const struct event_path_call call = {
            .op = IO_OPEN, .folder_fd = -100, .result = rows[i].result, .path = rows[i].path};
        event_path_call(lane, &call, &nowhere);
    }
    assert_int_equal(lane_fixture_records(records, 16), N);
    for (size_t i = 0; i < N; i++) {
        const struct record_path_call *const call = &records[i].path_call;
        assert_int_equal(call->op, IO_OPEN);
        assert_int_equal(call->folder_fd, -100);
        assert_true(call->result == rows[i].result);
        assert_int_equal(call->path.n_bytes, rows[i].n_bytes);
        assert_memory_equal(call->path.bytes, rows[i].n_bytes ? rows[i].path : "", rows[i].n_bytes);
    }
}

static void a_descriptors_life_is_written(void **state)
{
    const struct event_fd_is is = {.fd = 7,
                                   .kind = TRACE_FD_FILE,
                                   .name = "/x\xff",
                                   .flags = 0x8000,
                                   .offset_bytes = -1,
                                   .device = UINT64_MAX,
                                   .inode = 12,
                                   .size_bytes = 1 << 20};
    (void)state;
    lane_fixture_set(6, 0);
    event_fd_new(lane, IO_DUP, 9, 7, &nowhere);
    assert_true(event_fd_is(lane, &is));
    event_fd_close(lane, 3, UINT32_MAX);
    assert_int_equal(lane_fixture_records(records, 16), 3);
    assert_int_equal(records[0].fd_new.op, IO_DUP);
    assert_int_equal(records[0].fd_new.fd, 9);
    assert_int_equal(records[0].fd_new.other_fd, 7);
    assert_int_equal(records[0].fd_new.stack, 6);
    const struct record_fd_is *const read = &records[1].fd_is;
    assert_true(read->fd == 7 && read->kind == TRACE_FD_FILE && read->flags == 0x8000);
    assert_true(read->offset_bytes == -1 && read->device == UINT64_MAX && read->inode == 12);
    assert_true(read->size_bytes == 1 << 20 && read->name.n_bytes == 3);
    assert_int_equal(records[2].fd_close.first, 3);
    assert_true(records[2].fd_close.last == UINT32_MAX);
}

static void the_kernels_counts_are_written(void **state)
{
    const struct event_kernel_io counts = {1, 2, 3, UINT64_MAX};
    (void)state;
    event_kernel_io(lane, TRACE_KERNEL_IO_END, &counts);
    assert_int_equal(lane_fixture_records(records, 16), 1);
    const struct record_kernel_io *const io = &records[0].kernel_io;
    assert_int_equal(io->moment, TRACE_KERNEL_IO_END);
    assert_true(io->n_reads == 1 && io->n_writes == 2 && io->read_bytes == 3);
    assert_true(io->written_bytes == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_transfer_is_written_in_full, start),
        cmocka_unit_test_setup(a_buffers_block_is_nobodys_then, start),
        cmocka_unit_test_setup(it_took_the_time_since_it_began, start),
        cmocka_unit_test_setup(without_room_it_is_counted_as_lost, start),
        cmocka_unit_test_setup(a_path_is_read_only_where_the_kernel_read_it, start),
        cmocka_unit_test_setup(a_descriptors_life_is_written, start),
        cmocka_unit_test_setup(the_kernels_counts_are_written, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
