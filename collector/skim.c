/* SPDX-License-Identifier: MIT */
/* How the usual record is passed over: an array head, a tag, two differences whose values count, and
 * then numbers of which only the length counts.
 *
 *     95 01 | cc 5a | 10 | 64 | 07          [malloc, dt, da, size, stack]
 *     head    value   value  skipped
 *
 * Each number's form is told by branches, not by a table of lengths: where the next record begins
 * depends on every number before it, a processor guesses branches ahead of that chain but not loads.
 * Measured per event, general way / table / branches: churn 11.7 / 15.0 / 3.3 ns, python3 15.3 / 15.0
 * / 7.6 ns. A number of more than 32 bits is rare enough to be left to the general way. */
#include "collector/skim.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "trace/record_hot.h"

/* Which records are for us, and what they count. */
struct skim_row {
    uint8_t n_least, n_most; /* elements; 0 for all other tags */
    uint8_t n_events;
};
#define ALLOCATION                                                                                 \
    {                                                                                              \
        5, 7, 1                                                                                    \
    }
#define RELEASE                                                                                    \
    {                                                                                              \
        3, 4, 1                                                                                    \
    }
static const struct skim_row rows[256] = {
    [TRACE_MALLOC] = ALLOCATION,
    [TRACE_CALLOC] = ALLOCATION,
    [TRACE_REALLOC_NEW] = ALLOCATION,
    [TRACE_REALLOCARRAY_NEW] = ALLOCATION,
    [TRACE_POSIX_MEMALIGN] = ALLOCATION,
    [TRACE_ALIGNED_ALLOC] = ALLOCATION,
    [TRACE_MEMALIGN] = ALLOCATION,
    [TRACE_VALLOC] = ALLOCATION,
    [TRACE_PVALLOC] = ALLOCATION,
    [TRACE_MALLOCX] = ALLOCATION,
    [TRACE_REALLOC_BEGIN] = {4, 4, 0},
    [TRACE_REALLOC_END] = ALLOCATION,
    [TRACE_FREE] = RELEASE,
    [TRACE_FREE_SIZED] = RELEASE,
    [TRACE_FREE_ALIGNED_SIZED] = RELEASE,
    [TRACE_CFREE] = RELEASE,
    [TRACE_DALLOCX] = RELEASE,
    [TRACE_SDALLOCX] = RELEASE,
};

static inline uint64_t load(const uint8_t *at, unsigned n_bytes)
{
    return record_hot_load(at, n_bytes);
}

/* Take a signed number of up to 32 bits; false for any other object. Reads up to nine bytes. */
static inline bool take_difference(const uint8_t **at, uint64_t *value_out)
{
    const uint8_t *const number = *at;
    const uint8_t first = number[0];
    if (__builtin_expect(first < 0x80 || first >= 0xe0, 1)) {
        *value_out = (uint64_t)(int64_t)(int8_t)first;
        *at += 1;
        return true;
    }
    switch (first) {
    case 0xcc:
        *value_out = number[1];
        *at += 2;
        return true;
    case 0xcd:
        *value_out = load(number + 1, 2);
        *at += 3;
        return true;
    case 0xce:
        *value_out = load(number + 1, 4);
        *at += 5;
        return true;
    case 0xd0:
        *value_out = (uint64_t)(int64_t)(int8_t)number[1];
        *at += 2;
        return true;
    case 0xd1:
        *value_out = (uint64_t)(int64_t)(int16_t)load(number + 1, 2);
        *at += 3;
        return true;
    case 0xd2:
        *value_out = (uint64_t)(int64_t)(int32_t)load(number + 1, 4);
        *at += 5;
        return true;
    default: return false;
    }
}

/* Pass over n unsigned numbers of up to 32 bits. Returns their end, NULL at anything else. */
static inline const uint8_t *pass_numbers(const uint8_t *at, unsigned n)
{
    for (; n > 0; n--) {
        const uint8_t first = at[0];
        if (first < 0x80)
            at += 1;
        else if (first == 0xcc)
            at += 2;
        else if (first == 0xcd)
            at += 3;
        else if (first == 0xce)
            at += 5;
        else
            return NULL;
    }
    return at;
}

const uint8_t *skim_events(const uint8_t *at, const uint8_t *limit, const uint8_t *end,
                           struct skim *skim)
{
    struct skim sums = *skim; /* in registers */
    while (at < limit && end - at >= RECORD_HOT_BYTES) {
        const unsigned n_elements = at[0] ^ 0x90u;
        const struct skim_row *const row = &rows[at[1]];
        const uint8_t *next = at + 2;
        uint64_t ticks, address;
        if (n_elements < row->n_least ||
            n_elements - 1 >= row->n_most || /* also where both are 0 */
            !take_difference(&next, &ticks) || !take_difference(&next, &address))
            break;
        if (at[1] == TRACE_REALLOC_BEGIN && next[0] >= 0x80)
            break; /* which call it was is a small number */
        next = pass_numbers(next, n_elements - 3);
        if (!next)
            break;
        sums.base.ticks += ticks;
        sums.base.address += address;
        sums.n_records++;
        sums.n_events += row->n_events;
        at = next;
    }
    *skim = sums;
    return at;
}

/* Take an unsigned number of up to 32 bits. Reads up to nine bytes. */
static inline bool take_id(const uint8_t **at, uint64_t *value_out)
{
    return (**at < 0x80 || (**at >= 0xcc && **at <= 0xce)) && take_difference(at, value_out);
}

const uint8_t *skim_node(const uint8_t *at, const uint8_t *end, uint64_t *return_address_out)
{
    uint64_t id, parent;
    if (end - at < RECORD_HOT_BYTES || at[0] != 0x94 || at[1] != TRACE_NODE)
        return NULL;
    at += 2;
    if (!take_id(&at, &id) || !take_id(&at, &parent) || parent >= id || at[0] != 0xcf)
        return NULL;
    *return_address_out = load(at + 1, 8);
    return at + 9;
}
