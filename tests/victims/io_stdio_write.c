/* SPDX-License-Identifier: MIT */
/* Functions of stdio that write, 1000 calls each on a stream of its own with the usual buffer of 4096 bytes: what reaches
 * the kernel is charged to the function that made the buffer full, or closed it. */
#include "io_victim.h"

#include <stdarg.h>

static FILE *open_stream(const char *name)
{
    FILE *const stream = fopen(io_path(name), "w");
    MUST(stream);
    return stream;
}

SITE static void by_fprintf(void)
{
    FILE *const stream = open_stream("io_stdio.fprintf");
    for (int i = 0; i < 1000; i++)
        MUST(fprintf(stream, "line %04d of this\n", i) == 18);
    MUST(fclose(stream) == 0);
}

SITE static void by_fputs(void)
{
    FILE *const stream = open_stream("io_stdio.fputs");
    for (int i = 0; i < 1000; i++)
        MUST(fputs("0123456789abcdef", stream) >= 0);
    MUST(fclose(stream) == 0);
}

SITE static void by_fwrite(void)
{
    static const char piece[100];
    FILE *const stream = open_stream("io_stdio.fwrite");
    for (int i = 0; i < 1000; i++)
        MUST(fwrite(piece, 1, sizeof piece, stream) == sizeof piece);
    MUST(fclose(stream) == 0);
}

SITE static void by_putc_unlocked(void)
{
    FILE *const stream = open_stream("io_stdio.putc");
    for (int i = 0; i < 10000; i++)
        MUST(putc_unlocked('x', stream) == 'x');
    MUST(fclose(stream) == 0);
}

SITE static void by_flush(void)
{
    FILE *const stream = open_stream("io_stdio.flush");
    for (int i = 0; i < 50; i++)
        MUST(fputs("a line\n", stream) >= 0 && fflush(stream) == 0);
    MUST(fclose(stream) == 0);
}

SITE static void without_buffer(void)
{
    FILE *const stream = open_stream("io_stdio.unbuffered");
    setbuf(stream, NULL);
    for (int i = 0; i < 30; i++)
        MUST(fputc('x', stream) == 'x');
    MUST(fclose(stream) == 0);
}

SITE static void by_dprintf(void)
{
    const int fd = io_file("io_stdio.dprintf");
    for (int i = 0; i < 40; i++)
        MUST(dprintf(fd, "%d and more\n", i % 10) == 11);
    MUST(close(fd) == 0);
}

int main(void)
{
    by_fprintf();
    by_fputs();
    by_fwrite();
    by_putc_unlocked();
    by_flush();
    without_buffer();
    by_dprintf();
    expect("by_fprintf", "stdio.write.bytes", 18000);
    expect("by_fprintf", "stdio.write.logical_calls", 1001); /* with the close */
    expect_io("by_fputs", "stdio.write", 4, 16000);
    expect("by_fputs", "stdio.write.logical_calls", 1001);
    expect("by_fwrite", "stdio.write.bytes", 100000);
    expect("by_fwrite", "stdio.write.logical_calls", 1001);
    expect_io("by_putc_unlocked", "stdio.write", 3, 10000);
    expect_io("by_flush", "stdio.write", 50, 350);
    expect("by_flush", "stdio.write.logical_calls", 100);
    expect_io("without_buffer", "stdio.write", 30, 30);
    expect_io("by_dprintf", "stdio.write", 40, 440);
    return 0;
}
