/* SPDX-License-Identifier: MIT */
/* How one msgpack object is taken off a byte range: the first byte names the type, big-endian
 * numbers follow. Every length is checked against the range before it is believed. */
#include "trace/unpack.h"

#include <errno.h>
#include <stddef.h>

static uint64_t big_endian(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

static size_t room(const struct unpack_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

int unpack_uint(struct unpack_cursor *cursor, uint64_t *value_out)
{
    if (room(cursor) < 1)
        return -EAGAIN;
    const uint8_t first = cursor->at[0];
    if (first < 0x80) {
        *value_out = first;
        cursor->at++;
        return 0;
    }
    if (first < 0xcc || first > 0xcf)
        return -EBADMSG;
    const size_t n = (size_t)1 << (first - 0xcc);
    if (room(cursor) < 1 + n)
        return -EAGAIN;
    *value_out = big_endian(cursor->at + 1, n);
    cursor->at += 1 + n;
    return 0;
}

/* Sign-extend the low n bytes of value. */
static int64_t extend(uint64_t value, size_t n_bytes)
{
    const unsigned shift = (unsigned)(64 - 8 * n_bytes);
    return (int64_t)(value << shift) >> shift;
}

int unpack_int(struct unpack_cursor *cursor, int64_t *value_out)
{
    if (room(cursor) < 1)
        return -EAGAIN;
    const uint8_t first = cursor->at[0];
    if (first >= 0xe0) {
        *value_out = (int8_t)first;
        cursor->at++;
        return 0;
    }
    if (first < 0xd0 || first > 0xd3) {
        uint64_t value;
        const struct unpack_cursor start = *cursor;
        const int error = unpack_uint(cursor, &value);
        if (error)
            return error;
        if (value > INT64_MAX) {
            *cursor = start;
            return -EBADMSG;
        }
        *value_out = (int64_t)value;
        return 0;
    }
    const size_t n = (size_t)1 << (first - 0xd0);
    if (room(cursor) < 1 + n)
        return -EAGAIN;
    *value_out = extend(big_endian(cursor->at + 1, n), n);
    cursor->at += 1 + n;
    return 0;
}

/* The ways msgpack writes a length: in the first byte, or in 1, 2 or 4 bytes after it. */
struct head_form {
    uint8_t fix_first, fix_last; /* range of first bytes that hold the length themselves */
    uint8_t fix_mask;
    uint8_t sized[3]; /* first byte of the 8, 16 and 32 bit forms; 0 where there is none */
};
static const struct head_form array_form = {0x90, 0x9f, 0x0f, {0, 0xdc, 0xdd}};
static const struct head_form map_form = {0x80, 0x8f, 0x0f, {0, 0xde, 0xdf}};
static const struct head_form str_form = {0xa0, 0xbf, 0x1f, {0xd9, 0xda, 0xdb}};
static const struct head_form bin_form = {1, 0, 0, {0xc4, 0xc5, 0xc6}};

static int take_head(struct unpack_cursor *cursor, const struct head_form *form, uint32_t *n_out)
{
    if (room(cursor) < 1)
        return -EAGAIN;
    const uint8_t first = cursor->at[0];
    if (first >= form->fix_first && first <= form->fix_last) {
        *n_out = first & form->fix_mask;
        cursor->at++;
        return 0;
    }
    for (size_t i = 0; i < 3; i++) {
        if (form->sized[i] == 0 || first != form->sized[i])
            continue;
        const size_t n = (size_t)1 << i;
        if (room(cursor) < 1 + n)
            return -EAGAIN;
        *n_out = (uint32_t)big_endian(cursor->at + 1, n);
        cursor->at += 1 + n;
        return 0;
    }
    return -EBADMSG;
}

int unpack_array(struct unpack_cursor *cursor, uint32_t *n_out)
{
    return take_head(cursor, &array_form, n_out);
}

int unpack_map(struct unpack_cursor *cursor, uint32_t *n_out)
{
    return take_head(cursor, &map_form, n_out);
}

int unpack_text(struct unpack_cursor *cursor, struct unpack_text *text_out)
{
    struct unpack_cursor ahead = *cursor;
    uint32_t n;
    int error = take_head(&ahead, &str_form, &n);
    if (error == -EBADMSG)
        error = take_head(&ahead, &bin_form, &n);
    if (error)
        return error;
    if (room(&ahead) < n)
        return -EAGAIN;
    *text_out = (struct unpack_text){.bytes = (const char *)ahead.at, .n_bytes = n};
    cursor->at = ahead.at + n;
    return 0;
}

bool unpack_nil(struct unpack_cursor *cursor)
{
    if (room(cursor) < 1 || cursor->at[0] != 0xc0)
        return false;
    cursor->at++;
    return true;
}

bool unpack_bool(struct unpack_cursor *cursor, bool *value_out)
{
    if (room(cursor) < 1 || (cursor->at[0] & 0xfe) != 0xc2)
        return false;
    *value_out = cursor->at[0] == 0xc3;
    cursor->at++;
    return true;
}

/* Bytes of a fixed-size object that begins with `first`; 0 where it is not one. */
static size_t fixed_bytes(uint8_t first)
{
    static const uint8_t by_code[32] = {
        [0x00] = 1, [0x02] = 1, [0x03] = 1, [0x0a] = 5,  [0x0b] = 9,  /* nil, false, true, floats */
        [0x0c] = 2, [0x0d] = 3, [0x0e] = 5, [0x0f] = 9,               /* unsigned */
        [0x10] = 2, [0x11] = 3, [0x12] = 5, [0x13] = 9,               /* signed */
        [0x14] = 3, [0x15] = 4, [0x16] = 6, [0x17] = 10, [0x18] = 18, /* fixed ext */
    };
    if (first < 0x80 || first >= 0xe0)
        return 1;
    return first >= 0xc0 ? by_code[first - 0xc0] : 0;
}

/* ext 8, 16, 32: a length as bin has, one byte of type, then the data. */
static int skip_ext(struct unpack_cursor *cursor)
{
    static const struct head_form ext_form = {1, 0, 0, {0xc7, 0xc8, 0xc9}};
    uint32_t n;
    const int error = take_head(cursor, &ext_form, &n);
    if (error)
        return error;
    if (room(cursor) < (size_t)n + 1)
        return -EAGAIN;
    cursor->at += (size_t)n + 1;
    return 0;
}

static int skip_inside(struct unpack_cursor *cursor, unsigned max_depth)
{
    if (room(cursor) < 1)
        return -EAGAIN;
    const size_t n_fixed = fixed_bytes(cursor->at[0]);
    if (n_fixed) {
        if (room(cursor) < n_fixed)
            return -EAGAIN;
        cursor->at += n_fixed;
        return 0;
    }
    struct unpack_text text;
    int error = unpack_text(cursor, &text);
    if (error != -EBADMSG)
        return error;
    uint32_t n;
    uint64_t n_inside;
    if ((error = take_head(cursor, &array_form, &n)) == 0)
        n_inside = n;
    else if (error == -EBADMSG && (error = take_head(cursor, &map_form, &n)) == 0)
        n_inside = 2 * (uint64_t)n;
    else
        return error == -EBADMSG ? skip_ext(cursor) : error;
    if (max_depth == 0)
        return -EBADMSG;
    for (uint64_t i = 0; i < n_inside; i++)
        if ((error = skip_inside(cursor, max_depth - 1)))
            return error;
    return 0;
}

int unpack_skip(struct unpack_cursor *cursor, unsigned max_depth)
{
    struct unpack_cursor ahead = *cursor;
    const int error = skip_inside(&ahead, max_depth);
    if (error == 0)
        *cursor = ahead;
    return error;
}
