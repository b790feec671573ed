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

/* By sign, then by the leading zero bits of the number, or of its complement where it is negative. */
static const struct pack_hot_form pack_hot_forms[2][64] = {
    {
        [0 ... 31] = PACK_HOT_8(0xcf),
        [32 ... 47] = PACK_HOT_4(0xce),
        [48 ... 55] = PACK_HOT_2(0xcd),
        [56] = PACK_HOT_1(0xcc),
        [57 ... 63] = PACK_HOT_SMALL(0, 0x7f),
    },
    {
        [0 ... 32] = PACK_HOT_8(0xd3),
        [33 ... 48] = PACK_HOT_4(0xd2),
        [49 ... 56] = PACK_HOT_2(0xd1),
        [57 ... 58] = PACK_HOT_1(0xd0),
        [59 ... 63] = PACK_HOT_SMALL(0, 0xff),
    },
};

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
    return pack_hot_write(at, value, &pack_hot_forms[0][__builtin_clzll(value | 1)]);
}

static inline uint8_t *pack_hot_int(uint8_t *at, int64_t value)
{
    const uint64_t sign = (uint64_t)(value >> 63);
    const int n_zeros = __builtin_clzll(((uint64_t)value ^ sign) | 1);
    return pack_hot_write(at, (uint64_t)value, &pack_hot_forms[sign & 1][n_zeros]);
}

#endif
