/* SPDX-License-Identifier: MIT */
/* The engine as a whole, with one rule alone so that others do not matter. */
#include "findings/findings.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* All rules are off but AL104. */
static struct findings_config one_rule(void)
{
    struct findings_config config = {.n_limits = 0};
    config.disabled = calloc(rules_count(), sizeof *config.disabled);
    assert_non_null(config.disabled);
    for (size_t i = 0; i < rules_count(); i++)
        if (rules_at(i) != rules_find("AL104"))
            config.disabled[config.n_disabled++] = rules_at(i);
    return config;
}

enum { MAX_PLACES = 64 };

/* The fixture with its sites as places, which have habits as findings_make() asks for. */
static struct profile profile_with_places(void)
{
    static const struct site_habits none;
    static struct site places[MAX_PLACES];
    struct profile profile = *profile_fixture();
    assert_in_range(profile.n_sites, 1, MAX_PLACES);
    for (size_t i = 0; i < profile.n_sites; i++) {
        places[i] = profile.sites[i];
        places[i].habits = &none;
    }
    profile.places = places;
    profile.n_places = profile.n_sites;
    return profile;
}

static void limits_decide(void **state)
{
    (void)state;
    const struct profile profile = profile_with_places();
    struct findings_config config = one_rule();
    struct config_limit limits[] = {{rules_find("AL104"), "min_count", 100},
                                    {rules_find("AL104"), "min_percent", 0}};
    struct findings *findings = NULL;
    assert_int_equal(findings_make(&profile, &config, 0, &findings), 0);
    assert_int_equal(findings->n_all, 1); /* 59,000 of 89,821 allocations */
    assert_true(strstr(findings->ranked[0]->title, "59,000") != NULL);
    assert_string_equal(findings->ranked[0]->evidence.threshold, "min_count 1000, min_percent 5");
    findings_free(findings);
    config.limits = limits;
    config.n_limits = 2;
    assert_int_equal(findings_make(&profile, &config, 0, &findings), 0);
    assert_int_equal(findings->n_all, 2);
    assert_string_equal(findings->ranked[0]->evidence.threshold, "min_count 100, min_percent 0");
    findings_free(findings);
    free(config.disabled);
}

static void top_keeps_the_first_and_counts_all(void **state)
{
    (void)state;
    const struct profile profile = profile_with_places();
    struct findings_config config = one_rule();
    struct config_limit limits[] = {{rules_find("AL104"), "min_count", 1},
                                    {rules_find("AL104"), "min_percent", 0}};
    config.limits = limits;
    config.n_limits = 2;
    struct findings *findings = NULL;
    assert_int_equal(findings_make(&profile, &config, 1, &findings), 0);
    assert_int_equal(findings->n, 1);
    assert_true(findings->n_all > 1);
    size_t n_severe = 0;
    for (size_t i = 0; i <= SEVERITY_CRITICAL; i++)
        n_severe += findings->n_severe[i];
    assert_int_equal(n_severe, findings->n_all);
    assert_int_equal(findings->ranked[0]->severity, findings->worst);
    findings_free(findings);
    free(config.disabled);
}

static void the_sum_is_never_more_than_the_run(void **state)
{
    (void)state;
    char text[256];
    const struct profile profile = profile_with_places();
    struct finding finding = {.saves = {.allocations = {true, 1e12}, .io_calls = {true, 1}}};
    struct finding *ranked[] = {&finding};
    const struct findings findings = {.profile = &profile, .n = 1, .ranked = ranked, .n_all = 1};
    findings_sum_up(&findings, text, sizeof text);
    assert_string_equal(text, "-100 % of allocations");
    char small[8];
    findings_sum_up(&findings, small, sizeof small);
    assert_int_equal(strlen(small), 7);
}

static void an_empty_run_has_no_findings(void **state)
{
    (void)state;
    const struct findings_config config = {.n_limits = 0};
    struct findings *findings = NULL;
    assert_int_equal(findings_make(profile_fixture_empty(), &config, 0, &findings), 0);
    assert_int_equal(findings->n_all, 0);
    findings_free(findings);
    findings_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_decide),
        cmocka_unit_test(top_keeps_the_first_and_counts_all),
        cmocka_unit_test(the_sum_is_never_more_than_the_run),
        cmocka_unit_test(an_empty_run_has_no_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
