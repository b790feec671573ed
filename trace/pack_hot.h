/* SPDX-License-Identifier: MIT */
/* The bulk of a trace encoded in one go: integers without a branch.
 *
 * The differences that an event consists of change their length from one to the next, and a wrongly
 * predicted branch costs more than the whole record. So what the length decides is looked up: one entry
 * per number of significant bits. The bytes are those that trace/pack.h writes, the shortest form. */
#ifndef HEAPWISE_TRACE_PACK_HOT_H
#define HEAPWISE_TRACE_PACK_HOT_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum pack_hot_bounds { PACK_HOT_BYTES = 9 }; /* that writing any integer may touch */

/* How a number of so many significant bits is written. */
struct pack_hot_form {
    uint8_t head;    /* first byte, ... */
    uint8_t mask;    /* ... to which these bits of the number are added */
    uint8_t n_bytes; /* in all */
    uint8_t shift;   /* moves the number's own bytes to the top of a word */
};

#define PACK_HOT_SMALL(head, mask)                                                                 \
    {                                                                                              \
        head, mask, 1, 0                                                                           \
    }
#define PACK_HOT_1(head)                                                                           \
    {                                                                                              \
        head, 0, 2, 56                                                                             \
    }
#define PACK_HOT_2(head)                                                                           \
    {                                                                                              \
        head, 0, 3, 48                                                                             \
    }
#define PACK_HOT_4(head)                                                                           \
    {                                                                                              \
        head, 0, 5, 32                                                                             \
    }
#define PACK_HOT_8(head)                                                                           \
    {                                                                                              \
        head, 0, 9, 0                                                                              \
    }

/* By the number of the highest bit set in the number; 64 more where it is negative, and the bit is that of
 * its complement. */
static const struct pack_hot_form pack_hot_forms[2 * 64] = {
    [0 ... 6] = PACK_HOT_SMALL(0, 0x7f),
    [7] = PACK_HOT_1(0xcc),
    [8 ... 15] = PACK_HOT_2(0xcd),
    [16 ... 31] = PACK_HOT_4(0xce),
    [32 ... 63] = PACK_HOT_8(0xcf),
    [64 ... 68] = PACK_HOT_SMALL(0, 0xff),
    [64 + 5 ... 64 + 6] = PACK_HOT_1(0xd0),
    [64 + 7 ... 64 + 14] = PACK_HOT_2(0xd1),
    [64 + 15 ... 64 + 30] = PACK_HOT_4(0xd2),
    [64 + 31 ... 64 + 63] = PACK_HOT_8(0xd3),
};

/* Highest bit set, 0 for 0. As one instruction: gcc makes two of 63 - clz where it may not use lzcnt. */
static inline unsigned pack_hot_top_bit(uint64_t value)
{
    return 63 ^ (unsigned)__builtin_clzll(value | 1);
}

static inline uint8_t *pack_hot_write(uint8_t *at, uint64_t value, const struct pack_hot_form *form)
{
    const uint64_t bytes = htobe64(value << form->shift);
    at[0] = (uint8_t)(form->head | (value & form->mask));
    memcpy(at + 1, &bytes, sizeof bytes);
    return at + form->n_bytes;
}

/* Write an integer in the form of two bytes, whatever its value. */
static inline uint8_t *pack_hot_uint16(uint8_t *at, uint16_t value)
{
    const uint16_t bytes = htobe16(value);
    at[0] = 0xcd;
    memcpy(at + 1, &bytes, sizeof bytes);
    return at + 3;
}

/* Write an integer where there are PACK_HOT_BYTES of room; returns its end. */
static inline uint8_t *pack_hot_uint(uint8_t *at, uint64_t value)
{
    return pack_hot_write(at, value, &pack_hot_forms[pack_hot_top_bit(value)]);
}

static inline uint8_t *pack_hot_int(uint8_t *at, int64_t value)
{
    const uint64_t sign = (uint64_t)(value >> 63);
    const unsigned top = pack_hot_top_bit((uint64_t)value ^ sign);
    return pack_hot_write(at, (uint64_t)value, &pack_hot_forms[top + (sign & 64)]);
}

/* An integer of 32 bits as one word, for numbers that are written again and again: its bytes from the
 * lowest on, their number in the highest. */
static inline uint64_t pack_hot_form_of(uint32_t value)
{
    const struct pack_hot_form *const form = &pack_hot_forms[pack_hot_top_bit(value)];
    const uint64_t bytes = form->n_bytes == 1 ? 0 : htobe64((uint64_t)value << form->shift) << 8;
    return (uint64_t)form->n_bytes << 56 | bytes | form->head | (value & form->mask);
}

/* Write such a word where there are PACK_HOT_BYTES of room; returns the integer's end. */
static inline uint8_t *pack_hot_formed(uint8_t *at, uint64_t form)
{
    const uint64_t bytes = htole64(form);
    memcpy(at, &bytes, sizeof bytes);
    return at + (form >> 56);
}

/* Write the beginning of a record: an array of so many elements, its tag, and an integer below 128. Four
 * bytes are written. */
static inline uint8_t *pack_hot_head(uint8_t *at, uint8_t n_elements, uint8_t tag, uint8_t value)
{
    const uint32_t bytes = htole32(0x90u | n_elements | (uint32_t)tag << 8 | (uint32_t)value << 16);
    memcpy(at, &bytes, sizeof bytes);
    return at + 3;
}

#endif
