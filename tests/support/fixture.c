/* SPDX-License-Identifier: MIT */
/* How do unit tests get real ELF files? They compile them, in a folder that goes away again. */
#include "fixture.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[PATH_MAX];

static void remove_folder(void)
{
    char command[PATH_MAX + 32];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) {
        fprintf(stderr, "# left behind: %s\n", folder);
    }
}

const char *fixture_folder(void)
{
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%s/heapwise test.XXXXXX", base == NULL ? "/tmp" : base);
        assert_non_null(mkdtemp(name));
        assert_non_null(realpath(name, folder));
        atexit(remove_folder);
    }
    return folder;
}

const char *fixture_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    const int n_chars = snprintf(path, PATH_MAX, "%s/%s", fixture_folder(), name);
    assert_true(n_chars > 0 && n_chars < PATH_MAX);
    return path;
}

void fixture_write(const char *name, const char *text, size_t n_bytes)
{
    FILE *file = fopen(fixture_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

void fixture_text(const char *name, const char *text)
{
    fixture_write(name, text, strlen(text));
}

char *fixture_read(const char *name, size_t *n_bytes_out)
{
    FILE *file = fopen(fixture_path(name), "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long n_bytes = ftell(file);
    assert_true(n_bytes >= 0);
    rewind(file);
    char *bytes = malloc((size_t)n_bytes + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)n_bytes, file), n_bytes);
    bytes[n_bytes] = '\0';
    fclose(file);
    *n_bytes_out = (size_t)n_bytes;
    return bytes;
}

static bool run(const char *format, va_list arguments)
{
    char command[4 * PATH_MAX];
    const int n = snprintf(command, sizeof command, "cd '%s' && { ", fixture_folder());
    const int m = vsnprintf(command + n, sizeof command - (size_t)n, format, arguments);
    assert_true(m >= 0 && (size_t)(n + m) + 24 < sizeof command);
    strcat(command, "; } >last.log 2>&1");
    return system(command) == 0;
}

bool fixture_run(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const bool succeeded = run(format, arguments);
    va_end(arguments);
    return succeeded;
}

void fixture_must(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const bool succeeded = run(format, arguments);
    va_end(arguments);
    if (!succeeded) {
        size_t n_bytes;
        char *log = fixture_read("last.log", &n_bytes);
        fprintf(stderr, "%s", log);
        free(log);
        fail_msg("failed: %s", format);
    }
}
