/* SPDX-License-Identifier: MIT */
/* What is hard to count right about descriptors, one way per run: `io_hazards WAY`. Each way states what each file or
 * function must be found to have transferred. */
#include "io_victim.h"

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { N_THREADS = 4, N_ROUNDS = 500 };
static char bytes[1 << 17];

/* The file of that name: so many writes, so many bytes. */
static void expect_file(const char *name, uint64_t n_writes, uint64_t n_bytes)
{
    expect(name, "file.write_calls", n_writes);
    expect(name, "file.write_bytes", n_bytes);
}

/* ---- the same few numbers, over and over, in several threads ---- */

static void *reuse_in_a_thread(void *which)
{
    char name[64];
    const size_t n_bytes = 10 + (size_t)(uintptr_t)which;
    snprintf(name, sizeof name, "%s/io_reuse.%zu",
             getenv("VICTIM_FOLDER") ? getenv("VICTIM_FOLDER") : "/tmp", n_bytes);
    for (int i = 0; i < N_ROUNDS; i++) {
        const int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
        MUST(fd >= 0 && write(fd, bytes, n_bytes) == (ssize_t)n_bytes && close(fd) == 0);
    }
    return NULL;
}

static void reuse(void)
{
    pthread_t threads[N_THREADS];
    for (uintptr_t i = 0; i < N_THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, reuse_in_a_thread, (void *)i) == 0);
    for (uintptr_t i = 0; i < N_THREADS; i++) {
        char name[32];
        MUST(pthread_join(threads[i], NULL) == 0);
        snprintf(name, sizeof name, "io_reuse.%d", 10 + (int)i);
        expect_file(name, N_ROUNDS, N_ROUNDS * (10 + i));
    }
}

/* ---- standard output is a file for a while ---- */

static void over_standard(void)
{
    const int file = io_file("io_over_standard"), kept = dup(1);
    MUST(dup2(file, 1) == 1 && close(file) == 0);
    for (int i = 0; i < 20; i++)
        printf("into the file %d\n", i % 10);
    MUST(fflush(stdout) == 0);
    MUST(write(1, bytes, 5) == 5);
    MUST(dup2(kept, 1) == 1 && close(kept) == 0);
    puts("and back");
    MUST(fflush(stdout) == 0);
    expect_file("io_over_standard", 2, 20 * 16 + 5);
}

/* ---- a descriptor that was used becomes another file, by syscall(2) ---- */

static void raw_duplicates(void)
{
    const int fd = io_file("io_raw.first"), second = io_file("io_raw.second"),
              third = io_file("io_raw.third");
    MUST(write(fd, bytes, 10) == 10);
    MUST(syscall(SYS_dup2, second, fd) == fd && write(fd, bytes, 20) == 20);
    MUST(syscall(SYS_dup3, third, fd, O_CLOEXEC) == fd && write(fd, bytes, 30) == 30);
    MUST(close(fd) == 0 && close(second) == 0 && close(third) == 0);
    expect_file("io_raw.first", 1, 10);
    expect_file("io_raw.second", 1, 20);
    expect_file("io_raw.third", 1, 30);
}

/* ---- a child in our memory closes what we have open ---- */

static void vfork_close(void)
{
    const int fd = io_file("io_vfork.ours"), second = io_file("io_vfork.second");
    MUST(write(fd, bytes, 10) == 10);
    const pid_t child = vfork();
    if (child == 0) {
        close(fd);
        dup2(second, fd);
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    MUST(child > 0 && waitpid(child, NULL, 0) == child);
    MUST(write(fd, bytes, 20) == 20 && write(second, bytes, 3) == 3);
    MUST(close(fd) == 0 && close(second) == 0);
    expect_file("io_vfork.ours", 2, 30);
    expect_file("io_vfork.second", 1, 3);
}

/* ---- all at once ---- */

static void close_from(void)
{
    for (int i = 0; i < 10; i++)
        MUST(write(io_file("io_closefrom.before"), bytes, 4) == 4);
    closefrom(3);
    const int fd = io_file("io_closefrom.after");
    MUST(fd == 3 && write(fd, bytes, 7) == 7);
    MUST(close_range(3, 20, 0) == 0);
    const int again = io_file("io_closefrom.again");
    MUST(again == 3 && write(again, bytes, 9) == 9 && close(again) == 0);
    expect_file("io_closefrom.before", 10, 40);
    expect_file("io_closefrom.after", 1, 7);
    expect_file("io_closefrom.again", 1, 9);
}

/* ---- parent and child write to one description ---- */

static void fork_shares(void)
{
    const int fd = io_file("io_fork_shares");
    MUST(write(fd, bytes, 10) == 10);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            MUST(write(fd, bytes, 7) == 7);
        _exit(0);
    }
    MUST(child > 0 && waitpid(child, NULL, 0) == child);
    MUST(write(fd, bytes, 10) == 10);
    MUST(lseek(fd, 0, SEEK_CUR) == 55 && close(fd) == 0);
    expect_file("io_fork_shares", 7, 55);
}

/* ---- calls that do less than they were asked ---- */

SITE static void fills_a_pipe(int fd)
{
    MUST(write(fd, bytes, sizeof bytes) == 1 << 16);
    for (int i = 0; i < 3; i++)
        MUST(write(fd, bytes, 10) == -1 && errno == EAGAIN);
}

static void partial(void)
{
    int ends[2];
    MUST(pipe2(ends, O_NONBLOCK) == 0);
    fills_a_pipe(ends[1]);
    MUST(close(ends[0]) == 0 && close(ends[1]) == 0);
    expect_io("fills_a_pipe", "syscall.write", 4, 1 << 16);
    expect("fills_a_pipe", "syscall.write.short_calls", 1);
    expect("fills_a_pipe", "syscall.write.would_block", 3);
}

