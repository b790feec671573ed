/* SPDX-License-Identifier: MIT */
/* A program in C that findings have much to say of, whose every number is the same for any number of threads.
 *
 * tests/e2e/findings_ids.py builds it in many ways: ids_work FILE [THREADS]. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 24000, QUEUE = 8, TEXTS = 480, MOST_THREADS = 64 };

struct item {
    struct item *next;
    long value;
};

static unsigned n_threads = 2;
static long sums[MOST_THREADS];

static struct item *make(long value)
{
    struct item *const item = malloc(sizeof *item);
    item->next = NULL;
    item->value = value;
    return item;
}

static long take(struct item *item)
{
    const long value = item ? item->value : 0;
    free(item);
    return value;
}

static long queue_up(unsigned rounds)
{
    struct item *queue[QUEUE] = {NULL};
    long sum = 0;
    for (unsigned i = 0; i < rounds; i++) {
        sum += take(queue[i % QUEUE]);
        queue[i % QUEUE] = make(i);
    }
    for (unsigned i = 0; i < QUEUE; i++)
        sum += take(queue[i]);
    return sum;
}

/* Two lines of one function. */
static long copy_twice(const char *text)
{
    char *const first = malloc(strlen(text) + 9);
    strcpy(first, text);
    long n_bytes = (long)strlen(first);
    free(first);
    char *const second = malloc(strlen(text) + 9);
    strcpy(second, text);
    n_bytes += (long)strlen(second);
    free(second);
    return n_bytes;
}

/* One line with two callers, which come as often. */
static long measure(const char *text)
{
    char *const copy = strdup(text);
    const long n_bytes = (long)strlen(copy);
    free(copy);
    return n_bytes;
}

static long measure_left(const char *text)
{
    return measure(text + 1) + 1;
}

static long measure_right(const char *text)
{
    return measure(text + 2) + 2;
}

/* A function inlined into itself now and then; each call is a frame. */
static long nest(unsigned depth)
{
    char *const block = malloc(100 + depth);
    block[0] = (char)depth;
    const long below = depth ? nest(depth - 1) : 1;
    const long value = below + block[0];
    free(block);
    return value;
}

static long grow(unsigned n_texts)
{
    long sum = 0;
    for (unsigned i = 0; i < n_texts; i++) {
        char *text = NULL;
        for (size_t n = 16; n <= 3200; n += 16) {
            text = realloc(text, n);
            text[n - 1] = (char)n;
        }
        sum += text[15];
        free(text);
    }
    return sum;
}

static void *work(void *sum_out)
{
    const unsigned share = ROUNDS / n_threads;
    long sum = queue_up(share);
    for (unsigned i = 0; i < share; i++)
        sum +=
            copy_twice("others") + measure_left("measured") + measure_right("measured") + nest(3);
    *(long *)sum_out = sum + grow(TEXTS / n_threads);
    return NULL;
}

static long write_line(int fd)
{
    const long n_bytes = write(fd, "a line of it\n", 13);
    return n_bytes;
}

static long write_lines(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    long n_bytes = 0;
    for (unsigned i = 0; i < 2500; i++) {
        n_bytes += write_line(fd) + 1;
        n_bytes += write_line(fd) + 2;
    }
    close(fd);
    return n_bytes;
}

static long read_bytes(const char *path)
{
    const int fd = open(path, O_RDONLY);
    long sum = 0;
    char byte;
    for (unsigned n = 0; n < 10 && read(fd, &byte, 1) == 1; n++)
        sum += byte;
    close(fd);
    return sum;
}

static long read_left(const char *path)
{
    return read_bytes(path) + 1;
}

static long read_right(const char *path)
{
    return read_bytes(path) + 2;
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST_THREADS];
    long sum = 0;
    n_threads = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    for (unsigned i = 0; i < n_threads; i++)
        pthread_create(&threads[i], NULL, work, &sums[i]);
    for (unsigned i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
    }
    sum += write_lines(argv[1]);
    for (unsigned i = 0; i < 250; i++)
        sum += read_left(argv[1]) + read_right(argv[1]);
    printf("%ld\n", sum);
    return 0;
}
