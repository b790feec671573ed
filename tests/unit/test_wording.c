/* SPDX-License-Identifier: MIT */
#include "findings/wording.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void texts_are_escaped_and_bounded(void **state)
{
    (void)state;
    struct buffer out = {0};
    wording_text(&out, "a\x01\xff\xe2\x80\xae", false);
    assert_string_equal(buffer_string(&out), "a\\x01\\xff\\xe2\\x80\\xae");
    buffer_fini(&out);
}

/* Cut in the middle of characters of three bytes at every offset. */
static void cuts_leave_characters_whole(void **state)
{
    (void)state;
    enum { N_BYTES = FINDING_MAX_TEXT_BYTES + 100 };
    for (size_t lead = 0; lead < 6; lead++) {
        char text[N_BYTES + 1] = "";
        size_t n = lead;
        memset(text, 'x', lead);
        for (; n + 3 <= N_BYTES; n += 3)
            memcpy(text + n, "\xe6\xbc\xa2", 3);
        text[n] = 0;
        struct buffer out = {0};
        wording_text(&out, text, false);
        assert_in_range(out.length, FINDING_MAX_TEXT_BYTES - 8, FINDING_MAX_TEXT_BYTES);
        assert_null(strstr(buffer_string(&out), "\\x"));
        assert_string_equal(buffer_string(&out) + out.length - 3, "...");
        assert_int_equal((unsigned char)buffer_string(&out)[out.length - 4], 0xa2);
        buffer_fini(&out);
    }
}

static void paths_are_relative_below_the_root(void **state)
{
    (void)state;
    static const struct {
        const char *path, *root, *shown;
    } rows[] = {
        {"/src/a.c", "/src", "a.c"},
        {"/src/build/../lib//./b.c", "/src", "lib/b.c"},
        {"/srcs/a.c", "/src", "/srcs/a.c"},
        {"/other/a.c", "/src", "/other/a.c"},
        {"/src/a.c", NULL, "/src/a.c"},
        {"../a.c", "/src", "../a.c"},
        {"/../../a.c", NULL, "/a.c"},
        {"/..", NULL, ""},
        {"/", NULL, ""},
        {"", NULL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        wording_path(&out, rows[i].path, rows[i].root);
        assert_string_equal(buffer_string(&out), rows[i].shown);
        buffer_fini(&out);
    }
}

static void savings_without_worth_are_not_told(void **state)
{
    (void)state;
    struct finding finding = {.saves = {.allocations = {true, 1200},
                                        .bytes = {true, 0},
                                        .io_calls = {false, 7},
                                        .seconds = {true, 0.0015}}};
    struct buffer out = {0};
    wording_saves(&out, &finding);
    assert_string_equal(buffer_string(&out), "1,200 allocations, 1.50 ms");
    buffer_fini(&out);
}

static void services_are_named_by_program(void **state)
{
    (void)state;
    const char *const command[] = {"./bin/server", "--bench"};
    struct profile profile = {.n_command = 2, .command = command};
    struct buffer out = {0};
    wording_service(&out, &profile);
    assert_string_equal(buffer_string(&out), "server");
    buffer_reset(&out);
    profile.n_command = 0;
    wording_service(&out, &profile);
    assert_string_equal(buffer_string(&out), "unknown");
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped_and_bounded),
        cmocka_unit_test(cuts_leave_characters_whole),
        cmocka_unit_test(paths_are_relative_below_the_root),
        cmocka_unit_test(savings_without_worth_are_not_told),
        cmocka_unit_test(services_are_named_by_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
