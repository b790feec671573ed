/* SPDX-License-Identifier: MIT */
/* Which names a suppression matches, and what a file of them may hold. */
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

#include "reader/suppress.h"

static bool matches(const char *pattern, const char *name)
{
    struct suppressions suppressions = {0};
    struct trace_error error;
    char line[128];
    const int n = snprintf(line, sizeof line, "leak:%s", pattern);
    assert_int_equal(suppress_parse(&suppressions, line, (size_t)n, &error), 0);
    const bool result = suppress_matches(&suppressions, name);
    suppress_fini(&suppressions);
    return result;
}

static void patterns_match_as_in_leak_sanitizer(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"foo", "foo", true},
        {"foo", "a_foo_b", true},
        {"foo", "fo", false},
        {"^foo", "foobar", true},
        {"^foo", "a_foo", false},
        {"foo$", "a_foo", true},
        {"foo$", "foo_a", false},
        {"^foo$", "foo", true},
        {"^foo$", "foofoo", false},
        {"a*c", "abc", true},
        {"a*c", "ac", true},
        {"a*c", "xxabbcxx", true},
        {"a*c", "ca", false},
        {"^a*c$", "abbbc", true},
        {"^a*c$", "abbbcd", false},
        {"^a*c$", "ababcac", true},
        {"*", "anything", true},
        {"^*$", "anything", true},
        {"a*b*c", "axbxc", true},
        {"a*b*c", "axcxb", false},
        {"a**b", "ab", true},
        {"lib.so", "/usr/lib.so.1", true},
        {"^/usr/*.so$", "/usr/lib/x.so", true},
        {"foo*", "foo", true},
        {"*foo$", "a_foo", true},
        {"*foo$", "foo_a", false},
        {"^", "x", true},
        {"$", "x", true},
        {"^$", "x", false},
        {"foo", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (matches(rows[i].pattern, rows[i].name) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].name);
}

static void file_holds_comments_blanks_and_patterns(void **state)
{
    (void)state;
    static const char text[] = "# comment\n\n  leak:one  \r\n\tleak:^two$\nleak:three";
    struct suppressions suppressions = {0};
    struct trace_error error;
    assert_int_equal(suppress_parse(&suppressions, text, sizeof text - 1, &error), 0);
    assert_int_equal(suppressions.n_patterns, 3);
    assert_true(suppress_matches(&suppressions, "one"));
    assert_true(suppress_matches(&suppressions, "two"));
    assert_true(suppress_matches(&suppressions, "three"));
    assert_false(suppress_matches(&suppressions, "four"));
    suppress_fini(&suppressions);
}

static void faulty_line_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"leak:x\nrace:y\n", "line 2: not of the form leak:PATTERN"},
        {"foo", "line 1: not of the form leak:PATTERN"},
        {"#\n#\nleak:", "line 3: the pattern is empty"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct suppressions suppressions = {0};
        struct trace_error error;
        assert_int_equal(suppress_parse(&suppressions, rows[i].text, strlen(rows[i].text), &error),
                         -EINVAL);
        assert_string_equal(error.reason, rows[i].reason);
        assert_string_equal(error.record, "suppressions");
        suppress_fini(&suppressions);
    }
}

static void missing_file_is_said(void **state)
{
    (void)state;
    struct suppressions suppressions = {0};
    struct trace_error error;
    assert_int_equal(suppress_read(&suppressions, "/nonexistent/s", &error), -EINVAL);
    assert_string_equal(error.record, "suppressions");
    assert_string_equal(error.reason, strerror(ENOENT));
    assert_int_equal(suppress_read(&suppressions, "/", &error), -EINVAL);
    suppress_fini(&suppressions);
}

static void runtime_patterns_know_the_runtime(void **state)
{
    (void)state;
    static const char *const known[] = {"_dl_new_object", "_IO_file_doallocate",
                                        "setlocale",      "(anonymous namespace)::pool::pool()",
                                        "__new_exitfn",   "getpwuid",
                                        "gethostbyname"};
    struct suppressions suppressions = {0};
    assert_int_equal(suppress_add_runtime(&suppressions), 0);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(suppress_matches(&suppressions, known[i]));
    assert_false(suppress_matches(&suppressions, "main"));
    assert_false(suppress_matches(&suppressions, "strdup"));
    assert_false(suppress_matches(&suppressions, "getline")); /* its buffer is the caller's */
    assert_false(suppress_matches(&suppressions, "getaddrinfo"));
    suppress_fini(&suppressions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_leak_sanitizer),
        cmocka_unit_test(file_holds_comments_blanks_and_patterns),
        cmocka_unit_test(faulty_line_is_named),
        cmocka_unit_test(missing_file_is_said),
        cmocka_unit_test(runtime_patterns_know_the_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
