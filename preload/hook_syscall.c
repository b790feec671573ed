/* SPDX-License-Identifier: MIT */
/* How I/O by syscall(2) is recorded: a table says what the arguments of a number mean, and one hook does them
 * all. Offsets of the vectored calls come in two halves, of which x86-64 uses the first. */
#include "preload/hook_syscall.h"

#include <sys/syscall.h>

#include "preload/io_call.h"
#include "preload/io_vector.h"

enum shape {
    SHAPE_NONE,
    SHAPE_FD,        /* (fd) */
    SHAPE_BYTES,     /* (fd, buffer, n_bytes {, offset}) */
    SHAPE_VECTOR,    /* (fd, vector, n {, offset}) */
    SHAPE_SEEK,      /* (fd, offset, whence) */
    SHAPE_COPY,      /* (from, offset, to, offset, n_bytes, flags) */
    SHAPE_SENDFILE,  /* (to, from, offset, n_bytes) */
    SHAPE_PATH,      /* (path, ...) */
    SHAPE_PATH_AT,   /* (folder, path, ...) */
    SHAPE_NEW,       /* gives a descriptor without a path */
    SHAPE_DUPLICATE, /* (fd, ...), likewise */
    SHAPE_CLOSE,     /* (fd) */
    SHAPE_CLOSE_RANGE,
};

static const struct call {
    uint8_t op, shape;
    bool has_offset;
} calls[] = {
    [SYS_read] = {IO_READ, SHAPE_BYTES, false},
    [SYS_write] = {IO_WRITE, SHAPE_BYTES, false},
    [SYS_pread64] = {IO_PREAD, SHAPE_BYTES, true},
    [SYS_pwrite64] = {IO_PWRITE, SHAPE_BYTES, true},
    [SYS_readv] = {IO_READV, SHAPE_VECTOR, false},
    [SYS_writev] = {IO_WRITEV, SHAPE_VECTOR, false},
    [SYS_preadv] = {IO_PREADV, SHAPE_VECTOR, true},
    [SYS_pwritev] = {IO_PWRITEV, SHAPE_VECTOR, true},
    [SYS_preadv2] = {IO_PREADV2, SHAPE_VECTOR, true},
    [SYS_pwritev2] = {IO_PWRITEV2, SHAPE_VECTOR, true},
    [SYS_vmsplice] = {IO_VMSPLICE, SHAPE_VECTOR, false},
    [SYS_sendto] = {IO_SENDTO, SHAPE_BYTES, false},
    [SYS_recvfrom] = {IO_RECVFROM, SHAPE_BYTES, false},
    [SYS_copy_file_range] = {IO_COPY_FILE_RANGE, SHAPE_COPY, false},
    [SYS_splice] = {IO_SPLICE, SHAPE_COPY, false},
    [SYS_sendfile] = {IO_SENDFILE, SHAPE_SENDFILE, false},
    [SYS_fsync] = {IO_FSYNC, SHAPE_FD, false},
    [SYS_fdatasync] = {IO_FDATASYNC, SHAPE_FD, false},
    [SYS_syncfs] = {IO_SYNCFS, SHAPE_FD, false},
    [SYS_lseek] = {IO_LSEEK, SHAPE_SEEK, false},
    [SYS_open] = {IO_OPEN, SHAPE_PATH, false},
    [SYS_openat] = {IO_OPEN, SHAPE_PATH_AT, false},
    [SYS_openat2] = {IO_OPEN, SHAPE_PATH_AT, false},
    [SYS_memfd_create] = {IO_MEMFD, SHAPE_PATH, false},
    [SYS_stat] = {IO_STAT, SHAPE_PATH, false},
    [SYS_lstat] = {IO_STAT, SHAPE_PATH, false},
    [SYS_newfstatat] = {IO_STAT, SHAPE_PATH_AT, false},
    [SYS_statx] = {IO_STATX, SHAPE_PATH_AT, false},
    [SYS_renameat2] = {IO_RENAME, SHAPE_PATH_AT, false},
    [SYS_unlinkat] = {IO_UNLINK, SHAPE_PATH_AT, false},
    [SYS_io_uring_setup] = {IO_IO_URING, SHAPE_NEW, false},
    [SYS_eventfd2] = {IO_EVENTFD, SHAPE_NEW, false},
    [SYS_dup] = {IO_DUP, SHAPE_DUPLICATE, false},
    [SYS_dup2] = {IO_DUP, SHAPE_DUPLICATE, false},
    [SYS_dup3] = {IO_DUP, SHAPE_DUPLICATE, false},
    [SYS_close] = {0, SHAPE_CLOSE, false},
    [SYS_close_range] = {0, SHAPE_CLOSE_RANGE, false},
};

