/* SPDX-License-Identifier: MIT */
#include "findings/uri.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void paths_become_references(void **state)
{
    (void)state;
    static const struct {
        const char *path, *uri;
    } rows[] = {
        {"src/a-b_c.~1.c", "src/a-b_c.~1.c"},
        {"/src/a.c", "file:///src/a.c"},
        {"a b%#?c", "a%20b%25%23%3Fc"},
        {"gr\xc3\xb6", "gr%C3%B6"},
        {"c:x", "c%3Ax"}, /* no scheme */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        uri_add_path(&out, rows[i].path);
        assert_string_equal(buffer_string(&out), rows[i].uri);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(paths_become_references)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
