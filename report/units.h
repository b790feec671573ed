/* SPDX-License-Identifier: MIT */
/* Numbers as people read them: 90,707 · 538.98 kB · 1.2 µs · 33.1 %. */
#ifndef HEAPWISE_REPORT_UNITS_H
#define HEAPWISE_REPORT_UNITS_H

#include "report/buffer.h"

#include <stdint.h>

enum unit {
    UNIT_NONE,      /* an empty cell */
    UNIT_TEXT,      /* foreign text: escaped when shown */
    UNIT_FRAME,     /* a struct profile_frame */
    UNIT_PATH,      /* foreign text whose end says most: shortened at its front */
    UNIT_COUNT,     /* 90,707 */
    UNIT_BYTES,     /* SI: 1 kB is 1000 bytes, so that a figure leads to the exact one by eye */
    UNIT_NS,        /* a duration */
    UNIT_SECONDS,   /* a duration as a real number */
    UNIT_SHARE,     /* 0..1, shown as a percentage */
    UNIT_RATE,      /* per second */
    UNIT_BYTE_RATE, /* bytes per second */
    UNIT_BAR,       /* 0..1, shown as a bar */
};

/* Add `value` in `unit`, one of COUNT, BYTES and NS. */
void units_add_integer(struct buffer *out, enum unit unit, uint64_t value);

/* Add `value` in `unit`, one of SECONDS, SHARE, RATE and BYTE_RATE. Not-a-number and negative values,
 * which only a damaged trace holds, are shown as 0. */
void units_add_real(struct buffer *out, enum unit unit, double value);

/* Short name of a unit for documents: "count", "bytes", "ns", "seconds", "per second", ... */
const char *units_name(enum unit unit);

#endif
