/* SPDX-License-Identifier: MIT */
/* The table's integers are msgpack-c's, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "trace/pack.h"
#include "trace/pack_hot.h"
#include "trace/record_hot.h"

static void check(int64_t value)
{
    uint8_t expected[PACK_HOT_BYTES], got[PACK_HOT_BYTES + 1];
    struct pack_cursor cursor = {.at = expected};
    memset(got, 0xaa, sizeof got);
    pack_int64(&cursor, value);
    assert_ptr_equal(pack_hot_int(got, value) - got, cursor.at - expected);
    assert_memory_equal(got, expected, (size_t)(cursor.at - expected));
    assert_int_equal(got[PACK_HOT_BYTES], 0xaa);

    cursor.at = expected;
    pack_uint64(&cursor, (uint64_t)value);
    assert_ptr_equal(pack_hot_uint(got, (uint64_t)value) - got, cursor.at - expected);
    assert_memory_equal(got, expected, (size_t)(cursor.at - expected));
    assert_int_equal(got[PACK_HOT_BYTES], 0xaa);
}

static void every_length_is_written_as_msgpack_does(void **state)
{
    (void)state;
    for (int64_t value = -70000; value <= 70000; value++)
        check(value);
    for (unsigned bit = 0; bit < 64; bit++)
        for (int64_t near = -2; near <= 2; near++) {
            const uint64_t power = UINT64_C(1) << bit;
            check((int64_t)(power + (uint64_t)near));
            check((int64_t)(0 - power + (uint64_t)near));
        }
}

static void two_byte_integers_keep_their_form(void **state)
{
    static const uint16_t values[] = {0, 1, 127, 128, 255, 256, 0x1234, UINT16_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t bytes[PACK_HOT_BYTES] = {0};
        const uint8_t *at = bytes;
        struct record_hot_number number = {0};
        assert_ptr_equal(pack_hot_uint16(bytes, values[i]), bytes + 3);
        assert_true(record_hot_take(&at, &number));
        assert_true(number.value == values[i] && !number.negative && at == bytes + 3);
    }
}

static void check_form(uint32_t value)
{
    uint8_t expected[PACK_HOT_BYTES], got[PACK_HOT_BYTES];
    const uint8_t *const end = pack_hot_uint(expected, value);
    const size_t n_bytes = (size_t)(end - expected);
    assert_ptr_equal(pack_hot_formed(got, pack_hot_form_of(value)), got + n_bytes);
    assert_memory_equal(got, expected, n_bytes);
}

static void a_formed_number_has_the_same_bytes(void **state)
{
    (void)state;
    for (uint32_t value = 0; value <= 70000; value++)
        check_form(value);
    for (unsigned bit = 17; bit < 32; bit++)
        for (uint32_t near = 0; near < 3; near++)
            check_form((UINT32_C(1) << bit) - 1 + near);
    check_form(UINT32_MAX);
}

static void a_head_is_array_tag_and_a_small_number(void **state)
{
    static const uint8_t expected[] = {0x95, 24, 0x12};
    uint8_t got[PACK_HOT_BYTES];
    (void)state;
    assert_ptr_equal(pack_hot_head(got, 5, 24, 0x12), got + sizeof expected);
    assert_memory_equal(got, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_written_as_msgpack_does),
        cmocka_unit_test(two_byte_integers_keep_their_form),
        cmocka_unit_test(a_formed_number_has_the_same_bytes),
        cmocka_unit_test(a_head_is_array_tag_and_a_small_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
