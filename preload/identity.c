/* SPDX-License-Identifier: MIT */
/* How a descriptor's identity is found: fstat says what kind of thing it is, /proc/self/fd what it is called,
 * and sockets are asked for their addresses (socket_name.c). Without /proc, as after chroot, a file
 * has no name here, and the reader keeps the one it was opened by. */
#include "preload/identity.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/event_io.h"
#include "preload/number.h"
#include "preload/session.h"
#include "preload/socket_name.h"
#include "preload/syscalls.h"

_Static_assert(sizeof((struct lane *)NULL)->pcs > TRACE_MAX_TEXT_BYTES, "holds a name");

void identity_forget_range(uint32_t first, uint32_t last)
{
    if (last >= IDENTITY_BITS)
        last = IDENTITY_BITS - 1;
    for (uint32_t word = first / 64; first <= last && word <= last / 64; word++) {
        uint64_t bits = UINT64_MAX;
        if (word == first / 64)
            bits &= UINT64_MAX << (first % 64);
        if (word == last / 64)
            bits &= UINT64_MAX >> (63 - last % 64);
        if (atomic_load_explicit(&session.told[word], memory_order_relaxed) & bits)
            atomic_fetch_and_explicit(&session.told[word], ~bits, memory_order_relaxed);
    }
}

/* Tell whether it is ours to tell; marks it told. */
static bool claim(int fd)
{
    if ((unsigned)fd >= IDENTITY_BITS)
        return fd >= 0;
    const uint64_t bit = UINT64_C(1) << (fd % 64);
    return !(atomic_fetch_or_explicit(&session.told[fd / 64], bit, memory_order_relaxed) & bit);
}

static enum trace_fd_kind kind_of(const struct stat *status)
{
    static const struct {
        mode_t type;
        enum trace_fd_kind kind;
    } rows[] = {
        {S_IFREG, TRACE_FD_FILE},    {S_IFDIR, TRACE_FD_FOLDER}, {S_IFIFO, TRACE_FD_PIPE},
        {S_IFSOCK, TRACE_FD_SOCKET}, {S_IFBLK, TRACE_FD_BLOCK},  {S_IFCHR, TRACE_FD_CHARACTER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == (status->st_mode & S_IFMT))
            return rows[i].kind;
    return TRACE_FD_OTHER;
}

/* Majors of terminals: 4 and 5 are consoles, 136 to 143 pseudo-terminals. Asking by ioctl could do something
 * to a device of another kind. Source: Documentation/admin-guide/devices.txt. */
static bool is_terminal(const struct stat *status)
{
    const unsigned major = (unsigned)(status->st_rdev >> 8) & 0xfff;
    return major == 4 || major == 5 || (major >= 136 && major <= 143);
}

/* "/proc/self/fd/N" */
static void proc_path(char *path_out, int fd)
{
    static const char folder[] = "/proc/self/fd/";
    memcpy(path_out, folder, sizeof folder - 1);
    number_text(path_out + sizeof folder - 1, (unsigned)fd);
}

/* Of a file that has no name any more the kernel tells the last one, and that it is gone; the reader is
 * to know the file by the name it had. Source: Linux fs/d_path.c. */
static void drop_deleted(char *name, size_t n, const struct stat *status)
{
    static const char mark[] = " (deleted)";
    const size_t n_mark = sizeof mark - 1;
    if (status->st_nlink == 0 && n > n_mark && memcmp(name + n - n_mark, mark, n_mark) == 0)
        name[n - n_mark] = '\0';
}

static void read_name(int fd, const struct stat *status, char *name_out, size_t cap)
{
    char link[32];
    proc_path(link, fd);
    const long n = sys_readlink(link, name_out, cap - 1);
    name_out[n > 0 ? n : 0] = '\0';
    if (n > 0)
        drop_deleted(name_out, (size_t)n, status);
    else if (S_ISFIFO(status->st_mode)) {
        memcpy(name_out, "pipe:[", 6);
        char *const end = number_text(name_out + 6, status->st_ino);
        memcpy(end, "]", 2);
    }
}

/* Returns false where fd is not open. */
static bool identify(int fd, struct event_fd_is *is_out, char *name, size_t cap)
{
    struct stat status;
    if (arch_syscall(SYS_fstat, fd, &status) != 0)
        return false;
    enum trace_fd_kind kind = kind_of(&status);
    if (kind == TRACE_FD_CHARACTER && is_terminal(&status))
        kind = TRACE_FD_TERMINAL;
    if (kind == TRACE_FD_SOCKET)
        socket_name(fd, status.st_ino, name);
    else
        read_name(fd, &status, name, cap);
    const bool seeks = kind == TRACE_FD_FILE || kind == TRACE_FD_BLOCK;
    const long flags = arch_syscall(SYS_fcntl, fd, F_GETFL);
    const long offset = seeks ? arch_syscall(SYS_lseek, fd, 0, SEEK_CUR) : -1;
    *is_out = (struct event_fd_is){
        .fd = fd,
        .kind = (uint8_t)kind,
        .name = name,
        .flags = flags < 0 ? 0 : (uint32_t)flags,
        .offset_bytes = offset < 0 ? -1 : offset,
        .device = status.st_dev,
        .inode = status.st_ino,
        .size_bytes = status.st_size < 0 ? 0 : (uint64_t)status.st_size,
    };
    return true;
}

void identity_tell(int fd)
{
    struct event_fd_is is;
    if (atomic_load(&session.syscalls_risky) || !claim(fd))
        return;
    bool done = false;
    struct lane *const lane = session_enter();
    /* The lane's scratch: the caller may be on a signal stack of two pages. */
    if (lane && identify(fd, &is, (char *)lane->pcs, TRACE_MAX_TEXT_BYTES + 1))
        done = event_fd_is(lane, &is);
    session_leave(lane);
    if (!done)
        identity_forget(fd);
}
