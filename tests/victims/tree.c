/* SPDX-License-Identifier: MIT */
/* Makes one child in the way its argument names; the child calls `child_part` (100 blocks of 64
 * bytes, freed), the parent `parent_part` (50 blocks of 64 bytes, freed). A child made by exec runs this
 * program again as `tree child`. Exit status 0 when the child's was 7. */
#include "victim.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__GLIBC__) && !__GLIBC_PREREQ(2, 34)
#error "_Fork is glibc 2.34's"
#endif

extern char **environ;
static char *child_arguments[] = {"tree", "child", NULL};

SITE static void child_part(void)
{
    for (int i = 0; i < 100; i++)
        free(malloc(64));
}

SITE static void parent_part(void)
{
    for (int i = 0; i < 50; i++)
        free(malloc(64));
}

static int child_main(void)
{
    child_part();
    return 7;
}

static pid_t by_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        exit(child_main());
    return child;
}

static pid_t by_bare_fork(void)
{
    pid_t child = _Fork();

    if (child == 0)
        _exit(child_main());
    return child;
}

static pid_t by_clone(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (child == 0)
        _exit(child_main());
    return child;
}

static pid_t by_vfork(void)
{
    pid_t child = vfork();

    if (child == 0) {
        execv("/proc/self/exe", child_arguments);
        _exit(98);
    }
    return child;
}

/* As vfork, with a stack of its own and past all hooks; gives itself a name before it execs. */
static int guest(void *unused)
{
    (void)unused;
    prctl(PR_SET_NAME, "guest");
    execv("/proc/self/exe", child_arguments);
    return 98;
}

static pid_t by_shared_memory(void)
{
    static _Alignas(16) char stack[65536];

    return clone(guest, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

static pid_t by_fork_in_vfork(void)
{
    pid_t child = vfork();

    if (child == 0) {
        int status = 0;
        pid_t grandchild = fork();

        if (grandchild == 0)
            _exit(child_main());
        waitpid(grandchild, &status, 0);
        _exit(WEXITSTATUS(status));
    }
    return child;
}

static pid_t by_spawn(void)
{
    pid_t child = -1;

    posix_spawn(&child, "/proc/self/exe", NULL, NULL, child_arguments, environ);
    return child;
}

static pid_t by_empty_environment(void)
{
    char *none[] = {NULL};
    pid_t child = fork();

    if (child == 0) {
        execve("/proc/self/exe", child_arguments, none);
        _exit(98);
    }
    return child;
}

static pid_t by_clearenv(void)
{
    pid_t child = fork();

    if (child == 0) {
        clearenv();
        execv("/proc/self/exe", child_arguments);
        _exit(98);
    }
    return child;
}

static pid_t by_system(void)
{
    int status = system("exit 7");

    child_part();
    if (WEXITSTATUS(status) != 7)
        exit(3);
    return 0;
}

/* What daemons do: two forks, a session of its own, no descriptor left. The middle process says by its
 * exit that the daemon is on its way; the daemon by a byte in a pipe that it is done. */
static pid_t by_daemon(void)
{
    int done[2];
    pid_t middle;
    char byte;

    if (pipe(done) != 0 || (middle = fork()) < 0)
        exit(3);
    if (middle == 0) {
        setsid();
        if (fork() != 0)
            _exit(7);
        dup2(done[1], 0);
        closefrom(1);
        child_part();
        if (write(0, "d", 1) != 1)
            _exit(3);
        _exit(7);
    }
    close(done[1]);
    if (read(done[0], &byte, 1) != 1)
        exit(4);
    close(done[0]);
    return middle;
}

static const struct way {
    const char *name;
    pid_t (*make)(void);
} ways[] = {
    {"fork", by_fork},
    {"_Fork", by_bare_fork},
    {"clone", by_clone},
    {"vfork", by_vfork},
    {"spawn", by_spawn},
    {"empty_environment", by_empty_environment},
    {"clearenv", by_clearenv},
    {"system", by_system},
    {"daemon", by_daemon},
    {"shared_memory", by_shared_memory},
    {"fork_in_vfork", by_fork_in_vfork},
};

int main(int argc, char **argv)
{
    int status = 0;
    pid_t child;

    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return child_main();
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, argv[1]) != 0)
            continue;
        expect("child_part", "alloc_count", 100);
        expect("child_part", "free_count", 100);
        expect("parent_part", "alloc_count", 50);
        expect("parent_part", "free_count", 50);
        parent_part();
        child = ways[i].make();
        if (child == 0)
            return 0;
        if (child < 0 || waitpid(child, &status, 0) != child)
            return 1;
        return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 1;
    }
    return 2;
}
