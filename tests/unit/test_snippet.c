/* SPDX-License-Identifier: MIT */
#include "findings/snippet.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/heapwise-snippet-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    const struct timespec long_ago[] = {{1000000000, 0}, {1000000000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), long_ago, 0), 0);
}

/* Lines of the file around one, joined by '|'; else the reason in brackets. */
static const char *read_around(const char *file, uint32_t line, const char *root)
{
    static char shown[2000];
    const struct profile profile = {.started = "2026-01-31T12:00:00Z", .duration_seconds = 2};
    const struct profile_frame frame = {.file = file, .line = line};
    struct snippet snippet;
    snippet_read(&profile, &frame, root, &snippet);
    snprintf(shown, sizeof shown, "[%s]", snippet.why_not);
    if (snippet.n_lines)
        snprintf(shown, sizeof shown, "%u:", (unsigned)snippet.first_line);
    for (uint32_t i = 0; i < snippet.n_lines; i++)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s|",
                 buffer_string(&snippet.lines[i]));
    snippet_fini(&snippet);
    return shown;
}

static void lines_around_are_read(void **state)
{
    (void)state;
    write_file("a.c", "one\n\ttwo\nthree\r\nfour\033[31m\nfive\nsix");
    assert_string_equal(read_around(path_of("a.c"), 1, NULL), "1:one|        two|three|");
    assert_string_equal(read_around(path_of("a.c"), 3, NULL),
                        "1:one|        two|three|four\\x1b[31m|five|");
    assert_string_equal(read_around(path_of("a.c"), 6, NULL), "4:four\\x1b[31m|five|six|");
    assert_string_equal(read_around("a.c", 6, folder), "4:four\\x1b[31m|five|six|");
    assert_string_equal(read_around(path_of("a.c"), 7, NULL), "[it has no such line]");
    assert_string_equal(read_around(path_of("a.c"), UINT32_MAX, NULL), "[]");
    assert_string_equal(read_around(path_of("a.c"), 0, NULL), "[]");
}

static void only_source_is_opened(void **state)
{
    (void)state;
    write_file("key.pem", "secret\n");
    assert_string_equal(read_around(path_of("key.pem"), 1, NULL), "[]");
    assert_string_equal(read_around("/etc/passwd", 1, NULL), "[]");
    assert_int_equal(mkfifo(path_of("pipe.c"), 0600), 0);
    assert_string_equal(read_around(path_of("pipe.c"), 1, NULL), "[it is no regular file]");
    assert_int_equal(mkdir(path_of("folder.c"), 0700), 0);
    assert_string_equal(read_around(path_of("folder.c"), 1, NULL), "[it is no regular file]");
    assert_string_equal(read_around(path_of("missing.c"), 1, NULL), "[it is not on this machine]");
    assert_string_equal(read_around("missing.c", 1, NULL), "[it is not on this machine]");
}

/* A trace may name a link that somebody put where everybody may write. */
static void links_are_followed_to_source_only(void **state)
{
    (void)state;
    write_file("key.pem", "secret\n");
    write_file("a.c", "one\n");
    assert_int_equal(symlink("key.pem", path_of("key.c")), 0);
    assert_int_equal(symlink("a.c", path_of("link.c")), 0);
    assert_string_equal(read_around(path_of("key.c"), 1, NULL), "[it is a link to another file]");
    assert_string_equal(read_around(path_of("link.c"), 1, NULL), "1:one|");
}

static void changed_and_huge_files_are_refused(void **state)
{
    (void)state;
    write_file("new.c", "one\n");
    assert_int_equal(utimensat(AT_FDCWD, path_of("new.c"), NULL, 0), 0);
    assert_string_equal(read_around(path_of("new.c"), 1, NULL), "[it was changed after the run]");
    write_file("huge.c", "one\n");
    assert_int_equal(truncate(path_of("huge.c"), 100 << 20), 0);
    assert_string_equal(read_around(path_of("huge.c"), 1, NULL),
                        "[it is too large for a source file]");
}

static void wide_lines_are_cut(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 2);
    strcpy(text + sizeof text - 2, "\n");
    write_file("wide.c", text);
    assert_int_equal(strlen(read_around(path_of("wide.c"), 1, NULL)), SNIPPET_MAX_COLUMNS + 3);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.c",    "key.pem", "pipe.c", "folder.c", "new.c",
                                        "huge.c", "wide.c",  "key.c",  "link.c"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_around_are_read),
        cmocka_unit_test(only_source_is_opened),
        cmocka_unit_test(links_are_followed_to_source_only),
        cmocka_unit_test(changed_and_huge_files_are_refused),
        cmocka_unit_test(wide_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
