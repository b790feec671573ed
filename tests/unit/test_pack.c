/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "trace/pack.h"
#include "trace/unpack.h"

static void utf8_is_recognised(void **state)
{
    static const struct {
        const char *bytes;
        bool valid;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"na\xc3\xafve", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},  /* the last code point */
        {"\xf4\x90\x80\x80", false}, /* one more */
        {"\xed\x9f\xbf", true},
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xc0\x80", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\x80", false},
        {"\xff", false},
        {"a\xc3", false},    /* cut */
        {"\xe2\x82", false}, /* cut */
        {"\xe2\x28\xa1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(pack_is_utf8(rows[i].bytes, strlen(rows[i].bytes)), rows[i].valid);
}

static void text_is_str_only_where_it_is_utf8(void **state)
{
    uint8_t bytes[16];
    struct pack_cursor cursor = {.at = bytes};
    (void)state;

    pack_text(&cursor, "ab", 2);
    assert_int_equal(bytes[0], 0xa2);
    assert_ptr_equal(cursor.at, bytes + 3);

    cursor.at = bytes;
    pack_text(&cursor,
              "\xff"
              "b",
              2);
    assert_memory_equal(bytes,
                        "\xc4\x02\xff"
                        "b",
                        4);
    assert_ptr_equal(cursor.at, bytes + 4);
}

static void numbers_come_back_from_their_shortest_form(void **state)
{
    static const struct {
        int64_t value;
        size_t n_bytes;
    } rows[] = {
        {0, 1},
        {127, 1},
        {128, 2},
        {255, 2},
        {256, 3},
        {65535, 3},
        {65536, 5},
        {4294967295, 5},
        {4294967296, 9},
        {INT64_MAX, 9},
        {-1, 1},
        {-32, 1},
        {-33, 2},
        {-128, 2},
        {-129, 3},
        {-32768, 3},
        {-32769, 5},
        {INT32_MIN, 5},
        {INT32_MIN - 1LL, 9},
        {INT64_MIN, 9},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[PACK_INTEGER_BYTES];
        struct pack_cursor cursor = {.at = bytes};
        int64_t value;

        pack_int64(&cursor, rows[i].value);
        assert_int_equal(cursor.at - bytes, rows[i].n_bytes);
        struct unpack_cursor back = {.at = bytes, .end = cursor.at};
        assert_int_equal(unpack_int(&back, &value), 0);
        assert_true(value == rows[i].value);
        assert_ptr_equal(back.at, back.end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_recognised),
        cmocka_unit_test(text_is_str_only_where_it_is_utf8),
        cmocka_unit_test(numbers_come_back_from_their_shortest_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
