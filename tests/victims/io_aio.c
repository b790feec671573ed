/* SPDX-License-Identifier: MIT */
/* 10 asynchronous writes and reads of 1000 bytes, and one to make them durable. */
#include "io_victim.h"

#include <aio.h>
#include <errno.h>

static char bytes[1000];

static ssize_t finish(struct aiocb *request)
{
    const struct aiocb *const list[] = {request};
    while (aio_error(request) == EINPROGRESS)
        aio_suspend(list, 1, NULL);
    return aio_return(request);
}

SITE static void writes_later(int fd)
{
    for (int i = 0; i < 10; i++) {
        struct aiocb request = {
            .aio_fildes = fd, .aio_buf = bytes, .aio_nbytes = sizeof bytes, .aio_offset = i * 1000};
        MUST(aio_write(&request) == 0 && finish(&request) == 1000);
    }
}

SITE static void reads_later(int fd)
{
    for (int i = 0; i < 10; i++) {
        struct aiocb request = {
            .aio_fildes = fd, .aio_buf = bytes, .aio_nbytes = sizeof bytes, .aio_offset = i * 1000};
        MUST(aio_read(&request) == 0 && finish(&request) == 1000);
    }
}

int main(void)
{
    const int fd = io_file("io_aio");
    writes_later(fd);
    reads_later(fd);
    MUST(close(fd) == 0);
    expect("", "io_write_bytes", 10000);
    expect("", "io_read_bytes", 10000);
    expect("", "io_calls", 20);
    return 0;
}
