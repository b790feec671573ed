/* SPDX-License-Identifier: MIT */
/* Closes every descriptor from 3 on, three ways, and opens new ones: they must get the numbers they get without
 * a profiler (3, 4, 5, printed). 100 blocks of 77 bytes between the ways, 300 in all, and 1 thread. */
#include "victim.h"

#include <pthread.h>

SITE static void some(void)
{
    for (int i = 0; i < 100; i++)
        free(malloc(77));
}

static void *in_thread(void *unused)
{
    some();
    return unused;
}

static void say_next_numbers(void)
{
    char line[64];
    int first = open("/dev/null", O_RDONLY), second = dup(first), third = dup(first);
    int n = snprintf(line, sizeof line, "%d %d %d\n", first, second, third);

    if (write(1, line, (size_t)n) != n)
        _exit(1);
}

int main(void)
{
    pthread_t thread;

    tally_get();
    closefrom(3);
    say_next_numbers();
    some();
    close_range(3, ~0u, 0);
    say_next_numbers();
    some();
    for (int fd = 3; fd < 1024; fd++)
        dup2(1, fd);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    say_next_numbers();
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    expect_freed("some", 300, 300 * 77);
    return 0;
}
