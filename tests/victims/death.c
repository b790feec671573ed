/* SPDX-License-Identifier: MIT */
/* Allocates 20,000 blocks of 40 bytes, counting each in shared memory right after it came back, and
 * dies in the way its argument names. Nothing is freed but in the storm: what was counted must be
 * in the trace. In the ways that kill from outside, the one that is killed keeps allocating until
 * the signal arrives, so the count is a lower bound there, and an exact one elsewhere. */
#include "victim.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { BLOCKS = 20000, BLOCK_BYTES = 40 };

static const char *self;
static counter *counted;

SITE static void bump(void)
{
    *(volatile char *)malloc(BLOCK_BYTES) = 1;
    tally_add(counted, 1);
}

static void bump_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        bump();
}

static void *bump_for_ever(void *unused)
{
    for (;;) {
        free(malloc(BLOCK_BYTES));
        bump();
    }
    return unused;
}

/* Wait until n blocks were counted; whoever makes them is somebody else. */
static void watch(uint64_t n)
{
    while (atomic_load(counted) < n)
        usleep(200);
}

static void by_sigkill(void)
{
    kill(getpid(), SIGKILL);
}

static void by_segv(void)
{
    *(volatile int *)16 = 1;
}

static void by_quick_exit(void)
{
    quick_exit(7);
}

static void by_exit_now(void)
{
    _exit(7);
}

static void by_thread_exit(void)
{
    pthread_exit(NULL);
}

SITE static int overflow_stack(int depth)
{
    volatile char room[8192];

    room[0] = (char)depth;
    return depth < 0 ? 0 : overflow_stack(depth + 1) + room[0]; /* never negative in time */
}

static void by_stack_overflow(void)
{
    overflow_stack(0);
}

/* The process becomes this program again, once; both images count into the same row. */
static void by_exec(void)
{
    if (!getenv("VICTIM_SECOND_IMAGE")) {
        setenv("VICTIM_SECOND_IMAGE", "1", 1);
        execl("/proc/self/exe", self, "exec", (char *)NULL);
        _exit(98);
    }
    exit(7);
}

static void by_parent(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        alarm(60);
        bump_for_ever(NULL);
    }
    watch(2 * BLOCKS);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    exit(7);
}

/* A watcher that heapwise records, too, kills every process of the group, itself included. */
static void by_group(void)
{
    if (fork() == 0) {
        watch(2 * BLOCKS);
        kill(0, SIGKILL);
    }
    bump_for_ever(NULL);
}

static void by_storm(void)
{
    pthread_t thread;

    for (int i = 0; i < 8; i++)
        pthread_create(&thread, NULL, bump_for_ever, NULL);
    watch(10 * BLOCKS);
    kill(getpid(), SIGKILL);
}

static const struct way {
    const char *name;
    void (*die)(void);
    enum relation relation;
} ways[] = {
    {"sigkill", by_sigkill, EXACTLY},
    {"segv", by_segv, EXACTLY},
    {"abort", abort, EXACTLY},
    {"_exit", by_exit_now, EXACTLY},
    {"quick_exit", by_quick_exit, EXACTLY},
    {"thread_exit", by_thread_exit, EXACTLY},
    {"stack_overflow", by_stack_overflow, EXACTLY},
    {"exec", by_exec, EXACTLY},
    {"child", by_parent, AT_LEAST},
    {"group", by_group, AT_LEAST},
    {"storm", by_storm, AT_LEAST},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, argv[1]) != 0)
            continue;
        self = argv[0];
        alarm(60); /* "for ever" ends, should the killer fail */
        counted = expect_row("bump", "alloc_count", ways[i].relation);
        bump_all();
        ways[i].die();
    }
    return 2;
}
