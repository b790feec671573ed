/* SPDX-License-Identifier: MIT */
#include "report/escape.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <string.h>

struct row {
    const char *in, *utf8, *ascii;
};

static const struct row rows[] = {
    {"", "", ""},
    {"plain text", "plain text", "plain text"},
    {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d", "a\\x0ab\\x09c\\x0d"},
    {"\033[2J\a\177", "\\x1b[2J\\x07\\x7f", "\\x1b[2J\\x07\\x7f"},
    {"\xc3\xa9", "\xc3\xa9", "\\xc3\\xa9"},              /* é */
    {"\xe6\xbc\xa2", "\xe6\xbc\xa2", "\\xe6\\xbc\\xa2"}, /* a wide character */
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b"
     "31m",
     "\\xc2\\x9b"
     "31m"}, /* C1: CSI */
    {"\xe2\x80\xae"
     "txt",
     "\\xe2\\x80\\xaetxt", "\\xe2\\x80\\xaetxt"},           /* right-to-left override */
    {"\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\xe2\\x80\\xa8"}, /* line separator */
    {"\xff\xfe", "\\xff\\xfe", "\\xff\\xfe"},
    {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf"},                             /* overlong */
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf"},               /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},               /* surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
    {"a\xe6\xbc", "a\\xe6\\xbc", "a\\xe6\\xbc"},                          /* cut */
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80"},
};

static void unfit_bytes_become_hexadecimal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        escape_text(&out, rows[i].in, false);
        assert_string_equal(buffer_string(&out), rows[i].utf8);
        buffer_reset(&out);
        escape_text(&out, rows[i].in, true);
        assert_string_equal(buffer_string(&out), rows[i].ascii);
        buffer_fini(&out);
    }
}

static void escape_invalid_keeps_control_characters(void **state)
{
    (void)state;
    struct buffer out = {0};
    escape_invalid(&out, "a\n\xff\xc3\xa9");
    assert_string_equal(buffer_string(&out), "a\n\\xff\xc3\xa9");
    buffer_fini(&out);
}

static void no_character_is_markup(void **state)
{
    (void)state;
    struct buffer out = {0};
    escape_markdown(&out, "a<b>&@x _y_ c_d `|*[~\\");
    assert_string_equal(buffer_string(&out),
                        "a&lt;b&gt;&amp;&#64;x \\_y\\_ c_d \\`\\|\\*\\[\\~\\\\");
    buffer_fini(&out);
}

static void width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(escape_width("abc"), 3);
    assert_int_equal(escape_width("gr\xc3\xb6\xc3\x9f"), 4);
    assert_int_equal(escape_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
    assert_int_equal(escape_width("e\xcc\x81"), 1); /* e and a combining accent */
}

static void fit_never_splits_a_character(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_int_equal(escape_fit(&out, "\xe6\xbc\xa2\xe5\xad\x97", 3), 2);
    assert_string_equal(buffer_string(&out), "\xe6\xbc\xa2");
    assert_string_equal(escape_tail("\xe6\xbc\xa2\xe5\xad\x97", 3), "\xe5\xad\x97");
    assert_string_equal(escape_tail("xe\xcc\x81y", 1), "y");
    buffer_fini(&out);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unfit_bytes_become_hexadecimal),
        cmocka_unit_test(escape_invalid_keeps_control_characters),
        cmocka_unit_test(no_character_is_markup),
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(fit_never_splits_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
