/* SPDX-License-Identifier: MIT */
/* Descriptors come and go: each call of hook_open.c says which. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace/io_ops.h"
#include "tests/support/io_fixture.h"

int __open_2(const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

static struct record records[64];
static size_t n_records;

static int start(void **state)
{
    (void)state;
    io_fixture_start();
    return 0;
}

static void stop(void)
{
    n_records = io_fixture_stop(records, sizeof records / sizeof *records);
}

static void expect_path(size_t i, enum io_op op, int folder, int64_t result, const char *path)
{
    assert_true(i < n_records);
    assert_int_equal(records[i].tag, TRACE_PATH_CALL);
    assert_int_equal(records[i].path_call.op, op);
    assert_int_equal(records[i].path_call.folder_fd, folder);
    assert_true(records[i].path_call.result == result);
    assert_true(io_fixture_text_is(&records[i].path_call.path, path));
}

static void expect_new(size_t i, enum io_op op, int fd, int other)
{
    assert_true(i < n_records);
    assert_int_equal(records[i].tag, TRACE_FD_NEW);
    assert_int_equal(records[i].fd_new.op, op);
    assert_int_equal(records[i].fd_new.fd, fd);
    assert_int_equal(records[i].fd_new.other_fd, other);
}

static void expect_close(size_t i, uint32_t first, uint32_t last)
{
    assert_true(i < n_records);
    assert_int_equal(records[i].tag, TRACE_FD_CLOSE);
    assert_true(records[i].fd_close.first == first && records[i].fd_close.last == last);
}

static void opening_by_path_says_what_the_program_said(void **state)
{
    char name[] = "/tmp/heapwise-open-XXXXXX", other[] = "/tmp/heapwise-open-XXXXXX.txt";
    int fds[8];
    (void)state;
    fds[0] = open("/dev/null", O_RDONLY);
    fds[1] = openat(fds[0], "/dev/zero", O_RDONLY);
    fds[2] = __open_2("/dev/null", O_WRONLY);
    fds[3] = __openat64_2(AT_FDCWD, "/dev/null", O_WRONLY);
    fds[4] = mkstemp(name);
    fds[5] = mkostemps(other, 4, O_CLOEXEC);
    fds[6] = memfd_create("memory", 0);
    fds[7] = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_int_equal(open("no/such\nfile", O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(creat("/proc/none", 0600), -1);
    stop();
    assert_int_equal(n_records, 10);
    expect_path(0, IO_OPEN, AT_FDCWD, fds[0], "/dev/null");
    expect_path(1, IO_OPEN, fds[0], fds[1], "/dev/zero");
    expect_path(2, IO_OPEN, AT_FDCWD, fds[2], "/dev/null");
    expect_path(3, IO_OPEN, AT_FDCWD, fds[3], "/dev/null");
    expect_path(4, IO_MKSTEMP, AT_FDCWD, fds[4], name);
    expect_path(5, IO_MKSTEMP, AT_FDCWD, fds[5], other);
    expect_path(6, IO_MEMFD, AT_FDCWD, fds[6], "memory");
    expect_path(7, IO_OPEN, AT_FDCWD, fds[7] < 0 ? -EOPNOTSUPP : fds[7], fds[7] < 0 ? "" : "/tmp");
    expect_path(8, IO_OPEN, AT_FDCWD, -ENOENT, "no/such\nfile");
    assert_true(records[9].path_call.result < 0);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    unlink(name);
    unlink(other);
}

/* The mode reaches the kernel where there is one. */
static void a_files_mode_is_as_asked(void **state)
{
    char name[] = "/tmp/heapwise-open-XXXXXX";
    (void)state;
    close(mkstemp(name));
    unlink(name);
    const mode_t mask = umask(0);
    const int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0641);
    umask(mask);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0641);
    close(fd);
    unlink(name);
    stop();
}

static void folders_are_opened_and_closed(void **state)
{
    (void)state;
    DIR *const folder = opendir("/tmp");
    assert_non_null(folder);
    const int fd = dirfd(folder);
    closedir(folder);
    assert_null(opendir("/none"));
    DIR *volatile nothing = NULL;
    assert_int_equal(closedir(nothing), -1);
    stop();
    assert_int_equal(n_records, 3);
    expect_path(0, IO_OPENDIR, AT_FDCWD, fd, "/tmp");
    expect_close(1, (unsigned)fd, (unsigned)fd);
    expect_path(2, IO_OPENDIR, AT_FDCWD, -ENOENT, "/none");
}

