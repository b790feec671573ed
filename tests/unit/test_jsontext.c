/* SPDX-License-Identifier: MIT */
/* Whether any bytes become valid JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/jsontext.h"

static char *text_of(const char *bytes, size_t n_bytes)
{
    char *written = NULL;
    size_t n = 0;
    FILE *const out = open_memstream(&written, &n);
    jsontext_string(out, bytes, n_bytes);
    fclose(out);
    return written;
}

static char *object_of(const char *bytes, size_t n_bytes)
{
    char *written = NULL;
    size_t n = 0;
    FILE *const out = open_memstream(&written, &n);
    struct unpack_cursor cursor = {(const uint8_t *)bytes, (const uint8_t *)bytes + n_bytes};
    jsontext_object(out, &cursor);
    fclose(out);
    return written;
}

static void texts_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n_bytes;
        const char *json;
    } rows[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\n\t\x1b\x7f", 4, "\"\\u000a\\u0009\\u001b\\u007f\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
        {"\xff\xfe", 2, "\"\\\\xff\\\\xfe\""},
        {"\xc3", 1, "\"\\\\xc3\""},
        {"\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\""},
        {"\xc0\xaf", 2, "\"\\\\xc0\\\\xaf\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *const json = text_of(rows[i].bytes, rows[i].n_bytes);
        assert_string_equal(json, rows[i].json);
        free(json);
    }
}

static void objects_keep_their_shape(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n_bytes;
        const char *json;
    } rows[] = {
        {"\xc0", 1, "null"},
        {"\xc3", 1, "true"},
        {"\xff", 1, "-1"},
        {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, "18446744073709551615"},
        {"\x92\x01\x90", 3, "[1, []]"},
        {"\x81\xa1k\x81\xa1l\x05", 7, "{\"k\": {\"l\": 5}}"},
        {"\x81\x05\x06", 3, "{\"\": 6}"},
        {"\xc4\x01\xff", 3, "\"\\\\xff\""},
        {"\xca\x00\x00\x00\x00", 5, "null"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *const json = object_of(rows[i].bytes, rows[i].n_bytes);
        assert_string_equal(json, rows[i].json);
        free(json);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char deep[64];
    memset(deep, 0x91, sizeof deep);
    deep[sizeof deep - 1] = 0x01;
    char *const json = object_of(deep, sizeof deep);
    assert_non_null(strstr(json, "null"));
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(objects_keep_their_shape),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
