/* SPDX-License-Identifier: MIT */
/* A file of 108,894 bytes in lines of 17 to 18 letters read through stdio in each of its ways: 27 full buffers, the rest and the
 * end of the file, 28 reads of it and one that finds nothing more. */
#include "io_victim.h"

enum { BYTES = 108894, BUFFER = 4096 };
static char bytes[BYTES];

static FILE *open_stream(void)
{
    FILE *const stream = fopen(io_path("io_stdio.text"), "r");
    MUST(stream);
    return stream;
}

SITE static void by_fgets(void)
{
    FILE *const stream = open_stream();
    char line[64];
    while (fgets(line, sizeof line, stream))
        ;
    MUST(fclose(stream) == 0);
}

SITE static void by_getc_unlocked(void)
{
    FILE *const stream = open_stream();
    while (getc_unlocked(stream) != EOF)
        ;
    MUST(fclose(stream) == 0);
}

SITE static void by_getline(void)
{
    FILE *const stream = open_stream();
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stream) > 0)
        ;
    free(line);
    MUST(fclose(stream) == 0);
}

SITE static void by_fscanf(void)
{
    FILE *const stream = open_stream();
    int number;
    while (fscanf(stream, "%d%*[^\n]", &number) == 1)
        ;
    MUST(fclose(stream) == 0);
}

SITE static void by_fread(void)
{
    FILE *const stream = open_stream();
    while (fread(bytes, 1, 100, stream) > 0)
        ;
    MUST(fclose(stream) == 0);
}

static void make_text(void)
{
    const int fd = io_file("io_stdio.text");
    for (int i = 0; i < BYTES; i++)
        bytes[i] = i % 18 == 17 ? '\n' : (char)('0' + i % 7);
    MUST(write(fd, bytes, BYTES) == BYTES && close(fd) == 0);
}

int main(void)
{
    static const char *const ways[] = {"by_fgets", "by_getc_unlocked", "by_getline", "by_fread"};
    make_text();
    by_fgets();
    by_getc_unlocked();
    by_getline();
    by_fread();
    by_fscanf();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        expect_io(ways[i], "stdio.read", (BYTES + BUFFER - 1) / BUFFER + 1, BYTES);
    expect("by_fscanf", "stdio.read.bytes", BYTES);
    return 0;
}
