/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <msgpack.h>

#include "trace/unpack.h"

/* The input as a block of exactly its size, so that a sanitizer sees one byte too many. */
struct input {
    uint8_t *bytes;
    struct unpack_cursor cursor;
};

static struct input input_new(const char *bytes, size_t n)
{
    struct input input = {.bytes = malloc(n ? n : 1)};

    memcpy(input.bytes, bytes, n);
    input.cursor = (struct unpack_cursor){.at = input.bytes, .end = input.bytes + n};
    return input;
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void integers_of_every_width(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        int64_t value;
        int as_uint; /* what unpack_uint says */
    } rows[] = {
        {BYTES("\x05"), 5, 0},
        {BYTES("\xff"), -1, -EBADMSG},
        {BYTES("\xcc\xff"), 255, 0},
        {BYTES("\xcd\x01\x00"), 256, 0},
        {BYTES("\xce\xff\xff\xff\xff"), 4294967295, 0},
        {BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, 0},
        {BYTES("\xd0\x80"), -128, -EBADMSG},
        {BYTES("\xd1\xff\xfe"), -2, -EBADMSG},
        {BYTES("\xd2\x80\x00\x00\x00"), INT32_MIN, -EBADMSG},
        {BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN, -EBADMSG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t n = 0; n <= rows[i].n; n++) {
            struct input input = input_new(rows[i].bytes, n);
            struct unpack_cursor again = input.cursor;
            int64_t value = 0;
            uint64_t unsigned_value = 0;
            const int error = unpack_int(&input.cursor, &value);

            assert_int_equal(error, n == rows[i].n ? 0 : -EAGAIN);
            if (error == 0) {
                assert_true(value == rows[i].value);
                assert_ptr_equal(input.cursor.at, input.cursor.end);
                assert_int_equal(unpack_uint(&again, &unsigned_value), rows[i].as_uint);
            } else {
                assert_ptr_equal(input.cursor.at, input.bytes);
            }
            free(input.bytes);
        }
    }
}

static void unsigned_beyond_int64_is_no_int(void **state)
{
    struct input input = input_new(BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    int64_t value;
    uint64_t unsigned_value;
    (void)state;

    assert_int_equal(unpack_int(&input.cursor, &value), -EBADMSG);
    assert_int_equal(unpack_uint(&input.cursor, &unsigned_value), 0);
    assert_true(unsigned_value == UINT64_MAX);
    free(input.bytes);
}

static void heads_of_every_width(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        int (*unpack)(struct unpack_cursor *, uint32_t *);
        uint32_t length;
    } rows[] = {
        {BYTES("\x93"), unpack_array, 3},
        {BYTES("\xdc\x01\x02"), unpack_array, 258},
        {BYTES("\xdd\xff\xff\xff\xff"), unpack_array, UINT32_MAX},
        {BYTES("\x8f"), unpack_map, 15},
        {BYTES("\xde\x00\x10"), unpack_map, 16},
        {BYTES("\xdf\x00\x00\x00\x01"), unpack_map, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct input input = input_new(rows[i].bytes, rows[i].n);
        struct input wrong = input_new("\xc1", 1);
        uint32_t length = 0;

        assert_int_equal(rows[i].unpack(&input.cursor, &length), 0);
        assert_int_equal(length, rows[i].length);
        assert_int_equal(rows[i].unpack(&wrong.cursor, &length), -EBADMSG);
        free(input.bytes);
        free(wrong.bytes);
    }
}

static void text_is_str_or_bin_and_whole(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {BYTES("\xa3"
               "abc")},
        {BYTES("\xd9\x03"
               "abc")},
        {BYTES("\xda\x00\x03"
               "abc")},
        {BYTES("\xdb\x00\x00\x00\x03"
               "abc")},
        {BYTES("\xc4\x03"
               "abc")},
        {BYTES("\xc5\x00\x03"
               "abc")},
        {BYTES("\xc6\x00\x00\x00\x03"
               "abc")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t n = 0; n <= rows[i].n; n++) {
            struct input input = input_new(rows[i].bytes, n);
            struct unpack_text text = {0};
            const int error = unpack_text(&input.cursor, &text);

            assert_int_equal(error, n == rows[i].n ? 0 : -EAGAIN);
            if (error == 0)
                assert_memory_equal(text.bytes, "abc", text.n_bytes);
            free(input.bytes);
        }
    }
}

static void nil_and_bool_are_taken_only_where_they_stand(void **state)
{
    struct input input = input_new(BYTES("\xc0\xc2\xc3\x01"));
    bool value = true;
    (void)state;

    assert_false(unpack_bool(&input.cursor, &value));
    assert_true(unpack_nil(&input.cursor));
    assert_false(unpack_nil(&input.cursor));
    assert_true(unpack_bool(&input.cursor, &value) && !value);
    assert_true(unpack_bool(&input.cursor, &value) && value);
    assert_false(unpack_bool(&input.cursor, &value));
    free(input.bytes);
}

static void skip_passes_over_any_object(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {BYTES("\xc0")},
        {BYTES("\xca\x00\x00\x00\x00")},
        {BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x00")},
        {BYTES("\x92\x01\xa1x")},
        {BYTES("\x81\xa1k\x91\xc3")},
        {BYTES("\xd4\x01x")},
        {BYTES("\xd8\x01"
               "0123456789abcdef")},
        {BYTES("\xc7\x02\x01xy")},
        {BYTES("\xc8\x00\x02\x01xy")},
        {BYTES("\xc9\x00\x00\x00\x02\x01xy")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t n = 0; n <= rows[i].n; n++) {
            struct input input = input_new(rows[i].bytes, n);

            assert_int_equal(unpack_skip(&input.cursor, 4), n == rows[i].n ? 0 : -EAGAIN);
            assert_ptr_equal(input.cursor.at, n == rows[i].n ? input.cursor.end : input.bytes);
            free(input.bytes);
        }
    }
}

