/* SPDX-License-Identifier: MIT */
/* Two threads of which one alone allocates for long, then hands blocks to the other, which frees them and hands back
 * others: who has read the clock least often must not seem to have allocated before the other's free, nor to free what
 * the other has not allocated yet. Blocks pass by plain stores; the two change places every second turn. */
#include "victim.h"

#include <pthread.h>

enum { TURNS = 30, ALONE = 60000, HANDED = 400, RING = 8 };

static void *volatile there[RING], *volatile back[RING];
static volatile int turn; /* whose: the thread with turn % 2 == its number */

SITE static void *produce(size_t size)
{
    return malloc(size);
}

static void alone(void)
{
    for (int i = 0; i < ALONE; i++)
        free(malloc(48));
}

static void *take(void *volatile *place)
{
    void *block;
    while (!(block = *place))
        __builtin_ia32_pause();
    *place = NULL;
    return block;
}

static void give(void *volatile *place, void *block)
{
    while (*place)
        __builtin_ia32_pause();
    *place = block;
}

/* The same size throughout, so that what one frees is what the other is given next. */
static void lead(void)
{
    alone();
    for (int i = 0; i < HANDED; i++) {
        give(&there[i % RING], produce(48));
        free(take(&back[i % RING]));
    }
}

static void follow(void)
{
    for (int i = 0; i < HANDED; i++) {
        free(take(&there[i % RING]));
        give(&back[i % RING], produce(48));
    }
}

static void *work(void *number)
{
    const int self = (int)(intptr_t)number;
    for (int i = 0; i < TURNS; i++) {
        while (turn / 2 != i)
            __builtin_ia32_pause();
        if (i % 2 == self)
            lead();
        else
            follow();
        __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

int main(void)
{
    pthread_t other;

    pthread_create(&other, NULL, work, (void *)(intptr_t)1);
    work(NULL);
    pthread_join(other, NULL);
    expect_freed("produce", 2u * TURNS * HANDED, 48u * 2 * TURNS * HANDED);
    expect("", "unknown_frees", 0);
    return 0;
}
