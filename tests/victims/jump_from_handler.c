/* SPDX-License-Identifier: MIT */
/* 400 jumps out of a signal handler that interrupts a loop of munmap calls, some of them inside a hook; then, all recorded,
 * 1000 blocks of 77 bytes, allocated and freed. */
#include "victim.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

enum { JUMPS = 400 };

static sigjmp_buf landing;
static volatile sig_atomic_t n_jumps;

static void jump(int number)
{
    (void)number;
    n_jumps++;
    siglongjmp(landing, 1);
}

SITE static void after(void)
{
    for (int i = 0; i < 1000; i++)
        free(malloc(77));
}

int main(void)
{
    struct itimerval often = {.it_interval.tv_usec = 200, .it_value.tv_usec = 200};
    struct itimerval never = {.it_interval.tv_usec = 0};
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect_freed("after", 1000, 1000 * 77);
    signal(SIGALRM, jump);
    setitimer(ITIMER_REAL, &often, NULL);
    sigsetjmp(landing, 1);
    while (n_jumps < JUMPS)
        munmap(page, 4096);
    setitimer(ITIMER_REAL, &never, NULL);
    after();
    return 0;
}
