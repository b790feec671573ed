/* SPDX-License-Identifier: MIT */
/* 100 writes of 7 bytes, 50 reads of 14, vectors of 3 pieces, positional ones, one refused, one at the end of the file. */
#include "io_victim.h"

#include <errno.h>
#include <sys/uio.h>

static char bytes[64];

static struct iovec three[3] = {{bytes, 5}, {bytes + 5, 0}, {bytes + 5, 6}};

SITE static void write_some(int fd)
{
    for (int i = 0; i < 100; i++)
        MUST(write(fd, bytes, 7) == 7);
}

SITE static void read_all(int fd)
{
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 50; i++)
        MUST(read(fd, bytes, 14) == 14);
    MUST(read(fd, bytes, 14) == 0);
}

SITE static void vectors(int fd)
{
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 10; i++)
        MUST(writev(fd, three, 3) == 11);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 20; i++)
        MUST(readv(fd, three, 3) == 11);
}

SITE static void positional(int fd)
{
    for (int i = 0; i < 30; i++)
        MUST(pwrite(fd, bytes, 8, 100 * i) == 8);
    for (int i = 0; i < 15; i++)
        MUST(pread(fd, bytes, 8, 200 * i) == 8);
    MUST(pwritev(fd, three, 3, 64) == 11);
    MUST(preadv(fd, three, 3, 64) == 11);
    MUST(pwritev2(fd, three, 3, 128, 0) == 11);
    MUST(preadv2(fd, three, 3, 128, 0) == 11);
}

SITE static void refused(void)
{
    errno = 0;
    MUST(read(-1, bytes, 8) == -1 && errno == EBADF);
    MUST(write(12345, bytes, 8) == -1 && errno == EBADF);
    volatile int negative = -1;
    MUST(readv(0, three, negative) == -1 && errno == EINVAL);
    char *volatile nowhere = (char *)16;
    const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    MUST(read(fd, nowhere, 8) == -1 && errno == EFAULT);
    MUST(writev(fd, (struct iovec *)nowhere, 3) == -1);
    MUST(close(fd) == 0);
}

int main(void)
{
    const int fd = io_file("io_fd");
    write_some(fd);
    read_all(fd);
    vectors(fd);
    positional(fd);
    refused();
    MUST(close(fd) == 0);
    expect_io("write_some", "syscall.write", 100, 700);
    expect_io("read_all", "syscall.read", 51, 700);
    expect("read_all", "syscall.read.empty", 1);
    expect_io("vectors", "syscall.writev", 10, 110);
    expect_io("vectors", "syscall.readv", 20, 220);
    expect_io("positional", "syscall.pwrite64", 30, 240);
    expect_io("positional", "syscall.pread64", 15, 120);
    expect_io("positional", "syscall.pwritev", 1, 11);
    expect_io("positional", "syscall.preadv", 1, 11);
    expect_io("positional", "syscall.pwritev2", 1, 11);
    expect_io("positional", "syscall.preadv2", 1, 11);
    expect_io("refused", "syscall.read", 2, 0);
    expect("refused", "syscall.read.failed", 2);
    expect_io("refused", "syscall.write", 1, 0);
    expect_io("refused", "syscall.readv", 1, 0);
    expect_io("refused", "syscall.writev", 1, 0);
    return 0;
}
