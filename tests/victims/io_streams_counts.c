/* SPDX-License-Identifier: MIT */
/* What io_streams.cpp must be found to have done. */
#include "io_victim.h"

void io_streams_expect(void);
const char *io_streams_path(void);

const char *io_streams_path(void)
{
    return io_path("io_streams");
}

void io_streams_expect(void)
{
    expect("writes_lines", "syscall.bytes", 55000);
    expect("reads_lines", "syscall.bytes", 55000);
}
