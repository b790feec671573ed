/* SPDX-License-Identifier: MIT */
/* Hooks of what makes and closes descriptors: open by path in all forms, the calls that give one without a
 * path, duplicates, and closing.
 *
 * An opening is recorded after it succeeded, a closing before it is forwarded, so that no other thread can
 * be given the number in between and be recorded first. An open that fails is recorded as well. */
#include "preload/io_call.h"

#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define IO_ALIAS(name) IO_EXPORT __attribute__((alias(name)))

/* Declared to fortified programs only, or not at all. */
IO_EXPORT int __open_2(const char *path, int flags);
IO_EXPORT int __open64_2(const char *path, int flags);
IO_EXPORT int __openat_2(int folder, const char *path, int flags);
IO_EXPORT int __openat64_2(int folder, const char *path, int flags);

/* The mode is there only where a file may be made. */
#define TAKE_MODE(mode, flags)                                                                     \
    mode_t mode = 0;                                                                               \
    if (__OPEN_NEEDS_MODE(flags)) {                                                                \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }

/* ---- by path ---- */

IO_ALIAS("open") int __open(const char *path, int flags, ...);
IO_ALIAS("open") int open64(const char *path, int flags, ...);
IO_ALIAS("open") int __open64(const char *path, int flags, ...);
IO_EXPORT int open(const char *path, int flags, ...)
{
    TAKE_MODE(mode, flags);
    IO_PATH(int, IO_OPEN, AT_FDCWD, path, real.open(path, flags, mode));
}

IO_ALIAS("__open_2") int __open64_2(const char *path, int flags);
IO_EXPORT int __open_2(const char *path, int flags)
{
    IO_PATH(int, IO_OPEN, AT_FDCWD, path, real.__open_2(path, flags));
}

IO_ALIAS("openat") int openat64(int folder, const char *path, int flags, ...);
IO_EXPORT int openat(int folder, const char *path, int flags, ...)
{
    TAKE_MODE(mode, flags);
    IO_PATH(int, IO_OPEN, folder, path, real.openat(folder, path, flags, mode));
}

IO_ALIAS("__openat_2") int __openat64_2(int folder, const char *path, int flags);
IO_EXPORT int __openat_2(int folder, const char *path, int flags)
{
    IO_PATH(int, IO_OPEN, folder, path, real.__openat_2(folder, path, flags));
}

IO_ALIAS("creat") int creat64(const char *path, mode_t mode);
IO_EXPORT int creat(const char *path, mode_t mode)
{
    IO_PATH(int, IO_OPEN, AT_FDCWD, path, real.creat(path, mode));
}

IO_EXPORT int open_by_handle_at(int mount_fd, struct file_handle *handle, int flags)
{
    IO_PATH(int, IO_OPEN, mount_fd, "", real.open_by_handle_at(mount_fd, handle, flags));
}

IO_EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
    IO_PATH(int, IO_OPEN, AT_FDCWD, name, real.shm_open(name, flags, mode));
}

IO_EXPORT int memfd_create(const char *name, unsigned flags)
{
    IO_PATH(int, IO_MEMFD, AT_FDCWD, name, real.memfd_create(name, flags));
}

/* The template holds the name that was found. */

IO_ALIAS("mkstemp") int mkstemp64(char *template);
IO_EXPORT int mkstemp(char *template)
{
    IO_PATH(int, IO_MKSTEMP, AT_FDCWD, template, real.mkstemp(template));
}

IO_ALIAS("mkostemp") int mkostemp64(char *template, int flags);
IO_EXPORT int mkostemp(char *template, int flags)
{
    IO_PATH(int, IO_MKSTEMP, AT_FDCWD, template, real.mkostemp(template, flags));
}

IO_ALIAS("mkstemps") int mkstemps64(char *template, int n_suffix);
IO_EXPORT int mkstemps(char *template, int n_suffix)
{
    IO_PATH(int, IO_MKSTEMP, AT_FDCWD, template, real.mkstemps(template, n_suffix));
}

IO_ALIAS("mkostemps") int mkostemps64(char *template, int n_suffix, int flags);
IO_EXPORT int mkostemps(char *template, int n_suffix, int flags)
{
    IO_PATH(int, IO_MKSTEMP, AT_FDCWD, template, real.mkostemps(template, n_suffix, flags));
}

IO_EXPORT int posix_openpt(int flags)
{
    IO_PATH(int, IO_OPEN, AT_FDCWD, "/dev/ptmx", real.posix_openpt(flags));
}

