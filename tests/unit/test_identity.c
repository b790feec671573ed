/* SPDX-License-Identifier: MIT */
/* What a descriptor leads to is told before its first transfer, and again after it became another. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/identity.h"
#include "tests/support/io_fixture.h"

static struct record records[64];
static char path[] = "/tmp/heapwise-identity-\xff\n-XXXXXX";
static char byte;

/* The identities told since io_fixture_start(), moved to the front of records. */
static size_t told(void)
{
    const size_t n = io_fixture_stop(records, sizeof records / sizeof *records);
    size_t n_told = 0;
    for (size_t i = 0; i < n; i++)
        if (records[i].tag == TRACE_FD_IS)
            records[n_told++] = records[i];
    return n_told;
}

static const struct record_fd_is *only(void)
{
    assert_int_equal(told(), 1);
    return &records[0].fd_is;
}

static int start(void **state)
{
    (void)state;
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    io_fixture_start();
    return 0;
}

static void a_file_is_told_with_its_place_and_size(void **state)
{
    struct stat status;
    (void)state;
    const int fd = mkstemp(path);
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(read(fd, &byte, 1), 0);
    const struct record_fd_is *const is = only();
    assert_int_equal(fstat(fd, &status), 0);
    assert_true(io_fixture_text_is(&is->name, path));
    assert_int_equal(is->fd, fd);
    assert_int_equal(is->kind, TRACE_FD_FILE);
    assert_int_equal(is->flags & (O_ACCMODE | O_APPEND), O_RDWR | O_APPEND);
    assert_int_equal(is->offset_bytes, 0);
    assert_int_equal(is->size_bytes, 0);
    assert_true(is->device == status.st_dev && is->inode == status.st_ino);
    close(fd);
    unlink(path);
}

static void a_removed_file_keeps_its_name(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_true(io_fixture_text_is(&only()->name, path));
    close(fd);
}

static void each_kind_is_told_apart(void **state)
{
    static const struct {
        const char *path;
        enum trace_fd_kind kind;
    } rows[] = {
        {"/dev/null", TRACE_FD_CHARACTER},
        {"/dev/ptmx", TRACE_FD_TERMINAL},
        {"/", TRACE_FD_FOLDER},
        {"/proc/self/status", TRACE_FD_FILE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        io_fixture_start();
        const int fd = open(rows[i].path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            continue; /* no pseudo-terminals here */
        (void)!read(fd, &byte, 1);
        assert_int_equal(only()->kind, rows[i].kind);
        close(fd);
    }
}

static void pipes_and_sockets_have_names(void **state)
{
    char name[64];
    struct stat status;
    int ends[2], pair[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(told(), 2);
    fstat(ends[1], &status);
    snprintf(name, sizeof name, "pipe:[%lu]", (unsigned long)status.st_ino);
    assert_true(io_fixture_text_is(&records[0].fd_is.name, name));
    assert_int_equal(records[0].fd_is.kind, TRACE_FD_PIPE);
    assert_int_equal(records[0].fd_is.offset_bytes, -1);
    fstat(pair[1], &status);
    snprintf(name, sizeof name, "socket:[unix %lu]", (unsigned long)status.st_ino);
    assert_true(io_fixture_text_is(&records[1].fd_is.name, name));
    assert_int_equal(records[1].fd_is.kind, TRACE_FD_SOCKET);
    for (unsigned i = 0; i < 2; i++) {
        close(ends[i]);
        close(pair[i]);
    }
}

static void a_number_used_again_is_told_again(void **state)
{
    (void)state;
    const int fd = open("/dev/zero", O_RDWR), other = open("/dev/null", O_RDWR);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(dup2(fd, other), other); /* told by what it was duplicated from */
    assert_int_equal(read(other, &byte, 1), 1);
    assert_int_equal(dup2(other, other), other);
    assert_int_equal(read(other, &byte, 1), 1);
    close(fd);
    assert_int_equal(open("/dev/null", O_RDWR), fd);
    assert_int_equal(write(fd, "x", 1), 1);
    close_range((unsigned)other, (unsigned)other, 0);
    assert_int_equal(dup(fd), other);
    assert_int_equal(write(other, "x", 1), 1);
    assert_int_equal(told(), 4);
    assert_true(io_fixture_text_is(&records[0].fd_is.name, "/dev/zero"));
    assert_true(io_fixture_text_is(&records[1].fd_is.name, "/dev/zero"));
    assert_true(io_fixture_text_is(&records[2].fd_is.name, "/dev/null"));
    assert_true(io_fixture_text_is(&records[3].fd_is.name, "/dev/null"));
    close(fd);
    close(other);
}

static void what_is_not_open_is_not_told(void **state)
{
    (void)state;
    assert_int_equal(read(-1, &byte, 1), -1);
    assert_int_equal(read(900, &byte, 1), -1);
    assert_int_equal(read(INT32_MAX, &byte, 1), -1);
    assert_int_equal(told(), 0);
}

static void ranges_are_forgotten_bit_by_bit(void **state)
{
    static const struct {
        uint32_t first, last, n_left;
    } rows[] = {
        {0, UINT32_MAX, 0}, {3, 3, 199},     {63, 64, 198}, {64, 127, 136},
        {0, 63, 136},       {199, 500, 199}, {1, 198, 2},   {IDENTITY_BITS, UINT32_MAX, 200},
        {5, 4, 200},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t n = 0;
        for (unsigned word = 0; word < 4; word++)
            session.told[word] = word < 3 ? UINT64_MAX : 0xff;
        identity_forget_range(rows[i].first, rows[i].last);
        for (unsigned word = 0; word < 4; word++)
            n += (uint32_t)__builtin_popcountll(session.told[word]);
        assert_int_equal(n, rows[i].n_left);
    }
    io_fixture_stop(records, 1);
}

static void under_a_filter_nothing_is_asked(void **state)
{
    (void)state;
    const int fd = open("/dev/zero", O_RDWR);
    session.syscalls_risky = 1;
    assert_int_equal(read(fd, &byte, 1), 1);
    session.syscalls_risky = 0;
    assert_int_equal(told(), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_is_told_with_its_place_and_size, start),
        cmocka_unit_test_setup(a_removed_file_keeps_its_name, start),
        cmocka_unit_test_setup(each_kind_is_told_apart, start),
        cmocka_unit_test_setup(pipes_and_sockets_have_names, start),
        cmocka_unit_test_setup(a_number_used_again_is_told_again, start),
        cmocka_unit_test_setup(what_is_not_open_is_not_told, start),
        cmocka_unit_test_setup(ranges_are_forgotten_bit_by_bit, start),
        cmocka_unit_test_setup(under_a_filter_nothing_is_asked, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