static void on_alarm(int number)
{
    (void)number;
}

SITE static void waits_in_vain(int fd)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    for (int i = 0; i < 3; i++) {
        MUST(setitimer(ITIMER_REAL, &soon, NULL) == 0);
        MUST(read(fd, bytes, 10) == -1 && errno == EINTR);
    }
}

static void interrupted(void)
{
    int ends[2];
    const struct sigaction action = {.sa_handler = on_alarm};
    MUST(pipe(ends) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    waits_in_vain(ends[0]);
    MUST(close(ends[0]) == 0 && close(ends[1]) == 0);
    expect_io("waits_in_vain", "syscall.read", 3, 0);
    expect("waits_in_vain", "syscall.read.interrupted", 3);
}

/* ---- files that are opened in special ways, or lose their names ---- */

static void appended(void)
{
    const char *const path = io_path("io_appended");
    const int one = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600),
              two = open(path, O_WRONLY | O_APPEND);
    for (int i = 0; i < 10; i++)
        MUST(write(one, bytes, 5) == 5 && write(two, bytes, 6) == 6);
    MUST(close(one) == 0 && close(two) == 0);
    expect_file("io_appended", 20, 110);
}

static void direct(void)
{
    const int fd = open(io_path("io_direct"), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0600);
    void *block;
    if (fd < 0) {
        MUST(errno == EINVAL); /* the file system has no such thing */
        return;
    }
    MUST(posix_memalign(&block, 4096, 8192) == 0);
    MUST(write(fd, block, 8192) == 8192 && close(fd) == 0);
    free(block);
    expect_file("io_direct", 1, 8192);
}

static void nameless(void)
{
    const int deleted = io_file("io_deleted"), renamed = io_file("io_renamed.before");
    MUST(unlink(io_path("io_deleted")) == 0);
    MUST(rename(io_path("io_renamed.before"), io_path("io_renamed.after")) == 0);
    MUST(write(deleted, bytes, 12) == 12 && write(renamed, bytes, 13) == 13);
    MUST(close(deleted) == 0 && close(renamed) == 0);
    expect_file("io_deleted", 1, 12);
    expect_file("io_renamed.after", 1, 13);
}

static void terminal(void)
{
    int master, slave;
    struct termios plain;
    MUST(openpty(&master, &slave, NULL, NULL, NULL) == 0);
    MUST(tcgetattr(slave, &plain) == 0);
    cfmakeraw(&plain);
    MUST(tcsetattr(slave, TCSANOW, &plain) == 0);
    for (int i = 0; i < 10; i++) {
        MUST(write(master, bytes, 11) == 11);
        MUST(read(slave, bytes, 11) == 11);
    }
    MUST(close(master) == 0 && close(slave) == 0);
    expect("/dev/pts/", "file.read_bytes", 110);
}

/* ---- very many, and very odd ---- */

static void many(void)
{
    struct rlimit limit;
    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    const uint64_t n = limit.rlim_cur > 100100 ? 100000 : limit.rlim_cur - 100;
    for (uint64_t i = 0; i < n; i++)
        MUST(open("/dev/null", O_WRONLY) >= 0);
    for (uint64_t i = 0; i < n; i += 100)
        MUST(write((int)(i + 3), bytes, 3) == 3);
    closefrom(3);
    expect_file("/dev/null", (n + 99) / 100, (n + 99) / 100 * 3);
    expect("/dev/null", "file.opens", n);
}

static void odd_names(void)
{
    static const char *const names[] = {"io_odd new\nline", "io_odd \xff\xfe bytes",
                                        "io_odd \033[31mred", "io_odd \"quotes'"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const int fd = io_file(names[i]);
        MUST(write(fd, bytes, 21) == 21 && close(fd) == 0);
    }
    expect("io_odd", "file.write_bytes", 4 * 21);
}

/* 30 folders of 200 letters, one in the other: the path is longer than any system call takes. */
static void long_path(void)
{
    char name[201];
    int folder =
        open(getenv("VICTIM_FOLDER") ? getenv("VICTIM_FOLDER") : "/tmp", O_RDONLY | O_DIRECTORY);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    for (int i = 0; i < 30; i++) {
        (void)mkdirat(folder, name, 0700);
        const int below = openat(folder, name, O_RDONLY | O_DIRECTORY);
        MUST(below >= 0 && close(folder) == 0);
        folder = below;
    }
    const int fd = openat(folder, "io_far_below", O_WRONLY | O_CREAT, 0600);
    MUST(fd >= 0);
    MUST(write(fd, bytes, 17) == 17 && close(fd) == 0 && close(folder) == 0);
    expect("", "io_write_bytes", 17);
}

static const struct way {
    const char *name;
    void (*run)(void);
} ways[] = {
    {"reuse", reuse},
    {"over_standard", over_standard},
    {"raw_duplicates", raw_duplicates},
    {"vfork_close", vfork_close},
    {"close_from", close_from},
    {"fork_shares", fork_shares},
    {"partial", partial},
    {"interrupted", interrupted},
    {"appended", appended},
    {"direct", direct},
    {"nameless", nameless},
    {"terminal", terminal},
    {"many", many},
    {"odd_names", odd_names},
    {"long_path", long_path},
};

int main(int n_arguments, char **arguments)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways && n_arguments > 1; i++)
        if (strcmp(ways[i].name, arguments[1]) == 0) {
            ways[i].run();
            return 0;
        }
    return 96;
}
