/* SPDX-License-Identifier: MIT */
/* One call of input or output in a loop: the worst case of whoever records them.
 *
 *     io_calls fputc|fwrite|open|pread N_CALLS
 *
 * fputc and fwrite go to a stream on /dev/null with the C library's own buffer, 4096 bytes: one write in 4096
 * calls, one in 41. open means open and close of one path, two calls each turn. pread reads 100
 * bytes of this program's own file, which is cached. Prints the nanoseconds, start-up left out. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 100, PLACES = 16 };

static const char own_path[] = "/proc/self/exe";
static char text[TEXT_BYTES];

static FILE *open_sink(void)
{
    FILE *const sink = fopen("/dev/null", "w");
    if (!sink)
        exit(1);
    return sink;
}

static void put_bytes(long n_calls)
{
    FILE *const sink = open_sink();
    for (long i = 0; i < n_calls; i++)
        fputc('x', sink);
    fclose(sink);
}

static void put_texts(long n_calls)
{
    FILE *const sink = open_sink();
    for (long i = 0; i < n_calls; i++)
        fwrite(text, 1, sizeof text, sink);
    fclose(sink);
}

static void open_and_close(long n_calls)
{
    for (long i = 0; i < n_calls / 2; i++)
        close(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void read_pieces(long n_calls)
{
    const int fd = open(own_path, O_RDONLY | O_CLOEXEC);
    for (long i = 0; i < n_calls; i++)
        if (pread(fd, text, sizeof text, i % PLACES * TEXT_BYTES) != sizeof text)
            exit(1);
    close(fd);
}

static const struct way {
    const char *name;
    void (*call)(long n_calls);
} ways[] = {
    {"fputc", put_bytes},
    {"fwrite", put_texts},
    {"open", open_and_close},
    {"pread", read_pieces},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
    const long n_calls = argc == 3 ? atol(argv[2]) : 0;
    for (int w = 0; w < N_WAYS && n_calls > 0; w++) {
        if (strcmp(argv[1], ways[w].name) != 0)
            continue;
        const long long started_ns = now_ns();
        ways[w].call(n_calls);
        printf("%lld\n", now_ns() - started_ns);
        return 0;
    }
    return 2;
}
