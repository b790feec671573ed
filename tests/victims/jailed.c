/* SPDX-License-Identifier: MIT */
/* Goes where nothing can be opened any more, in the way its argument names, and goes on allocating: 1000 blocks of
 * 88 bytes in the first thread, 1000 in a new one and 1000 in a forked child, all freed (after
 * strict seccomp only the first thread's: no thread can be made). Needs root, but for seccomp. */
#include "victim.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

SITE static void inside(void)
{
    for (int i = 0; i < 1000; i++)
        free(malloc(88));
}

static void *in_thread(void *unused)
{
    inside();
    return unused;
}

static int in_all(void)
{
    pthread_t thread;
    int status = 1;
    pid_t child;

    inside();
    if (pthread_create(&thread, NULL, in_thread, NULL) != 0)
        return 10;
    pthread_join(thread, NULL);
    child = fork();
    if (child == 0) {
        inside();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 11;
    expect_freed("inside", 3000, 3000 * 88);
    return status ? 12 : 0;
}

static int by_chroot(void)
{
    char folder[] = "/tmp/heapwise-jail-XXXXXX";

    /* An empty folder that is gone already: nothing can be found in it and nothing is left behind. */
    if (!mkdtemp(folder) || chdir(folder) != 0 || rmdir(folder) != 0 || chroot(".") != 0)
        return 1;
    return in_all();
}

static int by_other_user(void)
{
    if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
        return 1;
    return in_all();
}

/* Every descriptor, every new byte of file and nearly all further memory refused. */
static int by_limits(void)
{
    const struct rlimit none = {0, 0};
    struct rlimit memory = {0, 0};
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");

    if (!statm || fscanf(statm, "%lu", &pages) != 1)
        return 1;
    fclose(statm);
    memory.rlim_cur = memory.rlim_max = pages * 4096 + (256u << 20);
    if (setrlimit(RLIMIT_FSIZE, &none) != 0 || setrlimit(RLIMIT_NOFILE, &none) != 0 ||
        setrlimit(RLIMIT_AS, &memory) != 0)
        return 2;
    return in_all();
}

static unsigned long locked_kib(void)
{
    static char text[16384];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    const char *line;

    close(fd);
    text[n > 0 ? n : 0] = 0;
    line = strstr(text, "VmLck:");
    return line ? strtoul(line + 6, NULL, 10) : 0;
}

/* A profiler's sparse mapping must not become memory: less than 128 MiB may be locked. */
static int by_mlockall(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        return 1;
    if (locked_kib() == 0 || locked_kib() > 128 * 1024)
        return 2;
    return in_all();
}

/* Only read, write, exit and sigreturn are left; anything else kills. */
static int by_strict_seccomp(void)
{
    inside(); /* glibc's arena and the profiler's ring exist from here on */
    expect_freed("inside", 2000, 2000 * 88);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        return 1;
    inside();
    syscall(SYS_exit, 0);
    return 2;
}

/* What a careful server leaves itself: memory, threads, the end; opening anything is an error. */
static int by_filter(void)
{
    static const int refused[] = {SYS_open,   SYS_openat,       SYS_openat2,
                                  SYS_socket, SYS_memfd_create, SYS_execve,
                                  SYS_ptrace, SYS_readlink,     SYS_stat};
    enum { N = sizeof refused / sizeof *refused };
    struct sock_filter code[2 * N + 2];
    struct sock_fprog program = {.len = 2 * N + 2, .filter = code};

    code[0] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N; i++) {
        code[1 + 2 * i] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused[i], 0, 1);
        code[2 + 2 * i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    code[2 * N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 1;
    return in_all();
}

static const struct way {
    const char *name;
    int (*enter)(void);
} ways[] = {
    {"chroot", by_chroot},     {"other_user", by_other_user},  {"limits", by_limits},
    {"mlockall", by_mlockall}, {"seccomp", by_strict_seccomp}, {"filter", by_filter},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, argv[1]) == 0) {
            tally_get();
            return ways[i].enter();
        }
    }
    return 99;
}
