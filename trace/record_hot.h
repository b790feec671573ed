/* SPDX-License-Identifier: MIT */
/* The bulk of a trace decoded in one go: allocations, resizes and releases.
 *
 * Nine records of ten are an array of two to seven integers. Where the whole of the longest such
 * record lies in the input, they are taken without a bound to check per number and without clearing a
 * whole record. Anything else about a record, wrong or only rare, is left to the general way:
 * a false here is no verdict. */
#ifndef HEAPWISE_TRACE_RECORD_HOT_H
#define HEAPWISE_TRACE_RECORD_HOT_H

#include <endian.h>
#include <string.h>

#include "trace/record.h"

enum record_hot_bounds {
    RECORD_HOT_NUMBERS = 6, /* after the tag */
    RECORD_HOT_BYTES = 2 + 9 * RECORD_HOT_NUMBERS,
};

/* An integer as msgpack writes it; negative ones are marked, for fields that cannot be. */
struct record_hot_number {
    uint64_t value;
    bool negative;
};

static inline uint64_t record_hot_load(const uint8_t *at, unsigned n_bytes)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return be64toh(word) >> (64 - 8 * n_bytes);
}

/* Take one integer. Reads up to nine bytes from *at. */
static inline bool record_hot_take(const uint8_t **at, struct record_hot_number *number_out)
{
    const uint8_t first = **at;
    if (first < 0x80 || first >= 0xe0) {
        number_out->value = (uint64_t)(int64_t)(int8_t)first;
        number_out->negative = first >= 0xe0;
        *at += 1;
        return true;
    }
    const unsigned code = first - 0xccu; /* 0..3 unsigned, 4..7 signed, of 1, 2, 4, 8 bytes */
    if (code > 7)
        return false;
    const unsigned n_bytes = 1u << (code & 3);
    uint64_t value = record_hot_load(*at + 1, n_bytes);
    const unsigned shift = 64 - 8 * n_bytes;
    if (code >= 4)
        value = (uint64_t)((int64_t)(value << shift) >> shift);
    number_out->value = value;
    number_out->negative = code >= 4 && (int64_t)value < 0;
    *at += 1 + n_bytes;
    return true;
}

/* Which elements a record of this tag may have: the least and the most, 0 for tags not meant here. */
static inline bool record_hot_length_fits(uint8_t tag, unsigned n_elements)
{
    if (record_is_allocation(tag) || tag == TRACE_REALLOC_END)
        return n_elements >= 5 && n_elements <= 7;
    if (record_is_release(tag))
        return n_elements == 3 || n_elements == 4;
    return tag == TRACE_REALLOC_BEGIN && n_elements == 4;
}

/* The numbers after address and time, by kind; false where one is out of range. */
static inline bool record_hot_fill(struct record_block *block, uint8_t tag,
                                   const struct record_hot_number *numbers, unsigned n)
{
    for (unsigned i = 2; i < n; i++)
        if (numbers[i].negative)
            return false;
    if (record_is_release(tag)) {
        block->stack = n > 2 ? (uint32_t)numbers[2].value : 0;
        return n <= 2 || numbers[2].value <= UINT32_MAX;
    }
    if (tag == TRACE_REALLOC_BEGIN) {
        block->resize_call = (uint8_t)numbers[2].value;
        return numbers[2].value <= UINT8_MAX;
    }
    block->size_bytes = numbers[2].value;
    block->stack = (uint32_t)numbers[3].value;
    block->usable_bytes = n > 4 ? numbers[4].value : TRACE_USUAL_USABLE(numbers[2].value);
    block->alignment = n > 5 ? numbers[5].value : 0;
    return numbers[3].value <= UINT32_MAX;
}

/* Decode what stands at the cursor if it is such a record and well formed. On false nothing but
 * *record_out has changed. */
static inline bool record_hot_decode(struct unpack_cursor *cursor, struct record_base *base,
                                     struct record *record_out)
{
    const uint8_t *at = cursor->at;
    if (cursor->end - at < RECORD_HOT_BYTES)
        return false;
    const unsigned n_elements = at[0] ^ 0x90u;
    const uint8_t tag = at[1];
    if (!record_hot_length_fits(tag, n_elements))
        return false;
    struct record_hot_number numbers[RECORD_HOT_NUMBERS];
    const unsigned n = n_elements - 1;
    at += 2;
    for (unsigned i = 0; i < n; i++)
        if (!record_hot_take(&at, &numbers[i]))
            return false;
    if ((int64_t)numbers[0].value < 0 && !numbers[0].negative)
        return false;
    if ((int64_t)numbers[1].value < 0 && !numbers[1].negative)
        return false;
    record_out->block = (struct record_block){.address = base->address + numbers[1].value};
    if (!record_hot_fill(&record_out->block, tag, numbers, n))
        return false;
    record_out->tag = tag;
    record_out->known = true;
    record_out->ticks = base->ticks += numbers[0].value;
    base->address = record_out->block.address;
    cursor->at = at;
    return true;
}

#endif
