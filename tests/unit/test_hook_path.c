/* SPDX-License-Identifier: MIT */
/* Each call of hook_path.c makes one record with the path that was given. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace/io_ops.h"
#include "tests/support/io_fixture.h"

int __xstat(int version, const char *path, struct stat *status_out);
int __lxstat64(int version, const char *path, struct stat *status_out);
int __fxstat(int version, int fd, struct stat *status_out);
int __fxstatat(int version, int folder, const char *path, struct stat *status_out, int flags);

static struct record records[64];
static size_t n_records;
static char name[] = "/tmp/heapwise-path-XXXXXX";

static int start(void **state)
{
    (void)state;
    memcpy(name + strlen(name) - 6, "XXXXXX", 6);
    close(mkstemp(name));
    io_fixture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(name);
    return 0;
}

static void stop(void)
{
    n_records = io_fixture_stop(records, sizeof records / sizeof *records);
}

struct wanted {
    enum io_op op;
    int folder;
    int64_t result;
    const char *path;
};

static void expect(const struct wanted *rows, size_t n)
{
    stop();
    assert_int_equal(n_records, n);
    for (size_t i = 0; i < n; i++) {
        const struct record_path_call *const call = &records[i].path_call;
        assert_int_equal(records[i].tag, TRACE_PATH_CALL);
        assert_int_equal(call->op, rows[i].op);
        assert_int_equal(call->folder_fd, rows[i].folder);
        assert_int_equal(call->result, rows[i].result);
        assert_true(io_fixture_text_is(&call->path, rows[i].path));
    }
}

static void asking_is_recorded_by_all_names(void **state)
{
    struct stat status;
    struct statx more;
    (void)state;
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(lstat64("/none", (struct stat64 *)(void *)&status), -1);
    assert_int_equal(fstatat(AT_FDCWD, name, &status, 0), 0);
    assert_int_equal(statx(AT_FDCWD, name, 0, STATX_SIZE, &more), 0);
    assert_int_equal(__xstat(1, name, &status), 0);
    assert_int_equal(__lxstat64(1, name, &status), 0);
    assert_int_equal(__fxstatat(1, AT_FDCWD, name, &status, 0), 0);
    assert_int_equal(access("none", R_OK), -1);
    assert_int_equal(euidaccess(name, R_OK), 0);
    assert_int_equal(faccessat(1000, "none", R_OK, 0), -1);
    const struct wanted rows[] = {
        {IO_STAT, AT_FDCWD, 0, name},   {IO_STAT, AT_FDCWD, -ENOENT, "/none"},
        {IO_STAT, AT_FDCWD, 0, name},   {IO_STATX, AT_FDCWD, 0, name},
        {IO_STAT, AT_FDCWD, 0, name},   {IO_STAT, AT_FDCWD, 0, name},
        {IO_STAT, AT_FDCWD, 0, name},   {IO_ACCESS, AT_FDCWD, -ENOENT, "none"},
        {IO_ACCESS, AT_FDCWD, 0, name}, {IO_ACCESS, 1000, -EBADF, ""},
    };
    expect(rows, sizeof rows / sizeof *rows);
}

static void asking_by_descriptor_is_no_transfer(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(fstat(0, &status), 0);
    assert_int_equal(__fxstat(1, -1, &status), -1);
    stop();
    assert_int_equal(n_records, 2);
    assert_int_equal(records[0].io.op, IO_FSTAT);
    assert_int_equal(records[0].io.fd, 0);
    assert_int_equal(records[1].io.result, -EBADF);
}

static void changes_of_names_are_recorded(void **state)
{
    char other[64], target[64];
    (void)state;
    snprintf(other, sizeof other, "%s-other", name);
    assert_int_equal(rename(name, other), 0);
    assert_int_equal(renameat(AT_FDCWD, other, AT_FDCWD, name), 0);
    assert_int_equal(renameat2(AT_FDCWD, name, AT_FDCWD, other, 0), 0);
    assert_int_equal(truncate(other, 100), 0);
    assert_int_equal(readlink(other, target, sizeof target), -1);
    assert_int_equal(readlinkat(AT_FDCWD, other, target, sizeof target), -1);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(unlinkat(AT_FDCWD, other, 0), -1);
    assert_int_equal(remove(other), -1);
    const struct wanted rows[] = {
        {IO_RENAME, AT_FDCWD, 0, name},        {IO_RENAME, AT_FDCWD, 0, other},
        {IO_RENAME, AT_FDCWD, 0, name},        {IO_TRUNCATE, AT_FDCWD, 0, other},
        {IO_READLINK, AT_FDCWD, -EINVAL, ""},  {IO_READLINK, AT_FDCWD, -EINVAL, ""},
        {IO_UNLINK, AT_FDCWD, 0, other},       {IO_UNLINK, AT_FDCWD, -ENOENT, other},
        {IO_UNLINK, AT_FDCWD, -ENOENT, other},
    };
    expect(rows, sizeof rows / sizeof *rows);
}

static void the_working_folder_is_followed(void **state)
{
    char before[4096];
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    const int root = open("/", O_RDONLY);
    assert_int_equal(chdir("/none"), -1);
    assert_int_equal(chdir("/tmp/."), 0);
    assert_int_equal(fchdir(root), 0);
    io_fixture_is_guest = true; /* whose folder is not ours */
    assert_int_equal(chdir(before), 0);
    stop();
    assert_int_equal(n_records, 3);
    assert_int_equal(records[1].tag, TRACE_FOLDER);
    assert_true(io_fixture_text_is(&records[1].folder.path, "/tmp"));
    assert_true(io_fixture_text_is(&records[2].folder.path, "/"));
    close(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asking_is_recorded_by_all_names, start, end),
        cmocka_unit_test_setup_teardown(asking_by_descriptor_is_no_transfer, start, end),
        cmocka_unit_test_setup_teardown(changes_of_names_are_recorded, start, end),
        cmocka_unit_test_setup_teardown(the_working_folder_is_followed, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
