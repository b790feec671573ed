/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char folder[] = "/tmp/heapwise-file-XXXXXX";
static char path[128];
static const struct trace_file_limits no_limits = {UINT64_MAX, UINT64_MAX};

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/t.hwt", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static struct stat status_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(name, &status), 0);
    return status;
}

static void a_trace_is_private_and_exactly_as_long_as_written(void **state)
{
    struct trace_file file;
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    assert_int_equal(trace_file_admit(&file, 5), 0);
    assert_int_equal(trace_file_write(&file, "12345", 5), 0);
    assert_int_equal(status_of(path).st_size, 5);
    assert_int_equal(trace_file_close(&file), 0);
    assert_int_equal(trace_file_close(&file), 0);
    const struct stat status = status_of(path);
    assert_int_equal(status.st_size, 5);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(status.st_blocks * 512 <= 65536); /* what was allocated ahead is given back */
}

static void an_old_trace_is_replaced(void **state)
{
    struct trace_file file;
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    trace_file_write(&file, "a long one", 10);
    trace_file_close(&file);
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    trace_file_write(&file, "x", 1);
    trace_file_close(&file);
    assert_int_equal(status_of(path).st_size, 1);
}

static void what_cannot_be_opened_is_said(void **state)
{
    struct trace_file file;
    char link_path[160];
    char fifo_path[160];
    (void)state;
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    snprintf(fifo_path, sizeof fifo_path, "%s/fifo", folder);
    assert_int_equal(symlink("/dev/null", link_path), 0);
    assert_int_equal(mkfifo(fifo_path, 0600), 0);
    const struct {
        const char *path;
        bool follow;
        int error;
    } rows[] = {
        {"/nonexistent/t.hwt", true, -ENOENT},
        {folder, true, -EISDIR},
        {link_path, true, 0},
        {fifo_path, true, -ENXIO},
        {"/dev/full", true, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int error = trace_file_open(&file, rows[i].path, rows[i].follow, &no_limits);
        assert_int_equal(error, rows[i].error);
        if (error == 0)
            trace_file_close(&file);
    }
    unlink(link_path);
    unlink(fifo_path);
}

static void a_guessable_name_is_never_followed(void **state)
{
    struct trace_file file;
    char kept[160];
    (void)state;
    snprintf(kept, sizeof kept, "%s/kept", folder);
    unlink(path);
    close(open(kept, O_WRONLY | O_CREAT, 0666));
    for (int i = 0; i < 2; i++) { /* somebody's file, or a link to one */
        assert_int_equal(i == 0 ? link(kept, path) : symlink(kept, path), 0);
        assert_int_equal(trace_file_open(&file, path, false, &no_limits), 0);
        trace_file_write(&file, "secret", 6);
        trace_file_close(&file);
        assert_int_equal(status_of(kept).st_size, 0);
        assert_int_equal(status_of(path).st_mode & 0777, 0600);
        unlink(path);
    }
    assert_int_equal(trace_file_open(&file, folder, false, &no_limits), -EISDIR);
    unlink(kept);
}

/* What is there before the trace is opened. */
enum before { NOTHING, OLD_TRACE, TWO_NAMES, ANOTHERS, RIGHTS };

static void prepare(enum before before, const char *second)
{
    /* u::rw- u:1:r-- g::--- m::r-- o::---, as setfacl writes it */
    static const uint8_t acl[] = {2, 0, 0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
                                  0, 1, 0,   0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16, 0,
                                  4, 0, 255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    unlink(path);
    unlink(second);
    if (before != NOTHING)
        close(open(path, O_WRONLY | O_CREAT, 0600));
    if (before == TWO_NAMES)
        assert_int_equal(link(path, second), 0);
    if (before == ANOTHERS && chown(path, 1, 1))
        unlink(path), symlink("/dev/null", path); /* only root can */
    if (before == RIGHTS && setxattr(path, "system.posix_acl_access", acl, sizeof acl, 0) &&
        setxattr(path, "user.comment", "x", 1, 0))
        assert_int_equal(link(path, second), 0); /* a disk without any */
}

static void a_second_file_needs_plenty_of_room(void **state)
{
    static const struct trace_file_limits few = {UINT64_MAX, 1 << 30}, max = {1 << 30, UINT64_MAX};
    const uint64_t too_much = UINT64_MAX / 8;
    char link_path[160], second[160];
    (void)state;
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    const struct {
        const char *path;
        const struct trace_file_limits *limits;
        enum before before;
        uint64_t n_more_bytes;
        bool plenty;
    } rows[] = {
        {path, &no_limits, NOTHING, 0, true},
        {path, &no_limits, OLD_TRACE, 0, true},
        {path, &no_limits, OLD_TRACE, too_much, false},
        {path, &few, NOTHING, 0, false},
        {path, &max, NOTHING, 0, false},
        {path, &no_limits, TWO_NAMES, 0, false},
        {path, &no_limits, ANOTHERS, 0, false},
        {path, &no_limits, RIGHTS, 0, false},
        {link_path, &no_limits, OLD_TRACE, 0, false},
        {link_path, &no_limits, NOTHING, 0,
         false}, /* the file that the link names comes into being */
        {"/dev/null", &no_limits, NOTHING, 0, false},
    };
    assert_int_equal(symlink(path, link_path), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trace_file file;
        prepare(rows[i].before, second);
        assert_int_equal(trace_file_open(&file, rows[i].path, true, rows[i].limits), 0);
        assert_int_equal(trace_file_has_plenty(&file, rows[i].n_more_bytes), rows[i].plenty);
        trace_file_close(&file);
        assert_int_equal(file.folder_fd, -1);
    }
    unlink(second);
    unlink(link_path);
    unlink(path);
}

static void a_trace_of_nothing_goes_as_it_came(void **state)
{
    struct trace_file file;
    (void)state;
    unlink(path);
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    trace_file_write(&file, "12345", 5);
    trace_file_discard(&file, path);
    trace_file_discard(&file, path);
    assert_int_equal(access(path, F_OK), -1);
    close(open(path, O_WRONLY | O_CREAT, 0640));
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    trace_file_write(&file, "12345", 5);
    trace_file_discard(&file, path);
    assert_int_equal(status_of(path).st_size, 0);
    assert_int_equal(status_of(path).st_mode & 0777, 0640);
    unlink(path);
}

static void room_is_what_limits_and_disk_leave(void **state)
{
    static const struct trace_file_limits limits = {UINT64_MAX, 1 << 20};
    struct trace_file file;
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &limits), 0);
    assert_int_equal(trace_file_room(&file), 1 << 20);
    trace_file_close(&file);
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    assert_true(trace_file_room(&file) > 0 && trace_file_room(&file) < UINT64_C(1) << 60);
    trace_file_close(&file);
    assert_int_equal(trace_file_open(&file, "/dev/null", true, &no_limits), 0);
    assert_true(trace_file_room(&file) == UINT64_MAX);
    trace_file_close(&file);
}

