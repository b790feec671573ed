/* SPDX-License-Identifier: MIT */
/* errno survives: 8 kinds of calls that succeed leave it alone, also the first ones of a thread and of a
 * forked child. Exit status: the number of the first call that changed it. 0 leaks of its own. */
#include "victim.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#define KEEPS(number, call)                                                                        \
    do {                                                                                           \
        errno = 4242;                                                                              \
        call;                                                                                      \
        if (errno != 4242)                                                                         \
            return (number);                                                                       \
    } while (0)

SITE static int keeps_errno(void)
{
    void *block, *other;

    KEEPS(1, block = malloc(100));
    KEEPS(2, block = realloc(block, 5000));
    KEEPS(3, other = calloc(3, 100));
    KEEPS(4, free(block));
    KEEPS(5, free(other));
    KEEPS(6, block = aligned_alloc(64, 640));
    KEEPS(7, free(block));
    KEEPS(8, block = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    KEEPS(9, munmap(block, 4096));
    return 0;
}

static void *thread(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)keeps_errno();
}

int main(void)
{
    pthread_t id;
    void *result = NULL;
    int status = keeps_errno();
    pid_t child;

    if (status)
        return status;
    pthread_create(&id, NULL, thread, NULL);
    pthread_join(id, &result);
    if (result)
        return 20 + (int)(intptr_t)result;
    errno = 4242;
    child = fork();
    if (errno != 4242)
        return 40;
    if (child == 0)
        _exit(keeps_errno());
    waitpid(child, &status, 0);
    expect("keeps_errno", "alloc_count", 9);
    expect("keeps_errno", "realloc_count", 3);
    expect("keeps_errno", "free_count", 9);
    return WEXITSTATUS(status);
}
