/* SPDX-License-Identifier: MIT */
/* The forms of msgpack's integers, by the codes they begin with, and of the usual records, by tag. */
#include "reader/event_decode.h"

#define NUMBER(bits, unsigned_)                                                                    \
    {                                                                                              \
        .mask = (unsigned_) ? UINT64_MAX >> (64 - (bits)) : UINT64_MAX,                            \
        .top = (unsigned_) ? UINT64_C(1) << 63 : 0, .shift = 64 - (bits),                          \
        .n_bytes = 1 + (bits) / 8                                                                  \
    }
#define NONE                                                                                       \
    {                                                                                              \
        .top = UINT64_C(1) << 63, .none = UINT64_C(1) << 63                                        \
    }

const struct event_number_form event_number_forms[EVENT_N_CODES] = {
    [0x80 - EVENT_FIRST_CODE... 0xcb - EVENT_FIRST_CODE] = NONE,
    [0xcc - EVENT_FIRST_CODE] = NUMBER(8, 1),
    [0xcd - EVENT_FIRST_CODE] = NUMBER(16, 1),
    [0xce - EVENT_FIRST_CODE] = NUMBER(32, 1),
    [0xcf - EVENT_FIRST_CODE] = NUMBER(64, 1),
    [0xd0 - EVENT_FIRST_CODE] = NUMBER(8, 0),
    [0xd1 - EVENT_FIRST_CODE] = NUMBER(16, 0),
    [0xd2 - EVENT_FIRST_CODE] = NUMBER(32, 0),
    [0xd3 - EVENT_FIRST_CODE] = NUMBER(64, 0),
    [0xd4 - EVENT_FIRST_CODE... EVENT_N_CODES - 1] = NONE,
};

const uint8_t event_heads[256] = {
    [TRACE_MALLOC... TRACE_MALLOCX] = 0x95,
    [TRACE_REALLOC_END] = 0x95,
    [TRACE_REALLOC_BEGIN] = 0x94,
    [TRACE_NODE] = 0x94,
    [TRACE_CALL_TIME] = 0x94,
    [TRACE_FREE... TRACE_SDALLOCX] = 0x93,
};
