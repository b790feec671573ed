/* SPDX-License-Identifier: MIT */
#include "report/buffer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void pieces_become_one_text(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_string_equal(buffer_string(&buffer), "");
    buffer_text(&buffer, "a");
    buffer_add(&buffer, "bcd", 2);
    buffer_printf(&buffer, "%d%s", 7, "x");
    buffer_repeat(&buffer, "-=", 2);
    assert_string_equal(buffer_string(&buffer), "abc7x-=-=");
    assert_int_equal(buffer.length, 9);
    buffer_reset(&buffer);
    assert_string_equal(buffer_string(&buffer), "");
    buffer_fini(&buffer);
    buffer_fini(&buffer);
}

static void long_texts_stay_whole(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        buffer_printf(&buffer, "%04d", i);
    assert_int_equal(buffer.length, 40000);
    assert_int_equal(strncmp(buffer.data + 4 * 1234, "1234", 4), 0);
    buffer_fini(&buffer);
}

static void impossible_growth_is_remembered(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_add(&buffer, "", SIZE_MAX / 2 + 2);
    assert_true(buffer.failed);
    buffer_text(&buffer, "ignored");
    assert_string_equal(buffer_string(&buffer), "");
    buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_one_text),
        cmocka_unit_test(long_texts_stay_whole),
        cmocka_unit_test(impossible_growth_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
