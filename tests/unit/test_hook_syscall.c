/* SPDX-License-Identifier: MIT */
/* What goes through syscall(2) is recorded as what goes through libc's functions. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/hook_syscall.h"
#include "preload/real.h"
#include "trace/io_ops.h"
#include "tests/support/io_fixture.h"

static struct record records[64];
static char bytes[64];
static long (*made)(long, ...);

/* As syscall() does: by the hook where there is one. */
#define CALL(number, ...)                                                                          \
    (made = (long (*)(long, ...))(uintptr_t)hook_syscall_of(number), assert_non_null(made),        \
     made((long)(number), __VA_ARGS__, 0L, 0L, 0L, 0L))

static int start(void **state)
{
    (void)state;
    io_fixture_start();
    real.syscall_jump = syscall;
    return 0;
}

static void each_shape_is_told_in_its_terms(void **state)
{
    struct iovec vector[] = {{bytes, 4}, {bytes, 5}};
    (void)state;
    const long file = CALL(SYS_memfd_create, (long)"memory", 0L);
    assert_int_equal(CALL(SYS_write, file, (long)bytes, 10L), 10);
    assert_int_equal(CALL(SYS_pread64, file, (long)bytes, 20L, 4L), 6);
    assert_int_equal(CALL(SYS_writev, file, (long)vector, 2L), 9);
    assert_int_equal(CALL(SYS_lseek, file, 3L, (long)SEEK_SET), 3);
    assert_int_equal(CALL(SYS_sendfile, file, file, 0L, 0L), 0);
    assert_int_equal(CALL(SYS_fsync, file), 0);
    const long other = CALL(SYS_dup, file);
    assert_int_equal(CALL(SYS_openat, (long)AT_FDCWD, (long)"/none", 0L), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(CALL(SYS_close, other), 0);
    assert_int_equal(CALL(SYS_close_range, file, file, 0L), 0);
    assert_int_equal(io_fixture_stop(records, 64), 12);
    assert_int_equal(records[0].path_call.op, IO_MEMFD);
    assert_true(io_fixture_text_is(&records[0].path_call.path, "memory"));
    assert_int_equal(records[1].tag, TRACE_FD_IS);
    static const struct {
        enum io_op op;
        uint64_t requested;
        int64_t result;
        bool has_buffer;
    } rows[] = {
        {IO_WRITE, 10, 10, true},       {IO_PREAD, 20, 6, true},    {IO_WRITEV, 9, 9, true},
        {IO_LSEEK, SEEK_SET, 3, false}, {IO_SENDFILE, 0, 0, false}, {IO_FSYNC, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record_io *const io = &records[2 + i].io;
        assert_int_equal(io->op, rows[i].op);
        assert_true(io->fd == file && io->requested_bytes == rows[i].requested);
        assert_true(io->result == rows[i].result);
        assert_true((io->buffer == (uintptr_t)bytes) == rows[i].has_buffer);
    }
    assert_int_equal(records[3].io.detail, 4);
    assert_int_equal(records[6].io.detail, file);
    assert_int_equal(records[8].fd_new.op, IO_DUP);
    assert_true(records[8].fd_new.fd == other && records[8].fd_new.other_fd == file);
    assert_int_equal(records[9].path_call.result, -ENOENT);
    assert_true(io_fixture_text_is(&records[9].path_call.path, "/none"));
    assert_int_equal(records[10].fd_close.first, other);
    assert_int_equal(records[11].fd_close.last, file);
}

static void rings_of_requests_are_noticed(void **state)
{
    static char parameters[256];
    (void)state;
    const long ring = CALL(SYS_io_uring_setup, 4L, (long)parameters);
    const size_t n = io_fixture_stop(records, 64);
    if (ring < 0)
        skip(); /* forbidden or absent here */
    assert_int_equal(n, 1);
    assert_int_equal(records[0].fd_new.op, IO_IO_URING);
    assert_int_equal(records[0].fd_new.fd, ring);
    close((int)ring);
}

static void other_calls_are_left_alone(void **state)
{
    static const long numbers[] = {SYS_getpid, SYS_futex, SYS_ioctl, -1, 100000, SYS_clone};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_null(hook_syscall_of(numbers[i]));
    io_fixture_stop(records, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_shape_is_told_in_its_terms, start),
        cmocka_unit_test_setup(rings_of_requests_are_noticed, start),
        cmocka_unit_test_setup(other_calls_are_left_alone, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
