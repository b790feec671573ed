/* SPDX-License-Identifier: MIT */
/* Each call of hook_io.c makes one record that says what was asked and what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/event_io.h"
#include "preload/session.h"
#include "tests/support/io_fixture.h"

ssize_t __read(int fd, void *buffer, size_t n_bytes);
ssize_t __read_chk(int fd, void *buffer, size_t n_bytes, size_t n_room);
ssize_t __pread64_chk(int fd, void *buffer, size_t n_bytes, off_t offset, size_t n_room);
ssize_t __pwrite64(int fd, const void *buffer, size_t n_bytes, off_t offset);

static struct record records[64];
static size_t n_records;
static int file = -1, ends[2] = {-1, -1};
static char bytes[64];

static int set_up(void **state)
{
    (void)state;
    file = memfd_create("test", 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(file, "0123456789", 10), 10);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    io_fixture_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(file);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void stop(void)
{
    n_records = io_fixture_stop(records, sizeof records / sizeof *records);
}

/* The only record of an operation. */
static const struct record_io *only(enum io_op op)
{
    const struct record_io *found = NULL;
    for (size_t i = 0; i < n_records; i++) {
        if (records[i].tag != TRACE_IO || records[i].io.op != op)
            continue;
        assert_null(found);
        found = &records[i].io;
    }
    assert_non_null(found);
    return found;
}

struct wanted {
    enum io_op op;
    int fd;
    uint64_t requested;
    int64_t result;
    const void *buffer;
    int64_t detail;
};

static void expect(const struct wanted *wanted)
{
    const struct record_io *const io = only(wanted->op);
    assert_int_equal(io->fd, wanted->fd);
    assert_true(io->requested_bytes == wanted->requested);
    assert_true(io->result == wanted->result);
    assert_true(io->buffer == (uintptr_t)wanted->buffer);
    assert_true(io->detail == wanted->detail);
}

