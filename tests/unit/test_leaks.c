/* SPDX-License-Identifier: MIT */
/* Whose a leak is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/load_script.h"

#define NAMES                                                                                      \
    "string 1 /bin/prog\nstring 2 main\nstring 3 /src/p.c\nstring 4 helper\nstring 5 malloc\n"     \
    "string 6 operator_new\nstring 7 strdup\nstring 8 /lib/libc.so.6\nobject 1 1 aa11\n"           \
    "object 2 8 cc\n"

#define LEAKS                                                                                      \
    SCRIPT_HEAD                                                                                    \
    "1 module 2 2 /lib/libc.so.6 cc 0x700000 0x700000 0x800000\n"                                  \
    "1 node 4 2 0x700101\n1 node 5 4 0x700201\n"                                                   \
    "1 malloc 10 0x1000 100 5\n1 malloc 11 0x2000 20 2\n1 malloc 12 0x3000 3 3\n" NAMES            \
    "string 10 _IO_file_doallocate\nstring 11 puts\nstring 12 setlocale\n"                         \
    "symbol 2 0x200 10,0,0,0\nsymbol 2 0x100 11,0,0,0\nsymbol 1 0x200 4,3,1,0\n"                   \
    "symbol 1 0x300 12,3,1,0\nsymbol 1 0x100 2,3,1,0\n" SCRIPT_TAIL

static struct profile *load_with(const char *suppressions, bool no_builtin)
{
    char path[64] = "";
    int fd = -1;
    if (suppressions)
        fd = trace_file(suppressions, strlen(suppressions), path);
    const struct profile_options options = {.suppressions = suppressions ? path : NULL,
                                            .no_builtin_suppressions = no_builtin};
    struct profile *const profile = load_script_with(LEAKS, &options);
    if (fd >= 0)
        close(fd);
    return profile;
}

static void runtime_blocks_are_kept_apart(void **state)
{
    (void)state;
    struct profile *const profile = load_with(NULL, false);
    assert_int_equal(profile->totals.leaked_count, 3);
    assert_int_equal(profile->runtime_leaked_count,
                     1); /* a setlocale of the program's own is its own */
    assert_int_equal(profile->runtime_leaked_bytes, 100);
    profile_free(profile);
}

static void built_in_patterns_can_be_left_out(void **state)
{
    (void)state;
    struct profile *const profile = load_with(NULL, true);
    assert_int_equal(profile->runtime_leaked_count, 0);
    profile_free(profile);
}

static void user_patterns_match_any_frame(void **state)
{
    (void)state;
    static const struct {
        const char *suppressions;
        uint64_t count, bytes;
    } rows[] = {
        {"leak:^helper$\n", 2, 120}, {"leak:main\n", 3, 123}, {"leak:/src/p.c", 3, 123},
        {"leak:/bin/prog$", 3, 123}, {"leak:nothing", 0, 0},  {"leak:puts\nleak:^setl*e$", 2, 103},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile *const profile = load_with(rows[i].suppressions, false);
        assert_int_equal(profile->suppressed_leaked_count, rows[i].count);
        assert_int_equal(profile->suppressed_leaked_bytes, rows[i].bytes);
        profile_free(profile);
    }
}

static void faulty_file_is_an_error(void **state)
{
    (void)state;
    const struct profile_options options = {.suppressions = "/nonexistent"};
    struct trace_bytes trace = trace_write(LEAKS);
    struct profile *profile = NULL;
    struct trace_error error;
    assert_int_equal(load_bytes(trace.bytes, trace.n_bytes, &options, &profile, &error), -EINVAL);
    assert_string_equal(error.record, "suppressions");
    free(trace.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runtime_blocks_are_kept_apart),
        cmocka_unit_test(built_in_patterns_can_be_left_out),
        cmocka_unit_test(user_patterns_match_any_frame),
        cmocka_unit_test(faulty_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