/* A call with all that syscall(2) takes. */
struct raw {
    long number, arguments[6];
};

static void describe_transfer(const struct raw *raw, const struct call *call, struct event_io *io,
                              ssize_t result)
{
    const long *const a = raw->arguments;
    io->fd = (int)a[0];
    io->detail = call->has_offset ? a[3] : 0;
    if (call->shape == SHAPE_BYTES) {
        io->requested_bytes = (uint64_t)a[2];
        io->buffer = (const void *)a[1];
    } else if (call->shape == SHAPE_VECTOR) {
        const struct iovec *const vector = (const struct iovec *)a[1];
        io->requested_bytes = io_vector_bytes(vector, (size_t)a[2], result);
        io->buffer = io_vector_buffer(vector, (size_t)a[2], result);
    } else if (call->shape == SHAPE_SEEK) {
        io->requested_bytes = (unsigned)a[2];
    } else if (call->shape == SHAPE_COPY) {
        io->requested_bytes = (uint64_t)a[4];
        io->detail = (int)a[2];
    } else if (call->shape == SHAPE_SENDFILE) {
        io->fd = (int)a[1];
        io->requested_bytes = (uint64_t)a[3];
        io->detail = (int)a[0];
    }
}

static void record(const struct raw *raw, const struct call *call, uint64_t began, long result,
                   const struct arch_frame *caller)
{
    const long *const a = raw->arguments;
    const bool is_at = call->shape == SHAPE_PATH_AT;
    switch (call->shape) {
    case SHAPE_PATH:
    case SHAPE_PATH_AT: {
        const struct event_path_call path_call = {.op = call->op,
                                                  .folder_fd = is_at ? (int)a[0] : AT_FDCWD,
                                                  .began = began,
                                                  .result = io_result(result),
                                                  .path = (const char *)a[is_at]};
        io_record_path(&path_call, caller);
        break;
    }
    case SHAPE_NEW: io_record_new(call->op, (int)result, -1, caller); break;
    case SHAPE_DUPLICATE: io_record_new(call->op, (int)result, (int)a[0], caller); break;
    case SHAPE_CLOSE:
    case SHAPE_CLOSE_RANGE: break;
    default: {
        struct event_io io = {.op = call->op, .began = began, .result = io_result(result)};
        describe_transfer(raw, call, &io, result);
        io_record(&io, caller);
    }
    }
}

/* What has to be told before the call. */
static uint64_t begin(const struct raw *raw, const struct call *call)
{
    const long *const a = raw->arguments;
    switch (call->shape) {
    case SHAPE_COPY: return io_begin_on_two((int)a[0], (int)a[2]);
    case SHAPE_SENDFILE: return io_begin_on_two((int)a[1], (int)a[0]);
    case SHAPE_FD:
    case SHAPE_BYTES:
    case SHAPE_VECTOR:
    case SHAPE_SEEK: return io_begin_on((int)a[0]);
    default: return io_begin();
    }
}

static void record_closing(const struct raw *raw, const struct call *call)
{
    const long *const a = raw->arguments;
    if (call->shape == SHAPE_CLOSE && (int)a[0] >= 0)
        io_record_closing((unsigned)a[0], (unsigned)a[0]);
    else if (call->shape == SHAPE_CLOSE_RANGE && !(a[2] & CLOSE_RANGE_CLOEXEC))
        io_record_closing((unsigned)a[0], (unsigned)a[1]);
}

/* syscall() jumps here, so our caller is its caller. */
static long hook(long number, long a, long b, long c, long d, long e, long f)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct call *const call = &calls[number];
    const struct raw raw = {.number = number, .arguments = {a, b, c, d, e, f}};
    const uint64_t began = begin(&raw, call);
    if (began)
        record_closing(&raw, call);
    const long result = real.syscall_jump(number, a, b, c, d, e, f);
    if (began)
        record(&raw, call, began, result, &caller);
    return result;
}

void *hook_syscall_of(long number)
{
    const bool is_io = number >= 0 && (size_t)number < sizeof calls / sizeof *calls &&
                       calls[number].shape != SHAPE_NONE;
    return is_io ? (void *)(uintptr_t)hook : NULL;
}
