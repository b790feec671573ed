/* SPDX-License-Identifier: MIT */
/* Compiled with -O2 -D_FORTIFY_SOURCE=2 and lengths the compiler cannot know, so that the checking forms are called: __read_chk,
 * __pread64_chk, __recv_chk, __fread_chk, __fgets_chk, __fprintf_chk, __dprintf_chk, __open64_2. 20 calls of each. */
#include "io_victim.h"

#include <sys/socket.h>

static char bytes[4096];
static volatile size_t ten = 10;
static volatile int reading = O_RDONLY;

SITE static void checked_reads(void)
{
    const int fd = open(io_path("io_fortified"), reading);
    MUST(fd >= 0);
    for (int i = 0; i < 20; i++) {
        MUST(read(fd, bytes, ten) == 10);
        MUST(pread(fd, bytes, ten, 5) == 10);
    }
    MUST(close(fd) == 0);
}

SITE static void checked_receives(void)
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    for (int i = 0; i < 20; i++) {
        MUST(send(pair[0], bytes, ten, 0) == 10);
        MUST(recv(pair[1], bytes, ten, 0) == 10);
    }
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
}

SITE static void checked_streams(void)
{
    FILE *const stream = fopen(io_path("io_fortified"), "r");
    MUST(stream);
    for (int i = 0; i < 20; i++) {
        MUST(fread(bytes, 1, ten, stream) == 10);
        MUST(fgets(bytes, (int)ten, stream));
    }
    MUST(fclose(stream) == 0);
}

SITE static void checked_prints(const char *format)
{
    const int fd = io_file("io_fortified.prints");
    FILE *const stream = fdopen(fd, "w");
    MUST(stream);
    for (int i = 0; i < 20; i++) {
        MUST(fprintf(stream, format, i % 10) == 2 && fflush(stream) == 0);
        MUST(dprintf(fd, format, i % 10) == 2);
    }
    MUST(fclose(stream) == 0);
}

int main(int n_arguments, char **arguments)
{
    const int fd = io_file("io_fortified");
    memset(bytes, 'a', sizeof bytes);
    MUST(write(fd, bytes, sizeof bytes) == sizeof bytes && close(fd) == 0);
    checked_reads();
    checked_receives();
    checked_streams();
    checked_prints(n_arguments > 5 ? arguments[1] : "%d\n");
    expect_io("checked_reads", "syscall.read", 20, 200);
    expect_io("checked_reads", "syscall.pread64", 20, 200);
    expect_io("checked_receives", "syscall.recvfrom", 20, 200);
    expect_io("checked_receives", "syscall.sendto", 20, 200);
    expect_io("checked_streams", "stdio.read", 1, 4096);
    expect_io("checked_prints", "stdio.write", 40, 80);
    return 0;
}
