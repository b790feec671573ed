/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/heapwise-output-XXXXXX";
static char target[64];

static int make_folder(void **state)
{
    (void)state;
    umask(022);
    assert_non_null(mkdtemp(folder));
    snprintf(target, sizeof target, "%s/report.txt", folder);
    return 0;
}

static size_t count_files(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static int empty_folder(void **state)
{
    (void)state;
    unlink(target);
    char other[80];
    snprintf(other, sizeof other, "%s/link", folder);
    unlink(other);
    assert_int_equal(count_files(), 0);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void expect_text(const char *path, const char *text)
{
    char buffer[100] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    buffer[fread(buffer, 1, sizeof buffer - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(buffer, text);
}

static void file_appears_when_closed(void **state)
{
    (void)state;
    struct output output;
    struct stat status;
    assert_int_equal(output_open(&output, target, NULL), 0);
    fputs("whole", output.stream);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(output_close(&output, true), 0);
    expect_text(target, "whole");
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(count_files(), 1);
}

static void failure_leaves_the_old_file(void **state)
{
    (void)state;
    struct output output;
    put(target, "old");
    assert_int_equal(output_open(&output, target, NULL), 0);
    fputs("half", output.stream);
    assert_int_equal(output_close(&output, false), 0);
    expect_text(target, "old");
    assert_int_equal(count_files(), 1);
}

static void mode_of_an_existing_file_stays(void **state)
{
    (void)state;
    struct output output;
    struct stat status;
    put(target, "old");
    assert_int_equal(chmod(target, 0600), 0);
    assert_int_equal(output_open(&output, target, NULL), 0);
    assert_int_equal(output_close(&output, true), 0);
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void link_stays_a_link(void **state)
{
    (void)state;
    struct output output;
    struct stat status;
    char link_path[80];
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    put(target, "old");
    assert_int_equal(symlink("report.txt", link_path), 0);
    assert_int_equal(output_open(&output, link_path, NULL), 0);
    fputs("new", output.stream);
    assert_int_equal(output_close(&output, true), 0);
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    expect_text(target, "new");
}

static void the_input_is_never_replaced(void **state)
{
    (void)state;
    struct output output;
    put(target, "trace");
    assert_int_equal(output_open(&output, target, target), 2);
    expect_text(target, "trace");
}

static void device_is_written_directly(void **state)
{
    (void)state;
    struct output output;
    assert_int_equal(output_open(&output, "/dev/null", NULL), 0);
    fputs("x", output.stream);
    assert_int_equal(output_close(&output, true), 0);
    assert_int_equal(output_open(&output, "/dev/full", NULL), 0);
    fputs("x", output.stream);
    assert_int_equal(output_close(&output, true), 2);
}

static void impossible_place_is_an_error(void **state)
{
    (void)state;
    struct output output;
    assert_int_equal(output_open(&output, "/nonexistent/folder/file", NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(file_appears_when_closed, empty_folder),
        cmocka_unit_test_teardown(failure_leaves_the_old_file, empty_folder),
        cmocka_unit_test_teardown(mode_of_an_existing_file_stays, empty_folder),
        cmocka_unit_test_teardown(link_stays_a_link, empty_folder),
        cmocka_unit_test_teardown(the_input_is_never_replaced, empty_folder),
        cmocka_unit_test(device_is_written_directly),
        cmocka_unit_test(impossible_place_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
