/* SPDX-License-Identifier: MIT */
/* Forks while three threads allocate. The child frees 500 blocks that the parent made before the fork
 * (inherited frees, no unknown ones) and 100 of its own; the parent frees its 500 as well. */
#include "victim.h"

#include <pthread.h>
#include <sys/wait.h>

static atomic_int stop;

static void *noise(void *unused)
{
    while (!atomic_load(&stop))
        free(malloc(200));
    return unused;
}

SITE static void *before_fork(void)
{
    return malloc(72);
}

SITE static void after_fork(void)
{
    for (int i = 0; i < 100; i++)
        free(malloc(72));
}

int main(void)
{
    void *blocks[500];
    pthread_t threads[3];
    int status;
    pid_t child;

    for (int i = 0; i < 500; i++)
        blocks[i] = before_fork();
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, noise, NULL);
    child = fork();
    for (int i = 0; i < 500; i++)
        free(blocks[i]);
    if (child == 0) {
        after_fork();
        _exit(0);
    }
    waitpid(child, &status, 0);
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    expect("before_fork", "alloc_count", 500);
    expect("before_fork", "leaked_count", 0);
    expect_freed("after_fork", 100, 7200);
    expect("", "inherited_frees", 500);
    expect("", "unknown_frees", 0);
    return status;
}
