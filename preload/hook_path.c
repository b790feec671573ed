/* SPDX-License-Identifier: MIT */
/* Hooks of what asks about files and changes their names, by path; and of the working folder, which
 * relative paths begin at.
 *
 * Programs built for glibc before 2.33 ask by __xstat and its like. Of a renaming the record has the old
 * name. fstat asks by descriptor: a call like fsync. */
#include "preload/folder.h"
#include "preload/io_call.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IO_ALIAS(name) IO_EXPORT __attribute__((alias(name)))

/* This libc's headers do not declare them. */
IO_EXPORT int __xstat(int version, const char *path, struct stat *status_out);
IO_EXPORT int __xstat64(int version, const char *path, struct stat *status_out);
IO_EXPORT int __lxstat(int version, const char *path, struct stat *status_out);
IO_EXPORT int __lxstat64(int version, const char *path, struct stat *status_out);
IO_EXPORT int __fxstat(int version, int fd, struct stat *status_out);
IO_EXPORT int __fxstat64(int version, int fd, struct stat *status_out);
IO_EXPORT int __fxstatat(int version, int folder, const char *path, struct stat *status_out,
                         int flags);
IO_EXPORT int __fxstatat64(int version, int folder, const char *path, struct stat *status_out,
                           int flags);
IO_EXPORT ssize_t __readlink_chk(const char *path, char *target, size_t n_bytes, size_t n_room);
IO_EXPORT ssize_t __readlinkat_chk(int folder, const char *path, char *target, size_t n_bytes,
                                   size_t n_room);

/* ---- what a file is ---- */

IO_ALIAS("stat") int stat64(const char *path, struct stat64 *status_out);
IO_EXPORT int stat(const char *path, struct stat *status_out)
{
    IO_PATH(int, IO_STAT, AT_FDCWD, path, real.stat(path, status_out));
}

IO_ALIAS("lstat") int lstat64(const char *path, struct stat64 *status_out);
IO_EXPORT int lstat(const char *path, struct stat *status_out)
{
    IO_PATH(int, IO_STAT, AT_FDCWD, path, real.lstat(path, status_out));
}

IO_ALIAS("fstatat")
int fstatat64(int folder, const char *path, struct stat64 *status_out, int flags);
IO_EXPORT int fstatat(int folder, const char *path, struct stat *status_out, int flags)
{
    IO_PATH(int, IO_STAT, folder, path, real.fstatat(folder, path, status_out, flags));
}

IO_EXPORT int statx(int folder, const char *path, int flags, unsigned mask,
                    struct statx *status_out)
{
    IO_PATH(int, IO_STATX, folder, path, real.statx(folder, path, flags, mask, status_out));
}

IO_ALIAS("__xstat") int __xstat64(int version, const char *path, struct stat *status_out);
IO_EXPORT int __xstat(int version, const char *path, struct stat *status_out)
{
    IO_PATH(int, IO_STAT, AT_FDCWD, path, real.__xstat(version, path, status_out));
}

IO_ALIAS("__lxstat") int __lxstat64(int version, const char *path, struct stat *status_out);
IO_EXPORT int __lxstat(int version, const char *path, struct stat *status_out)
{
    IO_PATH(int, IO_STAT, AT_FDCWD, path, real.__lxstat(version, path, status_out));
}

IO_ALIAS("__fxstatat")
int __fxstatat64(int version, int folder, const char *path, struct stat *status_out, int flags);
IO_EXPORT int __fxstatat(int version, int folder, const char *path, struct stat *status_out,
                         int flags)
{
    IO_PATH(int, IO_STAT, folder, path, real.__fxstatat(version, folder, path, status_out, flags));
}

/* No transfer: what the descriptor leads to need not be told for it. */
IO_ALIAS("fstat") int fstat64(int fd, struct stat64 *status_out);
IO_EXPORT int fstat(int fd, struct stat *status_out)
{
    IO_BODY(int, io_begin(), IO_FSTAT, fd, real.fstat(fd, status_out), io_result(result), );
}

