/* SPDX-License-Identifier: MIT */
#include "report/units.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void integers_are_shown_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        enum unit unit;
        uint64_t value;
        const char *text;
    } rows[] = {
        {UNIT_COUNT, 0, "0"},
        {UNIT_COUNT, 999, "999"},
        {UNIT_COUNT, 1000, "1,000"},
        {UNIT_COUNT, 12345678, "12,345,678"},
        {UNIT_COUNT, UINT64_MAX, "18,446,744,073,709,551,615"},
        {UNIT_BYTES, 0, "0 B"},
        {UNIT_BYTES, 999, "999 B"},
        {UNIT_BYTES, 1000, "1.00 kB"},
        {UNIT_BYTES, 9994, "9.99 kB"},
        {UNIT_BYTES, 99940, "99.9 kB"},
        {UNIT_BYTES, 538980, "539 kB"},
        {UNIT_BYTES, 999499, "999 kB"},
        {UNIT_BYTES, 999500, "1.00 MB"},
        {UNIT_BYTES, 1678816, "1.68 MB"},
        {UNIT_BYTES, UINT64_MAX, "18.4 EB"},
        {UNIT_NS, 40, "40 ns"},
        {UNIT_NS, 1500, "1.50 us"},
        {UNIT_NS, 1500000, "1.50 ms"},
        {UNIT_NS, 1500000000, "1.50 s"},
        {UNIT_NS, 150000000000, "2.50 min"},
        {UNIT_NS, 7200000000000, "2.00 h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        units_add_integer(&out, rows[i].unit, rows[i].value);
        assert_string_equal(buffer_string(&out), rows[i].text);
        buffer_fini(&out);
    }
}

static void reals_are_shown_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        enum unit unit;
        double value;
        const char *text;
    } rows[] = {
        {UNIT_SHARE, 0, "0.0 %"},
        {UNIT_SHARE, 0.0001, "<0.1 %"},
        {UNIT_SHARE, 0.3333, "33.3 %"},
        {UNIT_SHARE, 1, "100.0 %"},
        {UNIT_RATE, 59880.666, "59,881/s"},
        {UNIT_BYTE_RATE, 20644096, "20.6 MB/s"},
        {UNIT_SECONDS, 1.5, "1.50 s"},
        {UNIT_SECONDS, 0.0125, "12.5 ms"},
        {UNIT_SECONDS, -1, "0 ns"},
        {UNIT_RATE, __builtin_nan(""), "0/s"},
        {UNIT_RATE, __builtin_inf(), "0/s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        units_add_real(&out, rows[i].unit, rows[i].value);
        assert_string_equal(buffer_string(&out), rows[i].text);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_shown_in_their_unit),
        cmocka_unit_test(reals_are_shown_in_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
