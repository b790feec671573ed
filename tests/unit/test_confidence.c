/* SPDX-License-Identifier: MIT */
#include "findings/engine.h"
#include "findings/findings.h"
#include "findings/scoring.h"
#include "findings/store.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

static const struct profile_frame frames[] = {
    {.function = "f", .file = "x.c", .module = "m", .line = 3},
    {.function = "g", .file = "", .module = "m"},
    {.function = "malloc", .file = "malloc.c", .module = "c", .line = 3, .is_runtime = true},
};
static const uint32_t stack[] = {0, 1, 2};

static const struct profile good = {
    .frames = frames, .n_frames = 3, .totals = {.duration_seconds = 60, .events = 100000}};

/* Settle a finding at that frame and hold it against what may lower it, at most one. */
static void assert_doubted(const struct profile *profile, uint32_t frame, bool sampled,
                           const struct scoring_factor *factor)
{
    struct finding finding = {
        .confidence = 1, .place = {3, stack, frame}, .evidence = {.sampled = sampled}};
    struct finding *found[] = {&finding};
    struct findings_store store = {.found = found, .n_found = 1};
    struct findings findings = {.profile = profile, .store = &store};
    struct finder finder = {.profile = profile, .findings = &findings};
    confidence_settle(&finder);
    assert_int_equal(finding.n_reasons, factor ? 1 : 0);
    assert_true(fabs(finding.confidence - (factor ? factor->factor : 1)) < 1e-9);
    if (factor)
        assert_string_equal(finding.reasons[0], factor->reason);
}

static void each_lack_lowers_it_once(void **state)
{
    (void)state;
    assert_doubted(&good, 0, false, NULL);
    struct profile lacking = good;
    lacking.totals.duration_seconds = 0.5;
    assert_doubted(&lacking, 0, false, scoring_factor(DOUBT_SHORT_RUN));
    lacking = good;
    lacking.totals.events = 999;
    assert_doubted(&lacking, 0, false, scoring_factor(DOUBT_FEW_EVENTS));
    lacking = good;
    lacking.truncated = lacking.stopped = true;
    assert_doubted(&lacking, 0, false, scoring_factor(DOUBT_CUT));
    lacking = good;
    lacking.totals.lost_events = 1;
    assert_doubted(&lacking, 0, false, scoring_factor(DOUBT_LOST_EVENTS));
    assert_doubted(&good, 1, false, scoring_factor(DOUBT_NO_LINE));
    assert_doubted(&good, 2, false, scoring_factor(DOUBT_NO_FRAME));
    assert_doubted(&good, 0, true, scoring_factor(DOUBT_SAMPLED));
}

static void few_calls_that_take_the_time_are_enough(void **state)
{
    (void)state;
    static const struct {
        double saved_seconds;
        uint32_t n_reasons;
    } rows[] = {{5.9, 1}, {6, 0}};
    struct profile few = good;
    few.totals.events = 60;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct finding finding = {.confidence = 1,
                                  .place = {3, stack, 0},
                                  .saves.seconds = maybe_known(rows[i].saved_seconds)};
        struct finding *found[] = {&finding};
        struct findings_store store = {.found = found, .n_found = 1};
        struct findings findings = {.profile = &few, .store = &store};
        struct finder finder = {.profile = &few, .findings = &findings};
        confidence_settle(&finder);
        assert_int_equal(finding.n_reasons, rows[i].n_reasons);
    }
}

static void a_nameless_place_of_many_stacks_is_doubted(void **state)
{
    (void)state;
    static const struct {
        const char *function;
        uint32_t n_stacks, n_reasons;
    } rows[] = {{"", 31, 1}, {"", 32, 2}, {"f", 32, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile_frame frame = {
            .function = rows[i].function, .file = "", .module = "m", .offset = 16};
        const struct profile profile = {.frames = &frame, .n_frames = 1, .totals = good.totals};
        const struct site site = {.n_stacks = rows[i].n_stacks};
        struct finding finding = {.confidence = 1, .place = {1, stack, 0}, .site = &site};
        struct finding *found[] = {&finding};
        struct findings_store store = {.found = found, .n_found = 1};
        struct findings findings = {.profile = &profile, .store = &store};
        struct finder finder = {.profile = &profile, .findings = &findings};
        confidence_settle(&finder);
        assert_int_equal(finding.n_reasons, rows[i].n_reasons);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lack_lowers_it_once),
        cmocka_unit_test(few_calls_that_take_the_time_are_enough),
        cmocka_unit_test(a_nameless_place_of_many_stacks_is_doubted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
