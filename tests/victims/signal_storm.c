/* SPDX-License-Identifier: MIT */
/* 300,000 blocks of 90 bytes made and freed by main while SIGALRM strikes every 50 us. The handler writes to
 * a pipe always, and allocates and frees a block of 91 bytes when the signal hit outside malloc (main says so in a
 * flag), which may still be inside a profiler's hook. Every block of both is counted. */
#include "victim.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t outside;
static volatile uint64_t n_handled, n_made;
static int sink[2];

SITE static void in_storm(int number)
{
    (void)number;
    n_handled++;
    if (write(sink[1], "x", 1) != 1)
        n_handled += 0;
    if (outside) {
        free(malloc(91));
        n_made++;
    }
}

SITE static void *in_main(void)
{
    return malloc(90);
}

int main(void)
{
    const struct itimerval every = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = in_storm, .sa_flags = SA_RESTART};
    char bytes[4096];

    if (pipe(sink) != 0 || fcntl(sink[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(sink[1], F_SETFL, O_NONBLOCK) != 0)
        return 1;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 300000; i++) {
        void *block = in_main();

        outside = 1;
        for (volatile int spin = 0; spin < 100; spin++)
            ;
        if (i % 1000 == 0)
            while (read(sink[0], bytes, sizeof bytes) > 0)
                ;
        outside = 0;
        free(block);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    expect_freed("in_main", 300000, 300000 * 90);
    expect_freed("in_storm", n_made, n_made * 91);
    return n_handled > 0 ? 0 : 1;
}
