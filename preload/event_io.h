/* SPDX-License-Identifier: MIT */
/* What was read, written, opened, closed -> one record in the thread's ring.
 *
 * As event.h; only the stamp is another: that of a call's end, taken first of all, so that what unwinding
 * takes is no part of the call. Texts and memory of the program are read here only where the kernel
 * has read them before us. */
#ifndef HEAPWISE_PRELOAD_EVENT_IO_H
#define HEAPWISE_PRELOAD_EVENT_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "preload/lane.h"
#include "trace/io_ops.h"
#include "trace/trace_format.h"

/* A call that ended just now. */
struct event_io {
    uint8_t op;               /* enum io_op */
    int32_t fd;               /* -1: none */
    uint64_t requested_bytes; /* of a seek: whence */
    int64_t result;           /* as the kernel gave it: -errno where it refused */
    const void *buffer;       /* only its address is of interest */
    int64_t detail;           /* positional: offset; copies: descriptor written to; stdio: calls */
    uint64_t began;           /* ticks before the call */
};

struct event_path_call {
    uint8_t op;
    int32_t folder_fd; /* AT_FDCWD: the working folder */
    int64_t result;    /* the new descriptor or 0; -errno */
    const char *path;  /* as the program gave it; read only where the result says that it can be */
    uint64_t began;
};

/* What a descriptor leads to. */
struct event_fd_is {
    int32_t fd;
    uint8_t kind; /* enum trace_fd_kind */
    const char *name;
    uint32_t flags;       /* as F_GETFL tells them */
    int64_t offset_bytes; /* -1: none */
    uint64_t device, inode, size_bytes;
};

struct event_kernel_io {
    uint64_t n_reads, n_writes, read_bytes, written_bytes;
};

/* TRACE_IO or TRACE_STDIO. */
void event_io(struct lane *lane, enum trace_tag tag, const struct event_io *io,
              const struct arch_frame *caller);

void event_path_call(struct lane *lane, const struct event_path_call *call,
                     const struct arch_frame *caller);

/* `other`: what fd was duplicated from or accepted on, or the pair's other end; -1 none. */
void event_fd_new(struct lane *lane, enum io_op op, int fd, int other,
                  const struct arch_frame *caller);

/* Returns false where the record was lost. */
bool event_fd_is(struct lane *lane, const struct event_fd_is *is);

/* Descriptors first..last are about to be closed; last may be UINT32_MAX. */
void event_fd_close(struct lane *lane, uint32_t first, uint32_t last);

void event_kernel_io(struct lane *lane, enum trace_kernel_io_moment moment,
                     const struct event_kernel_io *counts);

#endif