static void limits_keep_a_reserve_back(void **state)
{
    static const struct {
        struct trace_file_limits limits;
        enum trace_stop_reason reason;
    } rows[] = {
        {{1 << 20, UINT64_MAX}, TRACE_STOP_MAX_SIZE},
        {{UINT64_MAX, 1 << 20}, TRACE_STOP_FILE_LIMIT},
        {{1 << 20, 1 << 21}, TRACE_STOP_MAX_SIZE},
        {{1 << 21, 1 << 20}, TRACE_STOP_FILE_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trace_file file;
        assert_int_equal(trace_file_open(&file, path, true, &rows[i].limits), 0);
        assert_int_equal(trace_file_admit(&file, 800 * 1024), 0);
        assert_int_equal(trace_file_admit(&file, 1 << 20), -EFBIG);
        assert_int_equal(trace_file_stop_reason(&file, -EFBIG), rows[i].reason);
        trace_file_release_reserve(&file);
        assert_int_equal(trace_file_admit(&file, (1 << 20) - 8192), 0);
        assert_int_equal(trace_file_admit(&file, 1 << 20), -EFBIG);
        trace_file_release_reserve(&file);
        assert_int_equal(trace_file_admit(&file, 1 << 20), 0);
        trace_file_close(&file);
    }
}

static void a_limit_without_room_is_refused(void **state)
{
    struct trace_file file;
    const struct trace_file_limits limits = {UINT64_MAX, 1000};
    (void)state;
    unlink(path);
    assert_int_equal(trace_file_open(&file, path, true, &limits), -EFBIG);
    assert_int_equal(access(path, F_OK), -1); /* nothing is left behind */
}

static void cutting_goes_back_to_the_last_mark(void **state)
{
    struct trace_file file;
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &no_limits), 0);
    trace_file_write(&file, "whole", 5);
    trace_file_mark_whole(&file);
    trace_file_write(&file, "torn", 4);
    assert_int_equal(trace_file_cut_to_whole(&file), 0);
    trace_file_write(&file, "!", 1);
    trace_file_close(&file);
    assert_int_equal(status_of(path).st_size, 6);
}

