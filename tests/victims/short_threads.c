/* SPDX-License-Identifier: MIT */
/* 10,000 threads, one after another in groups of 8, each allocating 3 blocks of 33 bytes and freeing
 * 2; the main thread frees the third: 30,000 blocks, no leak. More threads than there are rings. */
#include "victim.h"

#include <pthread.h>

enum { GROUPS = 1250, GROUP = 8 };

SITE static void *one(void)
{
    return malloc(33);
}

static void *work(void *unused)
{
    void *first = one(), *second = one();

    (void)unused;
    free(first);
    free(second);
    return one();
}

int main(void)
{
    pthread_t threads[GROUP];
    void *result;

    for (int group = 0; group < GROUPS; group++) {
        for (int i = 0; i < GROUP; i++)
            if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                return 1;
        for (int i = 0; i < GROUP; i++) {
            pthread_join(threads[i], &result);
            free(result);
        }
    }
    expect_freed("one", 3 * GROUPS * GROUP, 3 * GROUPS * GROUP * 33);
    expect("", "threads", GROUPS * GROUP + 1);
    return 0;
}
