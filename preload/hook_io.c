/* SPDX-License-Identifier: MIT */
/* Hooks of what moves bytes, positions and sizes by descriptor: reads and writes in all forms, copies inside
 * the kernel, what waits for a device.
 *
 * off_t has 64 bits here, so a function and its 64 are one by two names, as in libc. The checked forms are
 * libc's own: they abort as it does. */
#include "preload/io_call.h"
#include "preload/io_vector.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define IO_ALIAS(name) IO_EXPORT __attribute__((alias(name)))

/* Not declared by this libc's headers, or only to fortified programs. */
IO_EXPORT ssize_t __read_chk(int fd, void *buffer, size_t n_bytes, size_t n_room);
IO_EXPORT ssize_t __pread_chk(int fd, void *buffer, size_t n_bytes, off_t offset, size_t n_room);
IO_EXPORT ssize_t __pread64_chk(int fd, void *buffer, size_t n_bytes, off_t offset, size_t n_room);

/* ---- reads ---- */

IO_ALIAS("read") ssize_t __read(int fd, void *buffer, size_t n_bytes);
IO_EXPORT ssize_t read(int fd, void *buffer, size_t n_bytes)
{
    IO_CALL(ssize_t, IO_READ, fd, real.read(fd, buffer, n_bytes), .requested_bytes = n_bytes,
            .buffer = buffer);
}

IO_EXPORT ssize_t __read_chk(int fd, void *buffer, size_t n_bytes, size_t n_room)
{
    IO_CALL(ssize_t, IO_READ, fd, real.__read_chk(fd, buffer, n_bytes, n_room),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_ALIAS("pread") ssize_t pread64(int fd, void *buffer, size_t n_bytes, off_t offset);
IO_ALIAS("pread") ssize_t __pread64(int fd, void *buffer, size_t n_bytes, off_t offset);
IO_EXPORT ssize_t pread(int fd, void *buffer, size_t n_bytes, off_t offset)
{
    IO_CALL(ssize_t, IO_PREAD, fd, real.pread(fd, buffer, n_bytes, offset),
            .requested_bytes = n_bytes, .buffer = buffer, .detail = offset);
}

IO_ALIAS("__pread_chk")
ssize_t __pread64_chk(int fd, void *buffer, size_t n_bytes, off_t offset, size_t n_room);
IO_EXPORT ssize_t __pread_chk(int fd, void *buffer, size_t n_bytes, off_t offset, size_t n_room)
{
    IO_CALL(ssize_t, IO_PREAD, fd, real.__pread_chk(fd, buffer, n_bytes, offset, n_room),
            .requested_bytes = n_bytes, .buffer = buffer, .detail = offset);
}

IO_EXPORT ssize_t readv(int fd, const struct iovec *vector, int n)
{
    IO_CALL(ssize_t, IO_READV, fd, real.readv(fd, vector, n), IO_VECTOR(vector, n, result));
}

IO_ALIAS("preadv") ssize_t preadv64(int fd, const struct iovec *vector, int n, off_t offset);
IO_EXPORT ssize_t preadv(int fd, const struct iovec *vector, int n, off_t offset)
{
    IO_CALL(ssize_t, IO_PREADV, fd, real.preadv(fd, vector, n, offset),
            IO_VECTOR(vector, n, result), .detail = offset);
}

IO_ALIAS("preadv2")
ssize_t preadv64v2(int fd, const struct iovec *vector, int n, off_t offset, int flags);
IO_EXPORT ssize_t preadv2(int fd, const struct iovec *vector, int n, off_t offset, int flags)
{
    IO_CALL(ssize_t, IO_PREADV2, fd, real.preadv2(fd, vector, n, offset, flags),
            IO_VECTOR(vector, n, result), .detail = offset);
}

/* ---- writes ---- */

IO_ALIAS("write") ssize_t __write(int fd, const void *buffer, size_t n_bytes);
IO_EXPORT ssize_t write(int fd, const void *buffer, size_t n_bytes)
{
    IO_CALL(ssize_t, IO_WRITE, fd, real.write(fd, buffer, n_bytes), .requested_bytes = n_bytes,
            .buffer = buffer);
}

IO_ALIAS("pwrite") ssize_t pwrite64(int fd, const void *buffer, size_t n_bytes, off_t offset);
IO_ALIAS("pwrite") ssize_t __pwrite64(int fd, const void *buffer, size_t n_bytes, off_t offset);
IO_EXPORT ssize_t pwrite(int fd, const void *buffer, size_t n_bytes, off_t offset)
{
    IO_CALL(ssize_t, IO_PWRITE, fd, real.pwrite(fd, buffer, n_bytes, offset),
            .requested_bytes = n_bytes, .buffer = buffer, .detail = offset);
}

IO_EXPORT ssize_t writev(int fd, const struct iovec *vector, int n)
{
    IO_CALL(ssize_t, IO_WRITEV, fd, real.writev(fd, vector, n), IO_VECTOR(vector, n, result));
}

IO_ALIAS("pwritev") ssize_t pwritev64(int fd, const struct iovec *vector, int n, off_t offset);
IO_EXPORT ssize_t pwritev(int fd, const struct iovec *vector, int n, off_t offset)
{
    IO_CALL(ssize_t, IO_PWRITEV, fd, real.pwritev(fd, vector, n, offset),
            IO_VECTOR(vector, n, result), .detail = offset);
}

IO_ALIAS("pwritev2")
ssize_t pwritev64v2(int fd, const struct iovec *vector, int n, off_t offset, int flags);
IO_EXPORT ssize_t pwritev2(int fd, const struct iovec *vector, int n, off_t offset, int flags)
{
    IO_CALL(ssize_t, IO_PWRITEV2, fd, real.pwritev2(fd, vector, n, offset, flags),
            IO_VECTOR(vector, n, result), .detail = offset);
}

IO_EXPORT ssize_t vmsplice(int fd, const struct iovec *vector, size_t n, unsigned flags)
{
    IO_CALL(ssize_t, IO_VMSPLICE, fd, real.vmsplice(fd, vector, n, flags),
            IO_VECTOR(vector, n, result));
}

/* ---- copies inside the kernel: from fd to the descriptor in detail ---- */

IO_ALIAS("sendfile") ssize_t sendfile64(int to, int from, off_t *offset, size_t n_bytes);
IO_EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t n_bytes)
{
    IO_COPY(IO_SENDFILE, from, to, n_bytes, real.sendfile(to, from, offset, n_bytes));
}

IO_EXPORT ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset,
                                  size_t n_bytes, unsigned flags)
{
    IO_COPY(IO_COPY_FILE_RANGE, from, to, n_bytes,
            real.copy_file_range(from, from_offset, to, to_offset, n_bytes, flags));
}