static void skip_refuses_what_is_too_deep_or_no_msgpack(void **state)
{
    struct input deep = input_new(BYTES("\x91\x91\x91\x91\x01"));
    struct input bad = input_new(BYTES("\xc1"));
    (void)state;

    assert_int_equal(unpack_skip(&deep.cursor, 3), -EBADMSG);
    assert_int_equal(unpack_skip(&deep.cursor, 4), 0);
    assert_int_equal(unpack_skip(&bad.cursor, 4), -EBADMSG);
    free(deep.bytes);
    free(bad.bytes);
}

/* A random object of limited depth and width, written by msgpack-c. */
static void pack_random(msgpack_packer *packer, unsigned *seed, unsigned depth)
{
    static const char bytes[300];
    const unsigned kind = (unsigned)rand_r(seed) % (depth ? 9 : 7);
    const uint64_t number = (uint64_t)rand_r(seed) << 33 ^ (uint64_t)rand_r(seed);
    const unsigned shift = (unsigned)rand_r(seed) % 64;
    const unsigned n = (unsigned)rand_r(seed) % (kind < 7 ? 300 : 20);
    switch (kind) {
    case 0: msgpack_pack_uint64(packer, number >> shift); break;
    case 1: msgpack_pack_int64(packer, -(int64_t)(number >> shift >> 1)); break;
    case 2: number & 1 ? msgpack_pack_true(packer) : msgpack_pack_nil(packer); break;
    case 3: shift & 1 ? msgpack_pack_double(packer, 0.5) : msgpack_pack_float(packer, 0.5f); break;
    case 4: msgpack_pack_str_with_body(packer, bytes, n); break;
    case 5: msgpack_pack_bin_with_body(packer, bytes, n); break;
    case 6: msgpack_pack_ext_with_body(packer, bytes, n, 5); break;
    case 7:
        msgpack_pack_array(packer, n);
        for (unsigned i = 0; i < n; i++)
            pack_random(packer, seed, depth - 1);
        break;
    default:
        msgpack_pack_map(packer, n);
        for (unsigned i = 0; i < 2 * n; i++)
            pack_random(packer, seed, depth - 1);
        break;
    }
}

/* What msgpack-c reads as one object of n bytes, we pass over as one of n bytes; cut anywhere, it
 * asks for more. */
static void skip_agrees_with_the_library_on_random_objects(void **state)
{
    unsigned seed = 20;
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        msgpack_sbuffer buffer;
        msgpack_packer packer;
        msgpack_unpacked object;
        size_t n_read = 0;

        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        pack_random(&packer, &seed, 2);
        const size_t n = buffer.size;
        msgpack_pack_int(&packer, 7);
        msgpack_unpacked_init(&object);
        assert_int_equal(msgpack_unpack_next(&object, buffer.data, buffer.size, &n_read),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(n_read, n);
        struct input input = input_new(buffer.data, buffer.size);
        assert_int_equal(unpack_skip(&input.cursor, 2), 0);
        assert_ptr_equal(input.cursor.at, input.bytes + n);
        struct input cut = input_new(buffer.data, (size_t)rand_r(&seed) % n);
        assert_int_equal(unpack_skip(&cut.cursor, 2), -EAGAIN);
        free(cut.bytes);
        free(input.bytes);
        msgpack_unpacked_destroy(&object);
        msgpack_sbuffer_destroy(&buffer);
    }
}

/* The first byte decides the type; each function takes its own types and refuses all others. */
static void the_first_byte_decides_who_takes_it(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t bytes[20] = {(uint8_t)first};
        const struct unpack_cursor begin = {.at = bytes, .end = bytes + sizeof bytes};
        struct unpack_cursor cursor = begin;
        struct unpack_text text;
        uint64_t number;
        int64_t integer;
        uint32_t n;
        const bool is_uint = first < 0x80 || (first >= 0xcc && first <= 0xcf);
        const bool is_int = is_uint || first >= 0xe0 || (first >= 0xd0 && first <= 0xd3);
        const bool is_text = (first >= 0xa0 && first < 0xc0) || (first >= 0xc4 && first <= 0xc6) ||
                             (first >= 0xd9 && first <= 0xdb);
        const bool is_map = (first & 0xf0) == 0x80 || first == 0xde || first == 0xdf;
        const bool is_array = (first & 0xf0) == 0x90 || first == 0xdc || first == 0xdd;

        assert_int_equal(unpack_uint(&cursor, &number), is_uint ? 0 : -EBADMSG);
        cursor = begin;
        assert_int_equal(unpack_int(&cursor, &integer), is_int ? 0 : -EBADMSG);
        cursor = begin;
        const int error = unpack_text(&cursor, &text);
        assert_true(is_text ? error == 0 || error == -EAGAIN : error == -EBADMSG);
        cursor = begin;
        assert_int_equal(unpack_map(&cursor, &n), is_map ? 0 : -EBADMSG);
        cursor = begin;
        assert_int_equal(unpack_array(&cursor, &n), is_array ? 0 : -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_width),
        cmocka_unit_test(unsigned_beyond_int64_is_no_int),
        cmocka_unit_test(heads_of_every_width),
        cmocka_unit_test(text_is_str_or_bin_and_whole),
        cmocka_unit_test(nil_and_bool_are_taken_only_where_they_stand),
        cmocka_unit_test(skip_passes_over_any_object),
        cmocka_unit_test(skip_refuses_what_is_too_deep_or_no_msgpack),
        cmocka_unit_test(the_first_byte_decides_who_takes_it),
        cmocka_unit_test(skip_agrees_with_the_library_on_random_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
