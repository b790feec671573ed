/* SPDX-License-Identifier: MIT */
/* How the trace file is kept from ending in the middle: blocks are allocated ahead of the bytes
 * (fallocate with KEEP_SIZE), so a full disk is met while there is still room for an orderly end.
 *
 *   0 .......... n_bytes ......... n_bytes + admitted + reserve ..... allocated_bytes
 *   |  written   |  asked for      |  for the end of the trace        |  ahead, given back at close
 *
 * File systems without fallocate (NFS, FUSE) find out by a failed write; the file is then cut back
 * to its last whole frame, which makes the room. */
#include "collector/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum trace_file_tuning {
    RESERVE_BYTES = 256 * 1024,   /* symbols of a few thousand places, compressed */
    MIN_RESERVE_BYTES = 8 * 1024, /* all end marks of an ordinary run */
    END_RESERVE_BYTES = 4 * 1024, /* losses, clock, END */
    PLENTY_TIMES = 4,             /* as much free as a second file takes */
    AHEAD_BYTES = 1024 * 1024,    /* one fallocate per MiB is not seen in a profile */
};

static uint64_t limit_of(const struct trace_file *file)
{
    const struct trace_file_limits *limits = &file->limits;
    return limits->max_bytes < limits->file_limit_bytes ? limits->max_bytes
                                                        : limits->file_limit_bytes;
}

/* Have blocks up to `end`, better AHEAD_BYTES more. */
static int allocate_to(struct trace_file *file, uint64_t end)
{
    if (!file->allocates || end <= file->allocated_bytes)
        return 0;
    const uint64_t from = file->allocated_bytes;
    uint64_t ahead = AHEAD_BYTES;
    for (;;) {
        if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(end + ahead - from)) ==
            0) {
            file->allocated_bytes = end + ahead;
            return 0;
        }
        if (errno == EINTR)
            continue;
        if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) {
            file->allocates = false; /* cannot be asked; write(2) will tell */
            return 0;
        }
        if (ahead == 0)
            return -errno;
        ahead = ahead > 65536 ? ahead / 4 : 0;
    }
}

/* Choose the largest reserve that limits and disk allow. */
static int take_reserve(struct trace_file *file)
{
    const uint64_t limit = limit_of(file);
    uint64_t reserve = RESERVE_BYTES;
    while (reserve > MIN_RESERVE_BYTES && reserve > limit / 8)
        reserve /= 2;
    if (limit < 2 * reserve)
        return -EFBIG;
    for (;;) {
        const int error = allocate_to(file, 2 * reserve);
        if (error == 0)
            break;
        if (reserve <= MIN_RESERVE_BYTES)
            return error;
        reserve /= 2;
    }
    file->reserve_bytes = reserve;
    return 0;
}

