/* SPDX-License-Identifier: MIT */
/* Which calls the kernel counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/io_kernel.h"
#include "trace/io_ops.h"

/* Each row was measured: /proc/self/io read before and after the call, on Linux 6.18. */
static void calls_count_as_the_kernel_counts_them(void **state)
{
    (void)state;
    static const struct {
        uint8_t op;
        int64_t result, detail;
        bool reads, writes;
    } rows[] = {
        {IO_READ, 10, 0, true, false},
        {IO_READ, 0, 0, true, false},
        {IO_READ, -EAGAIN, 0, true, false},
        {IO_READ, -EISDIR, 0, true, false},
        {IO_READ, -EFAULT, 0, true, false},
        {IO_READ, -EBADF, 0, false, false},
        {IO_READV, -EBADF, 0, true, false},
        {IO_READV, -EINVAL, 0, true, false},
        {IO_PREAD, 10, 5, true, false},
        {IO_PREAD, -ESPIPE, 5, false, false},
        {IO_PREAD, -EINVAL, -1, false, false},
        {IO_PREADV, -EBADF, 0, true, false},
        {IO_PREADV, -ESPIPE, 0, true, false},
        {IO_PREADV, -EINVAL, -5, false, false},
        {IO_PREADV2, 10, -1, true, false},
        {IO_PREADV2, -EOPNOTSUPP, 0, true, false},
        {IO_WRITE, 0, 0, false, true},
        {IO_WRITE, -EBADF, 0, false, false},
        {IO_WRITEV, -EBADF, 0, false, true},
        {IO_PWRITE, -ESPIPE, 0, false, false},
        {IO_RECVFROM, 10, 0, false, false},
        {IO_SENDTO, 10, 0, false, false},
        {IO_SENDFILE, 10, 4, true, true},
        {IO_SENDFILE, 0, 4, true, true},
        {IO_SENDFILE, -EBADF, 4, false, false},
        {IO_COPY_FILE_RANGE, 10, 4, true, true},
        {IO_COPY_FILE_RANGE, 0, 4, false, false},
        {IO_COPY_FILE_RANGE, -EINVAL, 4, false, false},
        {IO_SPLICE, 10, 4, false, false},
        {IO_TEE, 10, 4, false, false},
        {IO_VMSPLICE, 10, 0, false, false},
        {IO_FSYNC, 0, 0, false, false},
        {IO_LSEEK, 0, 0, false, false},
        {127, 10, 0, false, false},
        {255, 10, 0, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record_io io = {
            .op = rows[i].op, .result = rows[i].result, .detail = rows[i].detail};
        const struct io_kernel_counted counted = io_kernel_counts(&io);
        if (counted.reads != rows[i].reads || counted.writes != rows[i].writes)
            fail_msg("row %zu: op %u", i, rows[i].op);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_count_as_the_kernel_counts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
