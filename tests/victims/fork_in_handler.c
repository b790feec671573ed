/* SPDX-License-Identifier: MIT */
/* A signal handler forks 100 times while a loop allocates and frees: many of its children begin in the midst of a
 * hook. Each goes on from there, then allocates and frees 10 blocks of 72 bytes, 1000 in all. */
#include "victim.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { FORKS = 100, PAIRS_A_CHILD = 10 };

pid_t _Fork(void);

static volatile sig_atomic_t n_forks, is_child, was_forked;

static void fork_here(int number)
{
    (void)number;
    if (was_forked || n_forks == FORKS)
        return;
    n_forks++;
    is_child = _Fork() == 0;
    was_forked = 1;
}

SITE static void in_child(void)
{
    for (int i = 0; i < PAIRS_A_CHILD; i++)
        free(malloc(72));
}

static void go_on_as_child(void)
{
    in_child();
    _exit(0);
}

SITE static void loop(void)
{
    void *const block = malloc(64);
    if (is_child)
        go_on_as_child();
    free(block);
    if (is_child)
        go_on_as_child();
}

int main(void)
{
    const struct itimerval often = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500};
    int failed = 0;
    signal(SIGALRM, fork_here);
    setitimer(ITIMER_REAL, &often, NULL);
    while (n_forks < FORKS || was_forked) {
        loop();
        if (was_forked) {
            int status = -1;
            if (wait(&status) > 0)
                failed |= status;
            was_forked = 0;
        }
    }
    expect_freed("in_child", FORKS * PAIRS_A_CHILD, FORKS * PAIRS_A_CHILD * 72);
    expect("", "unknown_frees", 0);
    tally_add(expect_row("", "inherited_frees", AT_LEAST),
              0); /* by children that began in free() */
    return failed ? 1 : 0;
}