IO_ALIAS("__fxstat") int __fxstat64(int version, int fd, struct stat *status_out);
IO_EXPORT int __fxstat(int version, int fd, struct stat *status_out)
{
    IO_BODY(int, io_begin(), IO_FSTAT, fd, real.__fxstat(version, fd, status_out),
            io_result(result), );
}

IO_EXPORT int access(const char *path, int mode)
{
    IO_PATH(int, IO_ACCESS, AT_FDCWD, path, real.access(path, mode));
}

IO_ALIAS("euidaccess") int eaccess(const char *path, int mode);
IO_EXPORT int euidaccess(const char *path, int mode)
{
    IO_PATH(int, IO_ACCESS, AT_FDCWD, path, real.euidaccess(path, mode));
}

IO_EXPORT int faccessat(int folder, const char *path, int mode, int flags)
{
    IO_PATH(int, IO_ACCESS, folder, path, real.faccessat(folder, path, mode, flags));
}

/* ---- names ---- */

IO_EXPORT int rename(const char *path, const char *new_path)
{
    IO_PATH(int, IO_RENAME, AT_FDCWD, path, real.rename(path, new_path));
}

IO_EXPORT int renameat(int folder, const char *path, int new_folder, const char *new_path)
{
    IO_PATH(int, IO_RENAME, folder, path, real.renameat(folder, path, new_folder, new_path));
}

IO_EXPORT int renameat2(int folder, const char *path, int new_folder, const char *new_path,
                        unsigned flags)
{
    IO_PATH(int, IO_RENAME, folder, path,
            real.renameat2(folder, path, new_folder, new_path, flags));
}

IO_EXPORT int unlink(const char *path)
{
    IO_PATH(int, IO_UNLINK, AT_FDCWD, path, real.unlink(path));
}

IO_EXPORT int unlinkat(int folder, const char *path, int flags)
{
    IO_PATH(int, IO_UNLINK, folder, path, real.unlinkat(folder, path, flags));
}

IO_EXPORT int remove(const char *path)
{
    IO_PATH(int, IO_UNLINK, AT_FDCWD, path, real.remove(path));
}

IO_EXPORT ssize_t readlink(const char *path, char *target, size_t n_bytes)
{
    IO_PATH(ssize_t, IO_READLINK, AT_FDCWD, path, real.readlink(path, target, n_bytes));
}

IO_EXPORT ssize_t __readlink_chk(const char *path, char *target, size_t n_bytes, size_t n_room)
{
    IO_PATH(ssize_t, IO_READLINK, AT_FDCWD, path,
            real.__readlink_chk(path, target, n_bytes, n_room));
}

IO_EXPORT ssize_t readlinkat(int folder, const char *path, char *target, size_t n_bytes)
{
    IO_PATH(ssize_t, IO_READLINK, folder, path, real.readlinkat(folder, path, target, n_bytes));
}

IO_EXPORT ssize_t __readlinkat_chk(int folder, const char *path, char *target, size_t n_bytes,
                                   size_t n_room)
{
    IO_PATH(ssize_t, IO_READLINK, folder, path,
            real.__readlinkat_chk(folder, path, target, n_bytes, n_room));
}

IO_ALIAS("truncate") int truncate64(const char *path, off_t n_bytes);
IO_EXPORT int truncate(const char *path, off_t n_bytes)
{
    IO_PATH(int, IO_TRUNCATE, AT_FDCWD, path, real.truncate(path, n_bytes));
}

/* ---- the working folder ---- */

IO_EXPORT int chdir(const char *path)
{
    const uint64_t began = io_begin();
    const int result = real.chdir(path);
    if (began && result == 0)
        folder_moved();
    return result;
}

IO_EXPORT int fchdir(int fd)
{
    const uint64_t began = io_begin();
    const int result = real.fchdir(fd);
    if (began && result == 0)
        folder_moved();
    return result;
}
