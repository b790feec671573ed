/* SPDX-License-Identifier: MIT */
#include "cli/nearest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void distance_counts_single_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"report", "report", 0},
        {"reprot", "report", 1},
        {"repot", "report", 1},
        {"rreport", "report", 1},
        {"rapart", "report", 2},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(nearest_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(nearest_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
}

static void long_words_are_bounded(void **state)
{
    (void)state;
    char a[500], b[500];
    for (size_t i = 0; i < sizeof a; i++) {
        a[i] = 'a';
        b[i] = 'b';
    }
    a[sizeof a - 1] = b[sizeof b - 1] = '\0';
    assert_int_equal(nearest_distance(a, b), 64);
}

static const char *guess(const char *wanted)
{
    static const char *const known[] = {"alloc_bytes", "leaked_bytes", "slack_bytes", "top",
                                        "process"};
    struct nearest best = {0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        nearest_offer(&best, wanted, known[i]);
    return best.word;
}

static void the_nearest_plausible_word_wins(void **state)
{
    (void)state;
    assert_string_equal(guess("slak_bytes"), "slack_bytes");
    assert_string_equal(guess("leak_bytes"), "leaked_bytes");
    assert_string_equal(guess("proc"), "process");
    assert_string_equal(guess("tpo"), "top");
    assert_null(guess("x"));
    assert_null(guess("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_single_mistakes),
        cmocka_unit_test(long_words_are_bounded),
        cmocka_unit_test(the_nearest_plausible_word_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
