/* SPDX-License-Identifier: MIT */
/* Hooks of POSIX aio. libc has the transfers made by threads of its own, which call pread64 and pwrite64
 * where no hook sees it; so one is recorded when its result is taken, at the stack that takes it. What nobody
 * asks the result of is not seen. How long it took is not known. */
#include "preload/io_call.h"

#include <aio.h>

#define IO_ALIAS(name) IO_EXPORT __attribute__((alias(name)))

/* glibc keeps there what was asked for; 128 marks the calls named 64. Source: glibc sysdeps/pthread/aio_misc.c. */
static enum io_op op_of(const struct aiocb *control)
{
    enum { LIO_64 = 128 };
    switch (control->aio_lio_opcode & ~LIO_64) {
    case LIO_READ: return IO_AIO_READ;
    case LIO_WRITE: return IO_AIO_WRITE;
    default: return IO_AIO_FSYNC;
    }
}

IO_ALIAS("aio_return") ssize_t aio_return64(struct aiocb64 *control);
IO_EXPORT ssize_t aio_return(struct aiocb *control)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    const ssize_t result = real.aio_return(control);
    if (!began || control->__error_code == EINPROGRESS)
        return result;
    if (!identity_is_told(control->aio_fildes))
        identity_tell(control->aio_fildes);
    const enum io_op op = op_of(control);
    const bool moves = op != IO_AIO_FSYNC;
    io_record(&(struct event_io){.op = (uint8_t)op,
                                 .fd = control->aio_fildes,
                                 .requested_bytes = moves ? control->aio_nbytes : 0,
                                 .result = result < 0 ? -control->__error_code : result,
                                 .buffer = moves ? (const void *)(uintptr_t)control->aio_buf : NULL,
                                 .detail = moves ? control->aio_offset : 0,
                                 .began = UINT64_MAX},
              &caller);
    return result;
}
