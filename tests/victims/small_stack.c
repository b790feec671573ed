/* SPDX-License-Identifier: MIT */
/* A thread with the smallest stack there is: allocates 1 block of 40 bytes, frees it, and starts a program by
 * posix_spawnp in an environment of its own and waits for it. The status is that program's. */
#include "victim.h"

#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

static int status = -1;

SITE static void *in_thread(void *unused)
{
    char *arguments[] = {"true", NULL};
    char *environment[] = {"A=1", NULL};
    void *volatile block = malloc(40);
    pid_t child = -1;

    free(block);
    if (posix_spawnp(&child, "true", NULL, NULL, arguments, environment) == 0)
        waitpid(child, &status, 0);
    return unused;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    expect("in_thread", "alloc_count", 1);
    expect("in_thread", "free_count", 1);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    if (pthread_create(&thread, &attributes, in_thread, NULL) != 0)
        return 98;
    pthread_join(thread, NULL);
    return status ? 97 : 0;
}