IO_EXPORT ssize_t splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t n_bytes,
                         unsigned flags)
{
    IO_COPY(IO_SPLICE, from, to, n_bytes,
            real.splice(from, from_offset, to, to_offset, n_bytes, flags));
}

IO_EXPORT ssize_t tee(int from, int to, size_t n_bytes, unsigned flags)
{
    IO_COPY(IO_TEE, from, to, n_bytes, real.tee(from, to, n_bytes, flags));
}

/* ---- waiting for a device ---- */

IO_EXPORT int fsync(int fd)
{
    IO_CALL(int, IO_FSYNC, fd, real.fsync(fd), );
}

IO_EXPORT int fdatasync(int fd)
{
    IO_CALL(int, IO_FDATASYNC, fd, real.fdatasync(fd), );
}

IO_EXPORT int syncfs(int fd)
{
    IO_CALL(int, IO_SYNCFS, fd, real.syncfs(fd), );
}

IO_EXPORT int sync_file_range(int fd, off_t offset, off_t n_bytes, unsigned flags)
{
    IO_CALL(int, IO_SYNC_FILE_RANGE, fd, real.sync_file_range(fd, offset, n_bytes, flags),
            .requested_bytes = (uint64_t)n_bytes, .detail = offset);
}

IO_EXPORT int msync(void *address, size_t n_bytes, int flags)
{
    IO_CALL(int, IO_MSYNC, -1, real.msync(address, n_bytes, flags), .requested_bytes = n_bytes,
            .buffer = address);
}

IO_EXPORT void sync(void)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    real.sync();
    if (began)
        io_record(&(struct event_io){.op = IO_SYNC, .fd = -1, .began = began}, &caller);
}

/* ---- positions and sizes ---- */

IO_ALIAS("lseek") off_t __lseek(int fd, off_t offset, int whence);
IO_ALIAS("lseek") off_t lseek64(int fd, off_t offset, int whence);
IO_ALIAS("lseek") off_t llseek(int fd, off_t offset, int whence);
IO_EXPORT off_t lseek(int fd, off_t offset, int whence)
{
    IO_CALL(off_t, IO_LSEEK, fd, real.lseek(fd, offset, whence),
            .requested_bytes = (unsigned)whence);
}

IO_ALIAS("ftruncate") int ftruncate64(int fd, off_t n_bytes);
IO_EXPORT int ftruncate(int fd, off_t n_bytes)
{
    IO_CALL(int, IO_FTRUNCATE, fd, real.ftruncate(fd, n_bytes),
            .requested_bytes = (uint64_t)n_bytes);
}

IO_ALIAS("fallocate") int fallocate64(int fd, int mode, off_t offset, off_t n_bytes);
IO_EXPORT int fallocate(int fd, int mode, off_t offset, off_t n_bytes)
{
    IO_CALL(int, IO_FALLOCATE, fd, real.fallocate(fd, mode, offset, n_bytes),
            .requested_bytes = (uint64_t)n_bytes, .detail = offset);
}

IO_EXPORT ssize_t readahead(int fd, off_t offset, size_t n_bytes)
{
    IO_CALL(ssize_t, IO_READAHEAD, fd, real.readahead(fd, offset, n_bytes),
            .requested_bytes = n_bytes, .detail = offset);
}

/* These two return the error itself and leave errno alone. */

IO_ALIAS("posix_fallocate") int posix_fallocate64(int fd, off_t offset, off_t n_bytes);
IO_EXPORT int posix_fallocate(int fd, off_t offset, off_t n_bytes)
{
    IO_ERROR(IO_FALLOCATE, fd, real.posix_fallocate(fd, offset, n_bytes),
             .requested_bytes = (uint64_t)n_bytes, .detail = offset);
}

IO_ALIAS("posix_fadvise") int posix_fadvise64(int fd, off_t offset, off_t n_bytes, int advice);
IO_EXPORT int posix_fadvise(int fd, off_t offset, off_t n_bytes, int advice)
{
    IO_ERROR(IO_FADVISE, fd, real.posix_fadvise(fd, offset, n_bytes, advice),
             .requested_bytes = (uint64_t)n_bytes, .detail = offset);
}
