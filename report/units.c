/* SPDX-License-Identifier: MIT */
/* How is a number shown? Three significant digits and a unit, and counts in full. */
#include "report/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_grouped(struct buffer *out, uint64_t value)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            buffer_text(out, ",");
        buffer_add(out, &digits[i], 1);
    }
}

struct scale {
    double above; /* used from this value on */
    double divisor;
    const char *suffix;
};

/* Three significant digits: 9.99, 99.9, 999. */
static void add_scaled(struct buffer *out, double value, const struct scale *scales, size_t n)
{
    size_t best = 0;
    for (size_t i = 0; i < n; i++)
        if (value >= scales[i].above)
            best = i;
    const double scaled = value / scales[best].divisor;
    const int decimals = scales[best].divisor == 1 ? 0
                         : scaled < 9.995          ? 2
                         : scaled < 99.95          ? 1
                                                   : 0;
    buffer_printf(out, "%.*f %s", decimals, scaled, scales[best].suffix);
}

/* The limits lie half a digit below the next unit, so that 999,999 bytes are 1.00 MB, not 1000 kB. */
static const struct scale byte_scales[] = {
    {0, 1, "B"},           {1000, 1e3, "kB"},      {999.5e3, 1e6, "MB"},   {999.5e6, 1e9, "GB"},
    {999.5e9, 1e12, "TB"}, {999.5e12, 1e15, "PB"}, {999.5e15, 1e18, "EB"},
};
static const struct scale time_scales[] = {
    {0, 1, "ns"},        {1000, 1e3, "us"},    {999.5e3, 1e6, "ms"},
    {999.5e6, 1e9, "s"}, {120e9, 60e9, "min"}, {7200e9, 3600e9, "h"},
};

void units_add_integer(struct buffer *out, enum unit unit, uint64_t value)
{
    if (unit == UNIT_BYTES)
        add_scaled(out, (double)value, byte_scales, sizeof byte_scales / sizeof *byte_scales);
    else if (unit == UNIT_NS)
        add_scaled(out, (double)value, time_scales, sizeof time_scales / sizeof *time_scales);
    else
        add_grouped(out, value);
}

static void add_share(struct buffer *out, double share)
{
    if (share > 0 && share < 0.0005)
        buffer_text(out, "<0.1 %");
    else
        buffer_printf(out, "%.1f %%", share * 100);
}

void units_add_real(struct buffer *out, enum unit unit, double value)
{
    const double sane = isfinite(value) && value > 0 ? fmin(value, 1e18) : 0;
    switch (unit) {
    case UNIT_SHARE: add_share(out, sane); break;
    case UNIT_RATE:
        add_grouped(out, (uint64_t)(sane + 0.5));
        buffer_text(out, "/s");
        break;
    case UNIT_BYTE_RATE:
        units_add_integer(out, UNIT_BYTES, (uint64_t)(sane + 0.5));
        buffer_text(out, "/s");
        break;
    default: units_add_integer(out, UNIT_NS, (uint64_t)(fmin(sane, 1e9) * 1e9 + 0.5)); break;
    }
}

const char *units_name(enum unit unit)
{
    static const char *const names[] = {
        [UNIT_COUNT] = "count",
        [UNIT_BYTES] = "bytes",
        [UNIT_NS] = "nanoseconds",
        [UNIT_SECONDS] = "seconds",
        [UNIT_SHARE] = "share",
        [UNIT_RATE] = "per second",
        [UNIT_BYTE_RATE] = "bytes per second",
        [UNIT_BAR] = "bar",
    };
    const char *name = unit < sizeof names / sizeof *names ? names[unit] : NULL;
    return name ? name : "text";
}
