/* SPDX-License-Identifier: MIT */
/* malloc and free of one small block in a loop, at a given depth of calls and in several threads: the
 * worst case of an allocation profiler, for there is nothing else to hide its cost behind.
 *
 *     churn N_PAIRS DEPTH N_THREADS
 *
 * Prints the nanoseconds from the first thread's start to the last one's end, start-up left out. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 64, BLOCK_BYTES = 64, FRAMES_BESIDE = 3 };

static long n_pairs;
static int n_recursions;

static __attribute__((noinline)) void allocate(void)
{
    for (long i = 0; i < n_pairs; i++) {
        void *volatile block = malloc(BLOCK_BYTES);
        free(block);
    }
}

static __attribute__((noinline)) void descend(int n)
{
    if (n == 0)
        allocate();
    else
        descend(n - 1);
    __asm__ volatile("" ::: "memory"); /* no tail call: every level is a frame */
}

static void *run(void *argument)
{
    descend(n_recursions);
    return argument;
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX_THREADS];
    if (argc != 4)
        return 2;
    n_pairs = atol(argv[1]);
    n_recursions = atoi(argv[2]) - FRAMES_BESIDE;
    const int n_threads = atoi(argv[3]);
    if (n_pairs < 1 || n_recursions < 0 || n_threads < 1 || n_threads > MAX_THREADS)
        return 2;
    const long long started_ns = now_ns();
    for (int i = 1; i < n_threads; i++)
        if (pthread_create(&threads[i], NULL, run, NULL))
            return 1;
    run(NULL);
    for (int i = 1; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    printf("%lld\n", now_ns() - started_ns);
    return 0;
}
