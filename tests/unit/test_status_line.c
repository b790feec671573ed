/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/status_line.h"

static void numbers_are_short(void **state)
{
    char text[32];
    (void)state;
    assert_string_equal(status_line_bytes(0, text), "0 B");
    assert_string_equal(status_line_bytes(1023, text), "1023 B");
    assert_string_equal(status_line_bytes(1536, text), "1.5 KiB");
    assert_string_equal(status_line_bytes(UINT64_C(200) << 20, text), "200 MiB");
    assert_string_equal(status_line_bytes(UINT64_C(5) << 50, text), "5120 TiB");
    assert_string_equal(status_line_count(999, text), "999");
    assert_string_equal(status_line_count(1500, text), "1.5 k");
    assert_string_equal(status_line_count(3400000, text), "3.4 M");
    assert_string_equal(status_line_count(UINT64_MAX, text), "18446744074 G");
}

static void durations_are_readable(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0.000 s"},
        {1234567, "0.001 s"},
        {999400000, "0.999 s"},
        {1500000000, "1.50 s"},
        {12345678901, "12.3 s"},
        {61000000000, "1 min 01 s"},
        {3720000000000, "1 h 02 min"},
        {UINT64_MAX, "5124095 h 34 min"},
    };
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(status_line_duration(rows[i].ns, text), rows[i].text);
}

static void the_line_fits_and_never_shows_negative_bytes(void **state)
{
    static struct board board;
    char line[128];
    char tiny[10];
    (void)state;
    atomic_store(&board.started_ns, 1000000000);
    atomic_store(&board.n_events, 12345);
    atomic_store(&board.live_bytes, (uint64_t)-5);
    status_line_format(&board, UINT64_C(13000000000), line, sizeof line);
    assert_string_equal(line, "heapwise: 12.0 s  12.3 k events  0 B live");
    status_line_format(&board, 0, tiny, sizeof tiny);
    assert_string_equal(tiny, "heapwise:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(durations_are_readable),
        cmocka_unit_test(the_line_fits_and_never_shows_negative_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
