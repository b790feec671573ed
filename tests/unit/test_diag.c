/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/diag.h"

/* What diag_line(text) writes to descriptor 2, in one read: one write(2) of a pipe arrives whole. */
static size_t line_of(const char *text, char *line_out, size_t cap)
{
    int ends[2];
    const int saved = dup(2);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], 2);
    diag_line(text);
    dup2(saved, 2);
    close(saved);
    close(ends[1]);
    const ssize_t n = read(ends[0], line_out, cap);
    close(ends[0]);
    return n > 0 ? (size_t)n : 0;
}

static void a_line_is_named_and_ended(void **state)
{
    char line[1024];
    (void)state;
    const size_t n = line_of("something", line, sizeof line);
    assert_int_equal(n, strlen("heapwise: something\n"));
    assert_memory_equal(line, "heapwise: something\n", n);
}

static void a_long_line_is_cut_but_still_ended(void **state)
{
    char text[2000], line[4096];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const size_t n = line_of(text, line, sizeof line);
    assert_int_equal(n, 512);
    assert_int_equal(line[n - 1], '\n');
    assert_int_equal(line[n - 2], 'x');
}

static void a_closed_descriptor_does_no_harm(void **state)
{
    const int saved = dup(2);
    (void)state;
    close(2);
    diag_line("nobody hears this");
    dup2(saved, 2);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_named_and_ended),
        cmocka_unit_test(a_long_line_is_cut_but_still_ended),
        cmocka_unit_test(a_closed_descriptor_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
