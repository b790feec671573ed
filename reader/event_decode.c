/* SPDX-License-Identifier: MIT */
/* The forms of msgpack's integers, by the codes they begin with. */
#include "reader/event_decode.h"

#define NUMBER(bits, unsigned_)                                                                    \
    {                                                                                              \
        .mask = (unsigned_) ? UINT64_MAX >> (64 - (bits)) : UINT64_MAX, .shift = 64 - (bits),      \
        .n_bytes = 1 + (bits) / 8, .is_unsigned = (unsigned_)                                      \
    }

/* Codes in no row begin something else: n_bytes is 0. */
const struct event_number_form event_number_forms[EVENT_N_CODES] = {
    [0xcc - EVENT_FIRST_CODE] = NUMBER(8, 1),  [0xcd - EVENT_FIRST_CODE] = NUMBER(16, 1),
    [0xce - EVENT_FIRST_CODE] = NUMBER(32, 1), [0xcf - EVENT_FIRST_CODE] = NUMBER(64, 1),
    [0xd0 - EVENT_FIRST_CODE] = NUMBER(8, 0),  [0xd1 - EVENT_FIRST_CODE] = NUMBER(16, 0),
    [0xd2 - EVENT_FIRST_CODE] = NUMBER(32, 0), [0xd3 - EVENT_FIRST_CODE] = NUMBER(64, 0),
};
