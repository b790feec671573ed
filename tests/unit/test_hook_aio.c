/* SPDX-License-Identifier: MIT */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace/io_ops.h"
#include "tests/support/io_fixture.h"

static struct record records[16];
static char bytes[64];

/* Wait for one and take its result. */
static ssize_t finish(struct aiocb *control)
{
    const struct aiocb *const all[] = {control};
    while (aio_error(control) == EINPROGRESS)
        aio_suspend(all, 1, NULL);
    return aio_return(control);
}

static void a_transfer_is_recorded_when_its_result_is_taken(void **state)
{
    (void)state;
    const int file = memfd_create("test", 0);
    struct aiocb control = {
        .aio_fildes = file, .aio_buf = bytes, .aio_nbytes = 50, .aio_offset = 100};
    io_fixture_start();
    assert_int_equal(aio_write(&control), 0);
    assert_int_equal(finish(&control), 50);
    control.aio_nbytes = 64;
    assert_int_equal(aio_read(&control), 0);
    assert_int_equal(finish(&control), 50);
    assert_int_equal(aio_fsync(O_SYNC, &control), 0);
    assert_int_equal(finish(&control), 0);
    assert_int_equal(io_fixture_stop(records, 16), 4);
    assert_int_equal(records[0].tag, TRACE_FD_IS);
    const struct record_io *const io = &records[1].io;
    assert_int_equal(io->op, IO_AIO_WRITE);
    assert_true(io->fd == file && io->requested_bytes == 50 && io->result == 50);
    assert_true(io->buffer == (uintptr_t)bytes && io->detail == 100 && io->took_ticks == 0);
    assert_int_equal(records[2].io.op, IO_AIO_READ);
    assert_true(records[2].io.requested_bytes == 64 && records[2].io.result == 50);
    assert_int_equal(records[3].io.op, IO_AIO_FSYNC);
    assert_int_equal(records[3].io.result, 0);
    close(file);
}

static void a_refused_one_says_why(void **state)
{
    struct aiocb control = {.aio_fildes = -1, .aio_buf = bytes, .aio_nbytes = 5};
    (void)state;
    io_fixture_start();
    if (aio_read(&control) == 0)
        assert_int_equal(finish(&control), -1);
    else
        assert_int_equal(finish(&control), -1);
    assert_int_equal(io_fixture_stop(records, 16), 1);
    assert_int_equal(records[0].io.result, -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_is_recorded_when_its_result_is_taken),
        cmocka_unit_test(a_refused_one_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
