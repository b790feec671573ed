/* SPDX-License-Identifier: MIT */
/* 20 threads whose thread-specific value is freed by a destructor that allocates again, in every round that
 * POSIX grants: 1 + PTHREAD_DESTRUCTOR_ITERATIONS (4) blocks a thread, of which the last leaks. */
#include "victim.h"

#include <limits.h>
#include <pthread.h>

static pthread_key_t key;

SITE static void *in_thread(void)
{
    return malloc(80);
}

SITE static void in_destructor(void *value)
{
    free(value);
    pthread_setspecific(key, malloc(81));
}

static void *work(void *unused)
{
    pthread_setspecific(key, in_thread());
    return unused;
}

int main(void)
{
    pthread_t thread;

    pthread_key_create(&key, in_destructor);
    for (int i = 0; i < 20; i++) {
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
    }
    expect_freed("in_thread", 20, 20 * 80);
    expect("in_destructor", "alloc_count", 20 * PTHREAD_DESTRUCTOR_ITERATIONS);
    expect("in_destructor", "leaked_count", 20);
    return 0;
}