/* Two by one call; what the second is called is told before its first transfer. */
IO_EXPORT int openpty(int *master_out, int *slave_out, char *name_out,
                      const struct termios *attributes, const struct winsize *size)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    const int result = real.openpty(master_out, slave_out, name_out, attributes, size);
    if (!began || result != 0)
        return result;
    struct event_path_call call = {.op = IO_OPEN, .folder_fd = AT_FDCWD, .began = began};
    call.path = "/dev/ptmx";
    call.result = *master_out;
    io_record_path(&call, &caller);
    call.path = "";
    call.result = *slave_out;
    io_record_path(&call, &caller);
    return result;
}

IO_EXPORT DIR *opendir(const char *path)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    DIR *const folder = real.opendir(path);
    if (began)
        io_record_path(&(struct event_path_call){.op = IO_OPENDIR,
                                                 .folder_fd = AT_FDCWD,
                                                 .began = began,
                                                 .result = folder ? dirfd(folder) : -errno,
                                                 .path = path},
                       &caller);
    return folder;
}

/* ---- without a path ---- */

IO_ALIAS("pipe") int __pipe(int fds[2]);
IO_EXPORT int pipe(int fds[2])
{
    IO_PAIR(IO_PIPE, fds, real.pipe(fds));
}

IO_EXPORT int pipe2(int fds[2], int flags)
{
    IO_PAIR(IO_PIPE, fds, real.pipe2(fds, flags));
}

IO_EXPORT int eventfd(unsigned count, int flags)
{
    IO_NEW(IO_EVENTFD, -1, real.eventfd(count, flags));
}

IO_EXPORT int epoll_create(int size)
{
    IO_NEW(IO_EPOLL, -1, real.epoll_create(size));
}

IO_EXPORT int epoll_create1(int flags)
{
    IO_NEW(IO_EPOLL, -1, real.epoll_create1(flags));
}

IO_EXPORT int timerfd_create(clockid_t clock, int flags)
{
    IO_NEW(IO_TIMERFD, -1, real.timerfd_create(clock, flags));
}

IO_EXPORT int inotify_init(void)
{
    IO_NEW(IO_INOTIFY, -1, real.inotify_init());
}

IO_EXPORT int inotify_init1(int flags)
{
    IO_NEW(IO_INOTIFY, -1, real.inotify_init1(flags));
}

/* Makes one only where none is given. */
IO_EXPORT int signalfd(int fd, const sigset_t *mask, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    const int result = real.signalfd(fd, mask, flags);
    if (began && fd == -1)
        io_record_new(IO_SIGNALFD, result, -1, &caller);
    return result;
}

/* ---- duplicates ---- */

IO_EXPORT int dup(int fd)
{
    IO_NEW(IO_DUP, fd, real.dup(fd));
}

/* Onto itself it changes nothing. */
IO_ALIAS("dup2") int __dup2(int fd, int other);
IO_EXPORT int dup2(int fd, int other)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    const int result = real.dup2(fd, other);
    if (began && fd != other)
        io_record_new(IO_DUP, result, fd, &caller);
    return result;
}

IO_EXPORT int dup3(int fd, int other, int flags)
{
    IO_NEW(IO_DUP, fd, real.dup3(fd, other, flags));
}

/* Of fcntl's commands these two duplicate, and F_SETFL can make a file append: that is told anew. */
IO_ALIAS("fcntl") int __fcntl(int fd, int command, ...);
IO_ALIAS("fcntl") int fcntl64(int fd, int command, ...);
IO_EXPORT int fcntl(int fd, int command, ...)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    va_list more;
    va_start(more, command);
    const uintptr_t argument = va_arg(more, uintptr_t); /* or nothing: then whatever is there */
    va_end(more);
    const uint64_t began = io_begin();
    const int result = real.fcntl(fd, command, argument);
    if (!began || result < 0)
        return result;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        io_record_new(IO_DUP, result, fd, &caller);
    else if (command == F_SETFL && (argument & O_APPEND))
        identity_forget(fd);
    return result;
}

/* ---- closing ---- */

IO_ALIAS("close") int __close(int fd);
IO_EXPORT int close(int fd)
{
    if (io_begin() && fd >= 0)
        io_record_closing((unsigned)fd, (unsigned)fd);
    return real.close(fd);
}

IO_EXPORT void closefrom(int first)
{
    if (io_begin())
        io_record_closing(first < 0 ? 0 : (unsigned)first, UINT32_MAX);
    real.closefrom(first);
}

IO_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    if (io_begin() && !(flags & CLOSE_RANGE_CLOEXEC))
        io_record_closing(first, last);
    return real.close_range(first, last, flags);
}

IO_EXPORT int closedir(DIR *folder)
{
    const int fd = io_begin() && folder ? dirfd(folder) : -1;
    if (fd >= 0)
        io_record_closing((unsigned)fd, (unsigned)fd);
    return real.closedir(folder);
}