static void devices_report_their_errors(void **state)
{
    struct trace_file file;
    (void)state;
    assert_int_equal(trace_file_open(&file, "/dev/full", true, &no_limits), 0);
    assert_int_equal(trace_file_write(&file, "x", 1), -ENOSPC);
    assert_int_equal(trace_file_stop_reason(&file, -ENOSPC), TRACE_STOP_NO_SPACE);
    assert_int_equal(trace_file_stop_reason(&file, -EIO), TRACE_STOP_IO_ERROR);
    assert_true(trace_file_cut_to_whole(&file) < 0);
    trace_file_close(&file);
}

/* A disk of 512 KiB is found full while the reserve is still there. */
static void a_full_disk_is_met_before_the_last_byte(void **state)
{
    struct trace_file file;
    char disk[160];
    char on_disk[200];
    static char block[65536];
    (void)state;
    snprintf(disk, sizeof disk, "%s/disk", folder);
    snprintf(on_disk, sizeof on_disk, "%s/t.hwt", disk);
    mkdir(disk, 0700);
    if (mount("none", disk, "tmpfs", 0, "size=512k")) {
        rmdir(disk);
        print_message("skipped: mounting a small tmpfs needs root\n");
        skip();
    }
    int error = trace_file_open(&file, on_disk, true, &no_limits);
    while (error == 0) {
        error = trace_file_admit(&file, sizeof block);
        if (error == 0)
            assert_int_equal(trace_file_write(&file, block, sizeof block), 0);
    }
    assert_int_equal(error, -ENOSPC);
    const uint64_t n_reserve = file.reserve_bytes;
    assert_true(n_reserve >= 8192);
    trace_file_release_reserve(&file);
    trace_file_release_reserve(&file);
    assert_int_equal(trace_file_admit(&file, n_reserve), 0);
    for (uint64_t n = 0; n < n_reserve; n += 4096)
        assert_int_equal(trace_file_write(&file, block, 4096), 0);
    trace_file_close(&file);
    umount(disk);
    rmdir(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_is_private_and_exactly_as_long_as_written),
        cmocka_unit_test(an_old_trace_is_replaced),
        cmocka_unit_test(what_cannot_be_opened_is_said),
        cmocka_unit_test(a_guessable_name_is_never_followed),
        cmocka_unit_test(a_second_file_needs_plenty_of_room),
        cmocka_unit_test(a_trace_of_nothing_goes_as_it_came),
        cmocka_unit_test(room_is_what_limits_and_disk_leave),
        cmocka_unit_test(limits_keep_a_reserve_back),
        cmocka_unit_test(a_limit_without_room_is_refused),
        cmocka_unit_test(cutting_goes_back_to_the_last_mark),
        cmocka_unit_test(devices_report_their_errors),
        cmocka_unit_test(a_full_disk_is_met_before_the_last_byte),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
