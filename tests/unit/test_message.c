/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kept_stderr = -1;
static FILE *caught;

static int catch_stderr(void **state)
{
    (void)state;
    caught = tmpfile();
    assert_non_null(caught);
    kept_stderr = dup(STDERR_FILENO);
    assert_true(kept_stderr >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
    return 0;
}

static int give_stderr_back(void **state)
{
    (void)state;
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    return fclose(caught);
}

/* What was written since the last call. */
static void expect(const char *words)
{
    char text[400] = "";
    fflush(stderr);
    assert_true(lseek(fileno(caught), 0, SEEK_SET) == 0);
    const ssize_t n = read(fileno(caught), text, sizeof text - 1);
    assert_true(n >= 0);
    assert_int_equal(ftruncate(fileno(caught), 0), 0);
    assert_true(lseek(fileno(caught), 0, SEEK_SET) == 0);
    assert_string_equal(text, words);
}

static void error_is_one_line(void **state)
{
    (void)state;
    message_error("x.hwt", "%s", strerror(2));
    expect("heapwise: x.hwt: No such file or directory\n");
    message_hint("try %d", 7);
    expect("heapwise: try 7\n");
}

static void foreign_text_is_escaped(void **state)
{
    (void)state;
    message_error("a\nb\033[31m", "why\r\n%s", "\xff");
    expect("heapwise: a\\x0ab\\x1b[31m: why\\x0d\\x0a\\xff\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(error_is_one_line, catch_stderr, give_stderr_back),
        cmocka_unit_test_setup_teardown(foreign_text_is_escaped, catch_stderr, give_stderr_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
