/* SPDX-License-Identifier: MIT */
/* Which calls the kernel counts in /proc/PID/io.
 *
 * Measured on Linux 6.18 by reading the file around each call, and in accord with fs/read_write.c: a
 * read or write is counted once it reached the file, whatever came of it; a vectored one in any case,
 * also of no open descriptor; sendfile on both sides; copy_file_range on both where it moved something;
 * send, recv, splice, tee, vmsplice never. */
#ifndef HEAPWISE_READER_IO_KERNEL_H
#define HEAPWISE_READER_IO_KERNEL_H

#include <stdbool.h>

#include "trace/record.h"

struct io_kernel_counted {
    bool reads, writes;
};

/* Whether the kernel counted a call as a read, as a write. */
struct io_kernel_counted io_kernel_counts(const struct record_io *io);

#endif