static void reads_say_what_was_asked_and_given(void **state)
{
    char other[8];
    const struct iovec vector[] = {{bytes, 4}, {other, 8}};
    (void)state;
    assert_int_equal(read(file, bytes, 3), 3);
    assert_int_equal(pread64(file, bytes, 64, 8), 2);
    assert_int_equal(readv(file, vector, 2), 7);
    assert_int_equal(preadv(file, vector, 2, 9), 1);
    assert_int_equal(preadv2(file, vector, 1, -1, 0), 0);
    stop();
    const struct wanted rows[] = {
        {IO_READ, file, 3, 3, bytes, 0},     {IO_PREAD, file, 64, 2, bytes, 8},
        {IO_READV, file, 12, 7, bytes, 0},   {IO_PREADV, file, 12, 1, bytes, 9},
        {IO_PREADV2, file, 4, 0, bytes, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(&rows[i]);
}

static void writes_say_what_was_asked_and_given(void **state)
{
    const struct iovec vector[] = {{bytes, 4}, {bytes, 8}};
    (void)state;
    assert_int_equal(write(file, bytes, 5), 5);
    assert_int_equal(__pwrite64(file, bytes, 6, 100), 6);
    assert_int_equal(writev(file, vector, 2), 12);
    assert_int_equal(pwritev64(file, vector, 2, 200), 12);
    assert_int_equal(pwritev2(file, vector, 1, 300, 0), 4);
    assert_int_equal(vmsplice(ends[1], vector, 1, 0), 4);
    stop();
    const struct wanted rows[] = {
        {IO_WRITE, file, 5, 5, bytes, 0},      {IO_PWRITE, file, 6, 6, bytes, 100},
        {IO_WRITEV, file, 12, 12, bytes, 0},   {IO_PWRITEV, file, 12, 12, bytes, 200},
        {IO_PWRITEV2, file, 4, 4, bytes, 300}, {IO_VMSPLICE, ends[1], 4, 4, bytes, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(&rows[i]);
}

/* The same function by all its names. */
static void aliases_and_checked_forms_count_as_well(void **state)
{
    (void)state;
    assert_int_equal(__read(file, bytes, 1), 1);
    assert_int_equal(__read_chk(file, bytes, 2, sizeof bytes), 2);
    assert_int_equal(__pread64_chk(file, bytes, 1, 0, sizeof bytes), 1);
    stop();
    assert_int_equal(n_records, 4); /* and what the descriptor is */
    assert_int_equal(records[0].tag, TRACE_FD_IS);
    assert_int_equal(records[1].io.op, IO_READ);
    assert_int_equal(records[2].io.op, IO_READ);
    assert_int_equal(records[3].io.op, IO_PREAD);
}

static void copies_name_both_ends(void **state)
{
    off_t from = 0, to = 50;
    (void)state;
    assert_int_equal(sendfile(ends[1], file, &from, 10), 10);
    assert_int_equal(tee(ends[0], ends[1], 5, SPLICE_F_NONBLOCK), -1); /* onto itself */
    assert_int_equal(splice(ends[0], NULL, file, &to, 4, 0), 4);
    copy_file_range(file, &from, file, &to, 1, 0);
    stop();
    const struct wanted rows[] = {
        {IO_SENDFILE, file, 10, 10, NULL, ends[1]},
        {IO_TEE, ends[0], 5, -EINVAL, NULL, ends[1]},
        {IO_SPLICE, ends[0], 4, 4, NULL, file},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(&rows[i]);
    assert_int_equal(only(IO_COPY_FILE_RANGE)->detail, file);
    size_t n_told = 0;
    for (size_t i = 0; i < n_records; i++)
        n_told += records[i].tag == TRACE_FD_IS;
    assert_int_equal(n_told, 3);
}

static void syncs_and_sizes_are_recorded(void **state)
{
    (void)state;
    assert_int_equal(fsync(file), 0);
    assert_int_equal(fdatasync(file), 0);
    assert_int_equal(sync_file_range(ends[0], 1, 2, 0), -1);
    assert_int_equal(msync(NULL, 4096, MS_SYNC), -1);
    assert_int_equal(lseek64(file, -3, SEEK_END), 7);
    assert_int_equal(ftruncate64(file, 5), 0);
    assert_int_equal(posix_fallocate(file, 3, 9), 0);
    errno = 77;
    assert_int_equal(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    assert_int_equal(errno, 77);
    stop();
    const struct wanted rows[] = {
        {IO_FSYNC, file, 0, 0, NULL, 0},
        {IO_FDATASYNC, file, 0, 0, NULL, 0},
        {IO_SYNC_FILE_RANGE, ends[0], 2, -ESPIPE, NULL, 1},
        {IO_MSYNC, -1, 4096, -ENOMEM, NULL, 0},
        {IO_LSEEK, file, SEEK_END, 7, NULL, 0},
        {IO_FTRUNCATE, file, 5, 0, NULL, 0},
        {IO_FALLOCATE, file, 9, 0, NULL, 3},
        {IO_FADVISE, ends[0], 0, -ESPIPE, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(&rows[i]);
}

static void failures_keep_errno_and_are_recorded(void **state)
{
    const struct iovec *volatile nowhere = (const struct iovec *)8;
    (void)state;
    errno = 0;
    assert_int_equal(read(-1, bytes, 1), -1);
    assert_int_equal(errno, EBADF);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    assert_int_equal(readv(ends[0], nowhere, 2), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(pread(ends[0], bytes, 1, 0), -1);
    assert_int_equal(errno, ESPIPE);
    stop();
    assert_int_equal(only(IO_READ)->result, -EBADF);
    assert_int_equal(only(IO_READV)->result, -EFAULT);
    assert_int_equal(only(IO_READV)->requested_bytes, 0);
    assert_int_equal(only(IO_PREAD)->result, -ESPIPE);
}

static void where_it_is_not_wanted_it_is_only_forwarded(void **state)
{
    (void)state;
    *session.fork_canary = SESSION_OURS;
    session.flags |= SESSION_NO_IO;
    assert_int_equal(read(file, bytes, 1), 1);
    session.flags &= ~(unsigned)SESSION_NO_IO;
    session_begin_internal();
    assert_int_equal(read(file, bytes, 1), 1);
    session_end_internal();
    thread_in_vfork = 1;
    assert_int_equal(read(file, bytes, 1), 1);
    thread_in_vfork = 0;
    stop();
    assert_int_equal(n_records, 0);
}

static void a_call_without_a_lane_is_lost_once(void **state)
{
    struct slot_memory *const slot = thread_state.slot;
    (void)state;
    thread_state.slot = NULL;
    thread_state.refused = true;
    io_fixture_n_refused = 0;
    assert_int_equal(read(file, bytes, 1), 1);
    assert_int_equal(io_fixture_n_refused, 1);
    thread_state.refused = false;
    thread_state.slot = slot;
    stop();
}

static void any_clock_will_do(void **state)
{
    (void)state;
    *session.fork_canary = SESSION_OURS;
    session.flags |= SESSION_CLOCK_MONOTONIC;
    assert_int_equal(read(file, bytes, 1), 1);
    session.flags |= SESSION_BORROWED_CLOCK;
    assert_int_equal(pread(file, bytes, 1, 0), 1);
    stop();
    assert_true(only(IO_READ)->took_ticks < 1000000000);
    assert_int_equal(only(IO_PREAD)->took_ticks, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(reads_say_what_was_asked_and_given),
        CASE(writes_say_what_was_asked_and_given),
        CASE(aliases_and_checked_forms_count_as_well),
        CASE(copies_name_both_ends),
        CASE(syncs_and_sizes_are_recorded),
        CASE(failures_keep_errno_and_are_recorded),
        CASE(where_it_is_not_wanted_it_is_only_forwarded),
        CASE(a_call_without_a_lane_is_lost_once),
        CASE(any_clock_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
