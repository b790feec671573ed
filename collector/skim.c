/* SPDX-License-Identifier: MIT */
/* How the usual record is passed over: an array head, a tag, two differences whose values count, and
 * then numbers of which only the length counts.
 *
 *     95 01 | cc 5a | 10 | 64 | 07          [malloc, dt, da, size, stack]
 *     head    value   value  skipped
 *
 * Most numbers' forms are told by branches, not by a table of lengths: where the next record begins
 * depends on every number before it, a processor guesses branches ahead of that chain but not loads.
 * Measured per event, general way / table / branches: churn 11.7 / 15.0 / 2.7 ns, python3 15.3 / 15.0
 * / 5.8 ns. A number of more than 32 bits is rare enough to be left to the general way. */
#include "collector/skim.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "trace/record_hot.h"

/* Which records are for us, and what they count. */
struct skim_row {
    uint8_t n_least, n_most; /* elements; 0 for all other tags */
    uint8_t n_events;
    bool has_address; /* a difference that counts */
    bool has_call;    /* then, which call it was: a small number */
};
#define ALLOCATION                                                                                 \
    {                                                                                              \
        5, 7, 1, true, false                                                                       \
    }
#define RELEASE                                                                                    \
    {                                                                                              \
        3, 4, 1, true, false                                                                       \
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
    [TRACE_REALLOC_BEGIN] = {4, 4, 0, true, true},
    [TRACE_CALL_TIME] = {4, 4, 0, false, true},
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

/* Take a signed number of up to 32 bits; false for any other object. Reads up to nine bytes.
 * Which of the longer forms it has is computed: addresses go to and fro, and a branch guessed wrong
 * costs more (cppcheck 7.7 ns an event by branches, 5.7 so; sqlite3 4.8 and 5.3). */
static inline bool take_difference(const uint8_t **at, uint64_t *value_out)
{
    const uint8_t *const number = *at;
    const uint8_t first = number[0];
    if (first < 0x80 || first >= 0xe0) {
        *value_out = (uint64_t)(int64_t)(int8_t)first;
        *at += 1;
        return true;
    }
    const unsigned code = first - 0xccu; /* 0 to 2 unsigned, 4 to 6 signed, of 1, 2, 4 bytes */
    if (code > 6 || code == 3)
        return false;
    const unsigned n_bytes = 1u << (code & 3);
    const uint64_t word = load(number + 1, 8);
    const unsigned shift = 64 - 8 * n_bytes;
    const uint64_t with_sign = (uint64_t)((int64_t)word >> shift);
    *value_out = code >= 4 ? with_sign : word >> shift;
    *at += 1 + n_bytes;
    return true;
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

/* Take the time since the record before: nearly always a number of two bytes. */
static inline bool take_elapsed(const uint8_t **at, uint64_t *ticks_out)
{
    const uint8_t *const number = *at;
    if (number[0] == 0xcd) {
        *ticks_out = load(number + 1, 2);
        *at += 3;
        return true;
    }
    return take_difference(at, ticks_out);
}

/* Size and stack: sizes are small, stacks many. */
static inline const uint8_t *pass_size_and_stack(const uint8_t *at)
{
    if (at[0] < 0x80)
        at += 1;
    else if (at[0] == 0xcc)
        at += 2;
    else if (at[0] == 0xcd)
        at += 3;
    else
        return pass_numbers(at, 2);
    return __builtin_expect(at[0] == 0xcd, 1) ? at + 3 : pass_numbers(at, 1);
}

/* Pass over a free, or a malloc, of the usual form. Returns NULL at any other. */
static inline const uint8_t *pass_usual(const uint8_t *at, bool is_malloc, struct skim *sums)
{
    uint64_t ticks, address;
    at += 2;
    if (!take_elapsed(&at, &ticks) || !take_difference(&at, &address))
        return NULL;
    if (is_malloc && !(at = pass_size_and_stack(at)))
        return NULL;
    sums->base.ticks += ticks;
    sums->base.address += address;
    sums->n_events++;
    return at;
}

/* Pass over any record of the rows. Returns NULL at any other. */
static inline const uint8_t *pass_any(const uint8_t *at, struct skim *sums)
{
    const unsigned n_elements = at[0] ^ 0x90u;
    const struct skim_row *const row = &rows[at[1]];
    uint64_t ticks, address = 0;
    if (n_elements < row->n_least || n_elements - 1 >= row->n_most) /* also where both are 0 */
        return NULL;
    at += 2;
    if (!take_elapsed(&at, &ticks) || (row->has_address && !take_difference(&at, &address)))
        return NULL;
    if (row->has_call && *at++ >= 0x80)
        return NULL;
    if (!(at = pass_numbers(at, n_elements - 2 - row->has_address - row->has_call)))
        return NULL;
    sums->base.ticks += ticks;
    sums->base.address += address;
    sums->n_events += row->n_events;
    return at;
}

/* The first two bytes of most records. */
enum skim_head {
    HEAD_MALLOC = 0x95 | TRACE_MALLOC << 8,
    HEAD_FREE = 0x93 | TRACE_FREE << 8,
};

const uint8_t *skim_events(const uint8_t *at, const uint8_t *limit, const uint8_t *end,
                           struct skim *skim)
{
    struct skim sums = *skim; /* in registers */
    while (at < limit && end - at >= RECORD_HOT_BYTES) {
        const unsigned head = at[0] | (unsigned)at[1] << 8;
        const uint8_t *next;
        if (head == HEAD_FREE)
            next = pass_usual(at, false, &sums);
        else if (head == HEAD_MALLOC)
            next = pass_usual(at, true, &sums);
        else
            next = pass_any(at, &sums);
        if (!next)
            break;
        sums.n_records++;
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
    if (!take_id(&at, &id) || !take_id(&at, &parent) || parent >= id ||
        (at[0] != 0xcf && at[0] != 0xce))
        return NULL;
    const unsigned n_bytes =
        at[0] == 0xcf ? 8 : 4; /* 4: a program that is loaded at fixed addresses */
    *return_address_out = load(at + 1, n_bytes);
    return at + 1 + n_bytes;
}
