/* SPDX-License-Identifier: MIT */
/* The tables of the libc that this test runs with: found, changed, protected again. The order of the cases is
 * part of the test: from the first that replaces on, the slots are ours. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>
#include <cmocka.h>

#include "preload/stdio_tables.h"
#include "tests/support/filter.h"

static struct stdio_tables tables;
static struct {
    unsigned n_reads, n_writes, n_seeks, n_closes;
} seen;

static ssize_t count_read(FILE *stream, void *bytes, ssize_t n_bytes)
{
    seen.n_reads++;
    return stdio_tables_before(&tables, stream)->read(stream, bytes, n_bytes);
}

static ssize_t count_write(FILE *stream, const void *bytes, ssize_t n_bytes)
{
    seen.n_writes++;
    return stdio_tables_before(&tables, stream)->write(stream, bytes, n_bytes);
}

static off64_t count_seek(FILE *stream, off64_t offset, int whence)
{
    seen.n_seeks++;
    return stdio_tables_before(&tables, stream)->seek(stream, offset, whence);
}

static int count_close(FILE *stream)
{
    seen.n_closes++;
    return stdio_tables_before(&tables, stream)->close(stream);
}

static const struct stdio_slots ours = {
    .read = count_read, .write = count_write, .seek = count_seek, .close = count_close};

static void a_stream_that_is_none_is_refused(void **state)
{
    static union {
        FILE file;
        uint8_t bytes[sizeof(FILE) + 64];
    } fake;
    static const uintptr_t heap_table[32];
    const uintptr_t places[] = {0, 1, (uintptr_t)heap_table, (uintptr_t)&seen, UINTPTR_MAX - 7};
    (void)state;
    assert_non_null(stdio_tables_replace(NULL, &ours, &tables));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        memcpy(fake.bytes + sizeof(FILE), &places[i], sizeof places[i]);
        assert_non_null(stdio_tables_replace(&fake.file, &ours, &tables));
        assert_int_equal(tables.n, 0);
    }
}

/* In a child: a filter is for ever. */
static void tables_that_stay_protected_are_left_alone(void **state)
{
    int status;
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        const bool refuses = filter_refuse(SYS_mprotect, EPERM);
        const char *const obstacle = stdio_tables_replace(stdout, &ours, &tables);
        if (!refuses || !obstacle || tables.n != 0 || printf("still here\n") < 0)
            _exit(1);
        fflush(stdout);
        _exit(seen.n_writes);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* glibc has at least those of files and of popen, each narrow, mapped, maybe mapped. */
static void all_tables_are_found(void **state)
{
    (void)state;
    assert_null(stdio_tables_replace(stdout, &ours, &tables));
    assert_in_range(tables.n, 3, STDIO_MAX_TABLES);
    for (size_t i = 0; i < tables.n; i++) {
        assert_ptr_equal(tables.tables[i].slots->read, count_read);
        assert_ptr_equal(tables.tables[i].slots->write, count_write);
        assert_ptr_equal(tables.tables[i].slots->close, count_close);
        assert_ptr_equal(tables.tables[i].before.read, tables.usual.read);
        assert_in_range((uintptr_t)tables.tables[i].before.close, tables.code_start,
                        tables.code_end - 1);
    }
}

/* From outside: what the kernel says of the mapping. */
static void tables_are_protected_again(void **state)
{
    (void)state;
    FILE *const maps = fopen("/proc/self/maps", "re");
    char line[512], rights[8] = "";
    uintptr_t start, end;
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 &&
            (uintptr_t)tables.tables[0].slots >= start && (uintptr_t)tables.tables[0].slots < end)
            break;
    fclose(maps);
    assert_string_equal(rights, "r--p");
}

static void a_file_passes_all_four(void **state)
{
    (void)state;
    char path[] = "/tmp/heapwise-tables-XXXXXX", text[16];
    FILE *const stream = fdopen(mkstemp(path), "w+");
    unlink(path);
    memset(&seen, 0, sizeof seen);
    fputs("one", stream);
    assert_int_equal(seen.n_writes, 0);
    rewind(stream);
    assert_int_equal(seen.n_writes, 1);
    assert_non_null(fgets(text, sizeof text, stream));
    assert_string_equal(text, "one");
    assert_true(seen.n_reads >= 1 && seen.n_seeks >= 1);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(seen.n_closes, 1);
}

static void a_pipe_is_waited_for_as_before(void **state)
{
    (void)state;
    char text[16] = "";
    memset(&seen, 0, sizeof seen);
    FILE *const stream = popen("echo two; exit 3", "r");
    assert_non_null(fgets(text, sizeof text, stream));
    assert_string_equal(text, "two\n");
    assert_int_equal(pclose(stream), 3 << 8);
    assert_true(seen.n_reads >= 1);
    assert_int_equal(seen.n_closes, 1);
}

static void wide_and_mapped_streams_pass_too(void **state)
{
    (void)state;
    char path[] = "/tmp/heapwise-tables-XXXXXX";
    FILE *stream = fdopen(mkstemp(path), "w");
    memset(&seen, 0, sizeof seen);
    fputws(L"wide", stream);
    fclose(stream);
    assert_int_equal(seen.n_writes, 1);
    stream = fopen(path, "rm");
    assert_int_equal(fgetc(stream), 'w');
    fclose(stream);
    assert_int_equal(seen.n_closes, 2);
    unlink(path);
}

/* Streams that have functions of their own are left alone. */
static void memory_streams_pass_none(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    memset(&seen, 0, sizeof seen);
    FILE *const stream = open_memstream(&text, &n);
    fputs("three", stream);
    fclose(stream);
    assert_string_equal(text, "three");
    assert_int_equal(seen.n_writes + seen.n_closes, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_that_is_none_is_refused),
        cmocka_unit_test(tables_that_stay_protected_are_left_alone),
        cmocka_unit_test(all_tables_are_found),
        cmocka_unit_test(tables_are_protected_again),
        cmocka_unit_test(a_file_passes_all_four),
        cmocka_unit_test(a_pipe_is_waited_for_as_before),
        cmocka_unit_test(wide_and_mapped_streams_pass_too),
        cmocka_unit_test(memory_streams_pass_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
