/* SPDX-License-Identifier: MIT */
/* How the kernel's rules are kept: what a call counts as, and when it is left out. */
#include "reader/io_kernel.h"

#include <errno.h>
#include <stddef.h>

#include "trace/io_ops.h"

/* When a call that may be counted is not. */
enum leaves_out {
    NOTHING,         /* vectored calls: counted after all checks, whatever they said */
    NO_FILE,         /* no such descriptor, or not open that way */
    NO_FILE_OR_SEEK, /* likewise, and positional calls where there are no positions */
    NEGATIVE,        /* a position below 0 */
    ALL_BUT_MOVED,   /* anything but bytes moved */
};

static const struct {
    bool reads, writes;
    enum leaves_out leaves_out;
} rules[IO_N_OPS] = {
    [IO_READ] = {true, false, NO_FILE},
    [IO_READV] = {true, false, NOTHING},
    [IO_PREAD] = {true, false, NO_FILE_OR_SEEK},
    [IO_PREADV] = {true, false, NEGATIVE},
    [IO_PREADV2] = {true, false, NOTHING},
    [IO_AIO_READ] = {true, false, NO_FILE_OR_SEEK},
    [IO_WRITE] = {false, true, NO_FILE},
    [IO_WRITEV] = {false, true, NOTHING},
    [IO_PWRITE] = {false, true, NO_FILE_OR_SEEK},
    [IO_PWRITEV] = {false, true, NEGATIVE},
    [IO_PWRITEV2] = {false, true, NOTHING},
    [IO_AIO_WRITE] = {false, true, NO_FILE_OR_SEEK},
    [IO_SENDFILE] = {true, true, NO_FILE_OR_SEEK},
    [IO_COPY_FILE_RANGE] = {true, true, ALL_BUT_MOVED},
};

static bool is_left_out(enum leaves_out rule, const struct record_io *io)
{
    switch (rule) {
    case NOTHING: return false;
    case NO_FILE: return io->result == -EBADF;
    case NO_FILE_OR_SEEK:
        return io->result == -EBADF || io->result == -ESPIPE ||
               (io->result == -EINVAL && io->detail < 0);
    case NEGATIVE: return io->result == -EINVAL && io->detail < 0;
    case ALL_BUT_MOVED: return io->result <= 0;
    }
    return false;
}

struct io_kernel_counted io_kernel_counts(const struct record_io *io)
{
    if (io->op >= IO_N_OPS || is_left_out(rules[io->op].leaves_out, io))
        return (struct io_kernel_counted){.reads = false};
    return (struct io_kernel_counted){.reads = rules[io->op].reads, .writes = rules[io->op].writes};
}
