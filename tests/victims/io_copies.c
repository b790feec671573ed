/* SPDX-License-Identifier: MIT */
/* 8192 bytes copied inside the kernel by each of its calls. */
#include "io_victim.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

enum { BYTES = 8192 };
static char bytes[BYTES];

SITE static void send_file(int from, int to)
{
    off_t at = 0;
    MUST(sendfile(to, from, &at, BYTES) == BYTES);
    MUST(lseek(from, 0, SEEK_SET) == 0);
    MUST(sendfile(to, from, NULL, BYTES) == BYTES);
    MUST(sendfile(to, from, NULL, BYTES) == 0);
}

SITE static void copy_range(int from, int to)
{
    off_t at = 0;
    MUST(copy_file_range(from, &at, to, NULL, BYTES, 0) == BYTES);
}

SITE static void through_pipes(int from, int to)
{
    int first[2], second[2];
    off_t at = 0;
    MUST(pipe(first) == 0 && pipe2(second, O_CLOEXEC) == 0);
    MUST(splice(from, &at, first[1], NULL, BYTES, 0) == BYTES);
    MUST(tee(first[0], second[1], BYTES, 0) == BYTES);
    MUST(splice(first[0], NULL, to, NULL, BYTES, 0) == BYTES);
    struct iovec piece = {bytes, 100};
    MUST(vmsplice(first[1], &piece, 1, 0) == 100);
    for (int i = 0; i < 2; i++)
        MUST(close(first[i]) == 0 && close(second[i]) == 0);
}

int main(void)
{
    const int from = io_file("io_copies.from"), to = io_file("io_copies.to");
    MUST(write(from, bytes, BYTES) == BYTES);
    send_file(from, to);
    copy_range(from, to);
    through_pipes(from, to);
    MUST(close(from) == 0 && close(to) == 0);
    expect_io("send_file", "syscall.sendfile", 3, 2 * BYTES);
    expect_io("copy_range", "syscall.copy_file_range", 1, BYTES);
    expect_io("through_pipes", "syscall.splice", 2, 2 * BYTES);
    expect_io("through_pipes", "syscall.tee", 1, BYTES);
    expect_io("through_pipes", "syscall.vmsplice", 1, 100);
    return 0;
}