static void descriptors_without_a_path_are_named(void **state)
{
    int ends[2], fds[8];
    sigset_t none;
    (void)state;
    sigemptyset(&none);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fds[0] = eventfd(0, 0);
    fds[1] = epoll_create1(0);
    fds[2] = timerfd_create(CLOCK_MONOTONIC, 0);
    fds[3] = inotify_init1(0);
    fds[4] = signalfd(-1, &none, 0);
    assert_int_equal(signalfd(fds[4], &none, 0), fds[4]);
    assert_int_equal(epoll_create(0), -1);
    fds[5] = dup(fds[0]);
    fds[6] = dup3(fds[0], fds[5], O_CLOEXEC);
    fds[7] = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
    assert_int_equal(dup2(fds[0], fds[0]), fds[0]);
    assert_true(fcntl(fds[0], F_GETFD) >= 0);
    assert_int_equal(dup2(900, 901), -1);
    stop();
    assert_int_equal(n_records, 10);
    expect_new(0, IO_PIPE, ends[0], ends[1]);
    expect_new(1, IO_PIPE, ends[1], ends[0]);
    expect_new(2, IO_EVENTFD, fds[0], -1);
    expect_new(3, IO_EPOLL, fds[1], -1);
    expect_new(4, IO_TIMERFD, fds[2], -1);
    expect_new(5, IO_INOTIFY, fds[3], -1);
    expect_new(6, IO_SIGNALFD, fds[4], -1);
    expect_new(7, IO_DUP, fds[5], fds[0]);
    expect_new(8, IO_DUP, fds[5], fds[0]);
    expect_new(9, IO_DUP, fds[7], fds[0]);
    assert_true(fds[7] >= 100);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    close(ends[0]);
    close(ends[1]);
}

static void a_pseudo_terminal_is_two(void **state)
{
    int master, slave;
    (void)state;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        skip();
    stop();
    assert_int_equal(n_records, 2);
    expect_path(0, IO_OPEN, AT_FDCWD, master, "/dev/ptmx");
    expect_path(1, IO_OPEN, AT_FDCWD, slave, "");
    close(master);
    close(slave);
}

static void closing_is_recorded_in_all_forms(void **state)
{
    (void)state;
    assert_int_equal(close(900), -1);
    assert_int_equal(close(-1), -1);
    assert_int_equal(close_range(800, 900, 0), 0);
    assert_int_equal(close_range(800, 900, CLOSE_RANGE_CLOEXEC), 0);
    closefrom(700);
    stop();
    assert_int_equal(n_records, 3);
    expect_close(0, 900, 900);
    expect_close(1, 800, 900);
    expect_close(2, 700, UINT32_MAX);
}

/* Its descriptors are not ours. */
static void a_child_in_our_memory_changes_nothing(void **state)
{
    (void)state;
    const int fd = open("/dev/null", O_WRONLY);
    assert_int_equal(write(fd, "x", 1), 1);
    io_fixture_is_guest = true;
    const int other = dup(fd);
    close(fd);
    assert_int_equal(open("/dev/null", O_WRONLY), fd);
    close(other);
    io_fixture_is_guest = false;
    assert_int_equal(write(fd, "x", 1), 1);
    stop();
    assert_int_equal(n_records, 4); /* opened, told, two writes */
    assert_int_equal(records[1].tag, TRACE_FD_IS);
    assert_int_equal(records[3].tag, TRACE_IO);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(opening_by_path_says_what_the_program_said, start),
        cmocka_unit_test_setup(a_files_mode_is_as_asked, start),
        cmocka_unit_test_setup(folders_are_opened_and_closed, start),
        cmocka_unit_test_setup(descriptors_without_a_path_are_named, start),
        cmocka_unit_test_setup(a_pseudo_terminal_is_two, start),
        cmocka_unit_test_setup(closing_is_recorded_in_all_forms, start),
        cmocka_unit_test_setup(a_child_in_our_memory_changes_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
