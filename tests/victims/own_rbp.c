/* SPDX-License-Identifier: MIT */
/* Code that keeps a number in rbp, of which its unwind table knows nothing, is interrupted 200 times by a signal handler that
 * allocates and frees a block of 91 bytes. Its callers' frames count from rbp. */
#include "victim.h"

#include <signal.h>
#include <sys/time.h>

enum { SIGNALS = 200 };

static volatile sig_atomic_t n_handled;

SITE static void handle(int number)
{
    (void)number;
    if (n_handled == SIGNALS)
        return;
    free(malloc(91));
    n_handled++;
}

/* Some microseconds with a number in rbp. */
SITE static void compute(void)
{
    __asm__ volatile("mov %%rbp, %%r12\n\t"
                     "mov $0x123456789ab0, %%rbp\n\t"
                     "mov $2000000, %%eax\n"
                     "1: dec %%eax\n\t"
                     "jnz 1b\n\t"
                     "mov %%r12, %%rbp"
                     :
                     :
                     : "rax", "r12", "memory", "cc");
}

int main(void)
{
    struct itimerval often = {.it_interval.tv_usec = 300, .it_value.tv_usec = 300};
    struct itimerval never = {.it_interval.tv_usec = 0};

    expect_freed("handle", SIGNALS, SIGNALS * 91);
    signal(SIGALRM, handle);
    setitimer(ITIMER_REAL, &often, NULL);
    while (n_handled < SIGNALS)
        compute();
    setitimer(ITIMER_REAL, &never, NULL);
    return 0;
}