/* Open for writing. Returns a descriptor or a negative errno. */
static int open_path(const char *path, bool chosen, bool *created_out)
{
    /* O_NONBLOCK: a FIFO without a reader must fail, not hang. */
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags | O_EXCL, 0600);
    if (fd < 0 && errno == EEXIST && !chosen && unlink(path) == 0)
        fd = open(path, flags | O_EXCL, 0600);
    *created_out = fd >= 0;
    if (fd < 0 && chosen)
        fd = open(path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

/* A file that was there before may have company: more names, a link in its place, another owner, rights
 * or attributes beyond its mode. A second file would not have them. */
static bool is_alone(int fd, int folder_fd, const char *name)
{
    struct stat status, named;
    return fstat(fd, &status) == 0 && fstatat(folder_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_dev == status.st_dev && named.st_ino == status.st_ino && status.st_nlink == 1 &&
           status.st_uid == geteuid() && flistxattr(fd, NULL, 0) <= 0 &&
           faccessat(folder_fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* Keep the folder of a file that may be replaced. Returns -1 where it may not. */
static int open_folder(const struct trace_file *file, const char *path)
{
    char folder[PATH_MAX];
    const char *const slash = strrchr(path, '/');
    const size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (!file->regular || limit_of(file) != UINT64_MAX || n >= sizeof folder)
        return -1;
    memcpy(folder, path, n);
    folder[n] = 0;
    const int fd = open(n ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || file->created || is_alone(file->fd, fd, path + n))
        return fd;
    close(fd);
    return -1;
}

int trace_file_open(struct trace_file *file, const char *path, bool chosen,
                    const struct trace_file_limits *limits)
{
    bool created;
    const int fd = open_path(path, chosen, &created);
    if (fd < 0)
        return fd;
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    const bool regular = S_ISREG(status.st_mode);
    struct trace_file opened = {.fd = fd,
                                .folder_fd = -1,
                                .regular = regular,
                                .created = created,
                                .allocates = regular,
                                .limits = *limits};
    const int error = take_reserve(&opened);
    if (error) {
        trace_file_discard(&opened, path);
        return error;
    }
    opened.folder_fd = open_folder(&opened, path);
    *file = opened;
    return 0;
}

void trace_file_discard(struct trace_file *file, const char *path)
{
    if (file->fd < 0)
        return;
    if (file->regular && ftruncate(file->fd, 0) == 0)
        file->n_bytes = file->allocated_bytes = 0;
    if (file->created)
        unlink(path);
    trace_file_close(file);
}

uint64_t trace_file_room(const struct trace_file *file)
{
    struct statvfs disk;
    uint64_t room = limit_of(file);
    if (file->regular && fstatvfs(file->fd, &disk) == 0) {
        const uint64_t n_free = (uint64_t)disk.f_bavail * disk.f_frsize + file->allocated_bytes;
        room = n_free < room ? n_free : room;
    }
    return room;
}

bool trace_file_has_plenty(const struct trace_file *file, uint64_t n_more_bytes)
{
    struct statvfs disk;
    if (file->folder_fd < 0 || fstatvfs(file->fd, &disk))
        return false;
    const uint64_t n_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    return n_free / PLENTY_TIMES >= file->n_bytes + n_more_bytes;
}

int trace_file_admit(struct trace_file *file, size_t n_bytes)
{
    const uint64_t end = file->n_bytes + n_bytes + file->reserve_bytes;
    if (end > limit_of(file))
        return -EFBIG;
    return allocate_to(file, end);
}

int trace_file_write(struct trace_file *file, const void *bytes, size_t n_bytes)
{
    const char *at = bytes;
    while (n_bytes > 0) {
        const ssize_t n = write(file->fd, at, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += n;
        n_bytes -= (size_t)n;
        file->n_bytes += (uint64_t)n;
    }
    return 0;
}

void trace_file_mark_whole(struct trace_file *file)
{
    file->n_whole_bytes = file->n_bytes;
}

int trace_file_cut_to_whole(struct trace_file *file)
{
    const off_t end = (off_t)file->n_whole_bytes;
    if (!file->regular)
        return -ESPIPE;
    if (ftruncate(file->fd, end) || lseek(file->fd, end, SEEK_SET) < 0)
        return -errno;
    file->n_bytes = file->n_whole_bytes;
    if (file->allocated_bytes > file->n_bytes)
        file->allocated_bytes = file->n_bytes;
    return 0;
}

void trace_file_release_reserve(struct trace_file *file)
{
    file->reserve_bytes = file->reserve_bytes > END_RESERVE_BYTES ? END_RESERVE_BYTES : 0;
}

enum trace_stop_reason trace_file_stop_reason(const struct trace_file *file, int error)
{
    if (error == -ENOSPC || error == -EDQUOT)
        return TRACE_STOP_NO_SPACE;
    if (error != -EFBIG)
        return TRACE_STOP_IO_ERROR;
    return file->limits.max_bytes <= file->limits.file_limit_bytes &&
                   file->limits.max_bytes != UINT64_MAX
               ? TRACE_STOP_MAX_SIZE
               : TRACE_STOP_FILE_LIMIT;
}

int trace_file_close(struct trace_file *file)
{
    if (file->fd < 0)
        return 0;
    /* Truncating to the size it has frees nothing on some file systems (xfs); from one more it does. */
    if (file->allocated_bytes > file->n_bytes &&
        ftruncate(file->fd, (off_t)file->n_bytes + 1) == 0 &&
        ftruncate(file->fd, (off_t)file->n_bytes))
        return -errno;
    const int error = close(file->fd) ? -errno : 0;
    if (file->folder_fd >= 0)
        close(file->folder_fd);
    file->fd = file->folder_fd = -1;
    return error;
}
