/* SPDX-License-Identifier: MIT */
/* 10 groups of 64 threads at once, each allocating and freeing 1000 blocks of 20 bytes: more than there are
 * rings ahead of them. 640,000 blocks, no leak. */
#include "victim.h"

#include <pthread.h>

enum { GROUPS = 10, GROUP = 64, BLOCKS = 1000 };

SITE static void *work(void *unused)
{
    for (int i = 0; i < BLOCKS; i++)
        free(malloc(20));
    return unused;
}

int main(void)
{
    pthread_t threads[GROUP];

    expect_freed("work", GROUPS * GROUP * BLOCKS, GROUPS * GROUP * BLOCKS * 20);
    for (int group = 0; group < GROUPS; group++) {
        for (int i = 0; i < GROUP; i++)
            if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                return 98;
        for (int i = 0; i < GROUP; i++)
            pthread_join(threads[i], NULL);
    }
    return 0;
}
