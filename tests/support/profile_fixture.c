/* SPDX-License-Identifier: MIT */
/* The profile that the tests of the report print. */
#include "tests/support/profile_fixture.h"

#include "tests/support/profile_fixture_io.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEMO "/usr/bin/demo"
#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"
#define LONG_STRING                                                                                \
    "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"

enum {
    XMALLOC,
    PARSE_LINE,
    PARSE_FILE,
    MAIN,
    CALL_MAIN,
    START,
    VECTOR,
    LOAD_TABLE,
    UNKNOWN,
    HOSTILE,
    WIDE,
    CACHE_PUT,
    WORKER,
    START_THREAD,
    CLONE3,
    DOALLOCATE,
    FOPEN,
    FORMULA,
    LEVEL,
};

static const struct profile_frame frames[] = {
    [XMALLOC] = {"xmalloc", "/src/demo/util.c", DEMO, 0x1100, 12, false},
    [PARSE_LINE] = {"parse_line", "/src/demo/parse.c", DEMO, 0x1200, 40, true},
    [PARSE_FILE] = {"parse_file", "/src/demo/parse.c", DEMO, 0x1200, 88, false},
    [MAIN] = {"main", "/src/demo/main.c", DEMO, 0x1300, 10, false},
    [CALL_MAIN] = {"__libc_start_call_main", "", LIBC, 0x27249, 0, false},
    [START] = {"_start", "", DEMO, 0x1050, 0, false},
    [VECTOR] = {"void std::vector<" LONG_STRING ", std::allocator<" LONG_STRING
                " > >::_M_realloc_insert<" LONG_STRING
                " const&>(__gnu_cxx::__normal_iterator<" LONG_STRING "*, std::vector<" LONG_STRING
                " > >, " LONG_STRING " const&)",
                "/usr/include/c++/12/bits/vector.tcc", DEMO, 0x1400, 459, true},
    [LOAD_TABLE] = {"load_table(std::istream&, " LONG_STRING " const&)", "/src/demo/table.cpp",
                    DEMO, 0x1400, 21, false},
    [UNKNOWN] = {"", "", "/usr/lib/libfoo.so.1", 0x1f503, 0, false},
    [HOSTILE] = {"evil\033[31m\nname|<b>`x`", "/src/a|b\xff.c", DEMO, 0x1500, 7, false},
    [WIDE] = {"gr\xc3\xb6\xc3\x9f"
              "e_\xe6\xbc\xa2\xe5\xad\x97<int>",
              "/src/gr\xc3\xb6\xc3\x9f"
              "e.c",
              DEMO, 0x1600, 3, false},
    [CACHE_PUT] = {"cache_put", "/src/demo/cache.c", DEMO, 0x1700, 77, false},
    [WORKER] = {"worker", "/src/demo/thread.c", DEMO, 0x1800, 5, false},
    [START_THREAD] = {"start_thread", "", LIBC, 0x89134, 0, false},
    [CLONE3] = {"clone3", "", LIBC, 0x109a80, 0, false},
    [DOALLOCATE] = {"_IO_file_doallocate", "filedoalloc.c", LIBC, 0x76100, 101, false},
    [FOPEN] = {"fopen", "iofopen.c", LIBC, 0x77200, 65, false},
    [FORMULA] = {"=cmd(\"calc\")", "+sheet.c", DEMO, 0x1900, 1, false},
#define LEVEL_ROW(n)                                                                               \
    [LEVEL + n] = {"level_" #n, "/src/demo/deep.c", DEMO, 0x2000 + n, 100 + n, false}
    LEVEL_ROW(0),
    LEVEL_ROW(1),
    LEVEL_ROW(2),
    LEVEL_ROW(3),
    LEVEL_ROW(4),
    LEVEL_ROW(5),
    LEVEL_ROW(6),
    LEVEL_ROW(7),
    LEVEL_ROW(8),
    LEVEL_ROW(9),
    LEVEL_ROW(10),
    LEVEL_ROW(11),
};

const uint32_t fixture_parse[6] = {XMALLOC, PARSE_LINE, PARSE_FILE, MAIN, CALL_MAIN, START};
const uint32_t fixture_worker[5] = {XMALLOC, CACHE_PUT, WORKER, START_THREAD, CLONE3};
const uint32_t fixture_cache[6] = {XMALLOC, CACHE_PUT, PARSE_FILE, MAIN, CALL_MAIN, START};
const uint32_t fixture_vector[5] = {VECTOR, LOAD_TABLE, MAIN, CALL_MAIN, START};
const uint32_t fixture_fopen[6] = {DOALLOCATE, FOPEN, PARSE_FILE, MAIN, CALL_MAIN, START};
static const uint32_t stack_hostile[] = {UNKNOWN, WIDE, HOSTILE, MAIN, CALL_MAIN, START};
static const uint32_t stack_deep[] = {
    FORMULA,   LEVEL,     LEVEL + 1, LEVEL + 2,  LEVEL + 3,  LEVEL + 4, LEVEL + 5, LEVEL + 6,
    LEVEL + 7, LEVEL + 8, LEVEL + 9, LEVEL + 10, LEVEL + 11, MAIN,      CALL_MAIN, START};

static const struct site sites[] = {
    {"00000000000000a1",
     STACK(fixture_parse),
     0,
     {.alloc_count = 60000,
      .free_count = 60000,
      .alloc_bytes = 1920000,
      .peak_bytes = 320,
      .peak_count = 10,
      .temporary_count = 59000,
      .slack_bytes = 80},
     {16, 32, 48, 64, 128, 60000},
     {40, 120, 900, 4000, 1500000, 60000},
     {25, 30, 60, 200, 9000, 940},
     {12, 15, 30, 90, 5000, 930},
     12,
     384,
     1,
     LEAK_PROGRAM},
    {"00000000000000a2",
     STACK(fixture_worker),
     0,
     {.alloc_count = 20000,
      .free_count = 19990,
      .alloc_bytes = 20480000,
      .peak_bytes = 1024000,
      .peak_count = 1000,
      .leaked_count = 10,
      .leaked_bytes = 10240,
      .slack_bytes = 8000},
     {1024, 1024, 1024, 1024, 1024, 20000},
     {1000, 2000000, 9000000, 12000000, 50000000, 19990},
     {0},
     {0},
     1000,
     1024000,
     4,
     LEAK_PROGRAM},
    {"00000000000000a3",
     STACK(fixture_cache),
     0,
     {.alloc_count = 5000,
      .free_count = 5000,
      .alloc_bytes = 5120000,
      .peak_bytes = 512000,
      .peak_count = 500,
      .slack_bytes = 4000},
     {1024, 1024, 1024, 1024, 1024, 5000},
     {1000, 2000000, 9000000, 12000000, 50000000, 5000},
     {0},
     {0},
     500,
     512000,
     1,
     LEAK_PROGRAM},
    {"00000000000000a4",
     STACK(fixture_vector),
     1,
     {.alloc_count = 4000,
      .realloc_count = 0,
      .free_count = 4000,
      .alloc_bytes = 2048000,
      .peak_bytes = 65536,
      .peak_count = 2,
      .temporary_count = 100,
      .slack_bytes = 16},
     {32, 256, 4096, 32768, 65536, 4000},
     {200, 4000, 80000, 90000, 2000000, 4000},
     {0},
     {0},
     2,
     98304,
     1,
     LEAK_PROGRAM},
    {"00000000000000a5",
     STACK(stack_hostile),
     0,
     {.alloc_count = 500,
      .realloc_count = 1500,
      .free_count = 500,
      .alloc_bytes = 96000,
      .peak_bytes = 96,
      .peak_count = 1,
      .copied_bytes = 31000},
     {8, 48, 96, 96, 96, 2000},
     {500, 700, 800, 900, 1000, 500},
     {0},
     {0},
     1,
     96,
     1,
     LEAK_PROGRAM},
    {"00000000000000a6",
     STACK(fixture_fopen),
     2,
     {.alloc_count = 300,
      .free_count = 299,
      .alloc_bytes = 1228800,
      .peak_bytes = 4096,
      .peak_count = 1,
      .leaked_count = 1,
      .leaked_bytes = 4096,
      .slack_bytes = 8},
     {4096, 4096, 4096, 4096, 4096, 300},
     {9000, 10000, 11000, 12000, 13000, 299},
     {0},
     {0},
     2,
     8192,
     1,
     LEAK_RUNTIME},
    {"00000000000000a7",
     STACK(stack_deep),
     0,
     {.alloc_count = 20,
      .free_count = 18,
      .alloc_bytes = 640,
      .peak_bytes = 64,
      .peak_count = 2,
      .leaked_count = 2,
      .leaked_bytes = 64},
     {32, 32, 32, 32, 32, 20},
     {5000, 6000, 7000, 8000, 9000, 18},
     {0},
     {0},
     2,
     64,
     1,
     LEAK_PROGRAM},
    {"00000000000000a8",
     0,
     NULL,
     0,
     {.alloc_count = 1,
      .alloc_bytes = 72704,
      .peak_bytes = 72704,
      .peak_count = 1,
      .leaked_count = 1,
      .leaked_bytes = 72704},
     {72704, 72704, 72704, 72704, 72704, 1},
     {0},
     {0},
     {0},
     1,
     72704,
     1,
     LEAK_SUPPRESSED},
};

static const char *const command[] = {"demo", "--input", "two words.txt", "\033]0;title\a"};
static const char *const make_arguments[] = {"sh", "-c", "exec demo"};
static const char *const child_arguments[] = {"demo", "--child"};
static const struct process_image parent_images[] = {{"/bin/sh", 3, make_arguments},
                                                     {DEMO, 4, command}};
static const struct process_image child_images[] = {{DEMO, 2, child_arguments}};

/* Of the first process; the second adds three frees of inherited blocks. */
#define TOTALS(frees, n_events)                                                                    \
    {                                                                                              \
        .alloc_count = 89821, .realloc_count = 1500, .free_count = (frees),                        \
        .alloc_bytes = 30966144, .peak_bytes = 1678816, .peak_count = 1517, .leaked_count = 14,    \
        .leaked_bytes = 87104, .temporary_count = 59100, .slack_bytes = 12104,                     \
        .copied_bytes = 31000, .mapped_bytes = 8192000, .mapped_peak_bytes = 4096000,              \
        .alloc_rate = 59880.666, .alloc_byte_rate = 20644096, .peak_alloc_rate = 71000,            \
        .peak_alloc_byte_rate = 25000000.5, .io_calls = 2074, .io_read_calls = 1402,               \
        .io_write_calls = 672, .io_read_bytes = 5922304, .io_write_bytes = 115000,                 \
        .io_seconds = 0.0813, .stdio_calls = 60300, .fsync_count = 5, .open_count = 19,            \
        .seek_count = 3, .stat_count = 42, .events = (n_events), .duration_seconds = 1.5           \
    }

#define KERNEL_IO                                                                                  \
    {                                                                                              \
        .known = true, .comparable = true, .read_calls = 1405, .write_calls = 655,                 \
        .read_bytes = 5924800, .write_bytes = 115000, .seen_read_calls = 1402,                     \
        .seen_write_calls = 655, .seen_read_bytes = 5922304, .seen_write_bytes = 115000,           \
        .loader_read_calls = 3, .loader_read_bytes = 2496                                          \
    }

static const struct process processes[] = {
    {.id = 1,
     .parent_id = 0,
     .pid = 4711,
     .n_images = 2,
     .images = parent_images,
     .allocator = LIBC,
     .has_status = true,
     .wait_status = 0x0100,
     .totals = TOTALS(89807, 181130),
     .coverage = {.events = 181130,
                  .threads = 5,
                  .processes = 1,
                  .unwind_fast = 91300,
                  .unwind_fallback = 21,
                  .kernel_io = KERNEL_IO},
     .n_threads = 5},
    {.id = 2,
     .parent_id = 1,
     .pid = 4712,
     .n_images = 1,
     .images = child_images,
     .allocator = LIBC,
     .has_status = true,
     .wait_status = 11,
     .started_seconds = 0.25,
     .totals = {.alloc_count = 0, .free_count = 3, .events = 3, .duration_seconds = 0.125},
     .coverage = {.events = 3, .inherited_frees = 3, .threads = 1, .processes = 1},
     .n_threads = 1},
};

static const struct timeline_point timeline[] = {
    {0.5, 500000, 30000, 10000000, 3000000, 4000000, 100000},
    {1.0, 1678816, 40000, 12000000, 5000000, 1922304, 15000},
    {1.5, 87104, 19821, 8966144, 5000000, 0, 0},
};

static const struct size_bucket size_buckets[] = {
    {1, 16, 500, 8000, 500, {10, 20, 30, 40, 50, 500}},
    {17, 32, 50020, 1500000, 50000, {10, 20, 30, 40, 50, 50000}},
    {33, 64, 14000, 600000, 8600, {0}},
    {1024, 1024, 26801, 28858144, 0, {1000, 2000000, 9000000, 12000000, 50000000, 24990}},
};

static const struct profile fixture = {
    .trace_name = "demo.hwt",
    .started = "2026-01-31T12:00:00Z",
    .n_command = 4,
    .command = command,
    .kernel = "6.1.0-28-amd64",
    .libc = "glibc 2.36",
    .cpu = "AMD EPYC",
    .allocator = LIBC,
    .tool_version = "0.1.0",
    .n_cores = 2,
    .duration_seconds = 1.5,
    .has_status = true,
    .wait_status = 0x0100,
    .cut = {.record = "", .reason = ""},
    .stop_reason = "",
    .totals = TOTALS(89810, 181133),
    .coverage = {.events = 181133,
                 .inherited_frees = 3,
                 .threads = 6,
                 .processes = 2,
                 .unwind_fast = 91300,
                 .unwind_fallback = 21,
                 .kernel_io = KERNEL_IO},
    .peak_rss_bytes = 5000000,
    .peak_seconds = 0.973,
    .runtime_leaked_count = 1,
    .runtime_leaked_bytes = 4096,
    .suppressed_leaked_count = 1,
    .suppressed_leaked_bytes = 72704,
    .sizes = {8, 32, 1024, 1024, 72704, 91321},
    .lifetime_ns = {40, 1100, 9000000, 12000000, 50000000, 89807},
    .n_processes = sizeof processes / sizeof *processes,
    .processes = processes,
    .n_sites = sizeof sites / sizeof *sites,
    .sites = sites,
    .n_frames = sizeof frames / sizeof *frames,
    .frames = frames,
    .n_timeline = sizeof timeline / sizeof *timeline,
    .timeline = timeline,
    .n_size_buckets = sizeof size_buckets / sizeof *size_buckets,
    .size_buckets = size_buckets,
    .io_recorded = true,
    .n_io_sites = sizeof fixture_io_sites / sizeof *fixture_io_sites,
    .io_sites = fixture_io_sites,
    .n_io_files = sizeof fixture_io_files / sizeof *fixture_io_files,
    .io_files = fixture_io_files,
    .n_io_openers = sizeof fixture_io_openers / sizeof *fixture_io_openers,
    .io_openers = fixture_io_openers,
    .n_io_slow_calls = sizeof fixture_io_slow_calls / sizeof *fixture_io_slow_calls,
    .io_slow_calls = fixture_io_slow_calls,
    .n_io_threads = sizeof fixture_io_threads / sizeof *fixture_io_threads,
    .io_threads = fixture_io_threads,
};

const struct profile *profile_fixture(void)
{
    return &fixture;
}

const struct profile *profile_fixture_empty(void)
{
    static const struct profile empty = {
        .trace_name = "empty.hwt",
        .started = "",
        .kernel = "",
        .libc = "",
        .cpu = "",
        .allocator = "",
        .tool_version = "",
        .cut = {.record = "", .reason = ""},
        .stop_reason = "",
    };
    return &empty;
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

void profile_fixture_compare(const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/expected/%s", TEST_SOURCE_ROOT, name);
    if (getenv("HEAPWISE_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
        return;
    }
    char *expected = read_all(path);
    assert_non_null(expected);
    size_t line = 1, at = 0;
    while (expected[at] && expected[at] == text[at])
        line += expected[at++] == '\n';
    if (expected[at] != text[at])
        fail_msg("%s:%zu differs:\nexpected: %.*s\n     got: %.*s", name, line,
                 (int)strcspn(expected + at, "\n"), expected + at, (int)strcspn(text + at, "\n"),
                 text + at);
    free(expected);
}
