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
#include <stdio.h>
#include <string.h>

enum { RUN_SECONDS = 100 };

static const struct rule easy = {.id = "AL901", .effort = 1, .ceiling = SEVERITY_CRITICAL},
                         hard = {.id = "AL902", .effort = 5, .ceiling = SEVERITY_CRITICAL},
                         capped = {.id = "AL903", .effort = 1, .ceiling = SEVERITY_LOW};

static void rank(struct finding **found, size_t n)
{
    const struct profile profile = {.totals = {.duration_seconds = RUN_SECONDS}};
    struct findings_store store = {.found = found, .n_found = n};
    struct findings findings = {.profile = &profile, .store = &store};
    struct finder finder = {.profile = &profile, .findings = &findings};
    rank_all(&finder);
}

static enum finding_severity severity_of(struct finding finding)
{
    struct finding *found[] = {&finding};
    rank(found, 1);
    return finding.severity;
}

static void severity_follows_the_steps(void **state)
{
    (void)state;
    const struct scoring_step *step = NULL;
    for (size_t i = 0; (step = scoring_step_at(i)) != NULL; i++) {
        assert_int_equal(severity_of((struct finding){.rule = &easy, .impact = step->percent}),
                         step->severity);
        assert_true(severity_of((struct finding){.rule = &easy, .impact = step->percent - 0.01}) <
                    step->severity);
    }
    assert_int_equal(severity_of((struct finding){.rule = &easy}), SEVERITY_INFO);
}

static void little_time_is_not_severe(void **state)
{
    (void)state;
    struct finding finding = {.rule = &easy, .impact = 90, .saves = {.seconds = {true, 0.001}}};
    assert_int_equal(severity_of(finding), SEVERITY_LOW);
    finding.saves.peak_bytes = maybe_known(1e9); /* memory is what it is about */
    assert_int_equal(severity_of(finding), SEVERITY_CRITICAL);
}

static void floor_and_ceiling_bound_it(void **state)
{
    (void)state;
    assert_int_equal(severity_of((struct finding){.rule = &easy, .floor = SEVERITY_HIGH}),
                     SEVERITY_HIGH);
    assert_int_equal(severity_of((struct finding){.rule = &capped, .impact = 100}), SEVERITY_LOW);
    assert_int_equal(
        severity_of((struct finding){.rule = &capped, .impact = 100, .floor = SEVERITY_HIGH}),
        SEVERITY_LOW);
}

static void absurd_numbers_are_clipped(void **state)
{
    (void)state;
    struct finding finding = {.rule = &easy, .impact = 1e300, .percentage = NAN, .confidence = -1};
    struct finding *found[] = {&finding};
    rank(found, 1);
    assert_true(finding.impact == 100 && finding.percentage == 0 && finding.confidence == 0);
    assert_true(finding.score == 0);
}

/* Every permutation of findings of which some are equal but for their ids gives one order. */
static void order_is_total(void **state)
{
    (void)state;
    static const char *const order = "dcabe";
    struct finding findings[] = {
        {.rule = &easy, .impact = 10, .confidence = 0.5, .percentage = 10, .id = "a"},
        {.rule = &easy, .impact = 10, .confidence = 0.5, .percentage = 10, .id = "b"},
        {.rule = &easy, .impact = 10, .confidence = 0.5, .percentage = 20, .id = "c"},
        {.rule = &easy, .impact = 20, .confidence = 0.5, .id = "d"},
        {.rule = &hard, .impact = 20, .confidence = 0.5, .id = "e"},
    };
    for (size_t shift = 0; shift < 5; shift++) {
        for (size_t step = 1; step < 5; step++) {
            struct finding *found[5];
            for (size_t i = 0; i < 5; i++)
                found[i] = &findings[(shift + i * step) % 5];
            rank(found, 5);
            for (size_t i = 0; i < 5; i++) {
                assert_int_equal(found[i]->id[0], order[i]);
                assert_int_equal(found[i]->rank, i + 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(severity_follows_the_steps),
        cmocka_unit_test(little_time_is_not_severe),
        cmocka_unit_test(floor_and_ceiling_bound_it),
        cmocka_unit_test(absurd_numbers_are_clipped),
        cmocka_unit_test(order_is_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
