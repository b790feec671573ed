/* SPDX-License-Identifier: MIT */
/* Descriptors come and go by every function that opens, duplicates and closes; files are asked about, renamed, removed;
 * positions moved, lengths changed, data made durable. */
#include "io_victim.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

static char bytes[4096];

SITE static void opens(void)
{
    const char *const path = io_path("io_names");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    MUST(fd >= 0 && close(fd) == 0);
    fd = creat(path, 0600);
    MUST(fd >= 0 && close(fd) == 0);
    for (int i = 0; i < 10; i++) {
        fd = openat(AT_FDCWD, path, O_RDONLY);
        MUST(fd >= 0 && close(fd) == 0);
    }
    for (int i = 0; i < 3; i++)
        MUST(open("/nonexistent/file", O_RDONLY) == -1 && errno == ENOENT);
}

SITE static void same_number_again(void)
{
    const int fd = io_file("io_names.first");
    MUST(write(fd, bytes, 100) == 100);
    const int copy = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    MUST(high >= 200 && close(fd) == 0);
    MUST(write(copy, bytes, 100) == 100 && write(high, bytes, 100) == 100);
    const int other = io_file("io_names.second");
    MUST(other == fd && write(other, bytes, 10) == 10);
    MUST(dup2(other, copy) == copy && write(copy, bytes, 10) == 10);
    MUST(dup3(other, high, O_CLOEXEC) == high && write(high, bytes, 10) == 10);
    MUST(close(other) == 0 && close(copy) == 0 && close(high) == 0);
}

SITE static void asks(void)
{
    struct stat facts;
    const char *const path = io_path("io_names");
    for (int i = 0; i < 20; i++)
        MUST(stat(path, &facts) == 0);
    MUST(lstat(path, &facts) == 0 && fstatat(AT_FDCWD, path, &facts, 0) == 0);
    struct statx more;
    MUST(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &more) == 0);
    const int fd = open(path, O_RDONLY);
    MUST(fstat(fd, &facts) == 0 && close(fd) == 0);
    MUST(access(path, R_OK) == 0 && faccessat(AT_FDCWD, path, R_OK, 0) == 0);
    MUST(stat("/nonexistent/file", &facts) == -1);
}

SITE static void moves(void)
{
    const int fd = io_file("io_names.moved");
    MUST(ftruncate(fd, 10000) == 0 && posix_fallocate(fd, 0, 4096) == 0);
    for (int i = 0; i < 25; i++)
        MUST(lseek(fd, i * 100, SEEK_SET) == i * 100 && write(fd, bytes, 10) == 10);
    MUST(close(fd) == 0);
}

SITE static void makes_durable(void)
{
    const int fd = io_file("io_names.durable");
    for (int i = 0; i < 4; i++)
        MUST(write(fd, bytes, 512) == 512 && fdatasync(fd) == 0);
    MUST(fsync(fd) == 0 && syncfs(fd) == 0 &&
         sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0);
    MUST(close(fd) == 0);
}

int main(void)
{
    opens();
    same_number_again();
    asks();
    moves();
    makes_durable();
    MUST(rename(io_path("io_names"), io_path("io_names.renamed")) == 0);
    MUST(unlink(io_path("io_names.renamed")) == 0);
    expect_io("same_number_again", "syscall.write", 6, 330);
    expect_io("moves", "syscall.write", 25, 250);
    expect_io("makes_durable", "syscall.write", 4, 2048);
    expect_io("makes_durable", "syscall.fdatasync", 4, 0);
    expect_io("makes_durable", "syscall.fsync", 1, 0);
    expect_io("makes_durable", "syscall.syncfs", 1, 0);
    expect_io("makes_durable", "syscall.sync_file_range", 1, 0);
    expect("", "fsync_count", 7);
    expect("", "seek_count", 25);
    /* opens 15, io_file 4, asks 1; one more makes the file of these counts. */
    expect("", "open_count", 21);
    expect("", "stat_count", 27);
    return 0;
}
