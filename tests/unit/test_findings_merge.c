/* SPDX-License-Identifier: MIT */
#include "findings/engine.h"
#include "findings/store.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct rule churn_first = {.id = "AL901", .group = GROUP_CHURN},
                         churn_second = {.id = "AL902", .group = GROUP_CHURN},
                         held = {.id = "AL903", .group = GROUP_HELD},
                         ungrouped = {.id = "AL904", .group = GROUP_NONE};

static const struct site one_site, other_site;

static void only_the_first_rule_of_a_group_stays(void **state)
{
    (void)state;
    struct finding findings[] = {
        {.rule = &churn_first, .site = &one_site},
        {.rule = &ungrouped, .site = &one_site},
        {.rule = &churn_second, .site = &one_site},
        {.rule = &churn_second, .site = &other_site},
        {.rule = &held, .site = &one_site},
        {.rule = &ungrouped, .site = &one_site},
        {.rule = &churn_second}, /* about nothing in particular */
    };
    struct finding *found[7];
    for (size_t i = 0; i < 7; i++)
        found[i] = &findings[i];
    struct findings_store store = {.found = found, .n_found = 7};
    assert_int_equal(merge_groups(&store), 0);
    assert_int_equal(store.n_found, 6);
    for (size_t i = 0; i < store.n_found; i++)
        assert_ptr_not_equal(store.found[i], &findings[2]);
    assert_ptr_equal(store.found[0], &findings[0]);
    assert_ptr_equal(store.found[2], &findings[3]);
}

static void savings_are_the_first_ones(void **state)
{
    (void)state;
    struct finding first = {.rule = &churn_first,
                            .id = "AL901-000000000001",
                            .site = &one_site,
                            .saves = {.allocations = {true, 100}, .seconds = {true, 0}}};
    struct finding second = {
        .rule = &held,
        .id = "AL903-000000000002",
        .site = &one_site,
        .saves = {.allocations = {true, 50}, .peak_bytes = {true, 10}, .seconds = {true, 2}}};
    struct finding *const both[] = {&first, &second};
    assert_int_equal(merge_link(both, 2), 0);
    assert_true(first.saves.allocations.known);
    assert_false(second.saves.allocations.known); /* counted already */
    assert_true(second.saves.peak_bytes.known);   /* nobody else's */
    assert_true(second.saves.seconds.known);      /* the first one saves none */
    assert_string_equal(first.related[0], second.id);
    assert_string_equal(second.related[0], first.id);
}

static void an_arena_overlaps_with_its_sites(void **state)
{
    (void)state;
    const struct site *const sites[] = {&other_site};
    struct finding arena = {.rule = &churn_first, .site = &one_site, .sites = sites, .n_sites = 1};
    struct finding of_site = {.rule = &held, .site = &other_site};
    struct finding apart = {.rule = &held};
    struct finding *const all[] = {&of_site, &apart, &arena};
    assert_int_equal(merge_link(all, 3), 0);
    assert_int_equal(arena.n_related, 1);
    assert_int_equal(of_site.n_related, 1);
    assert_int_equal(apart.n_related, 0);
}

static void a_file_in_memory_is_part_of_the_peak(void **state)
{
    (void)state;
    static const struct io_site reads;
    struct finding peak = {.rule = &ungrouped, .site = &one_site, .saves.peak_bytes = {true, 100}};
    struct finding other = {
        .rule = &ungrouped, .site = &other_site, .saves.peak_bytes = {true, 50}};
    struct finding slurp = {.rule = &held, .io_site = &reads, .saves.peak_bytes = {true, 90}};
    struct finding *const all[] = {&peak, &other, &slurp};
    assert_int_equal(merge_link(all, 3), 0);
    assert_true(peak.saves.peak_bytes.known && other.saves.peak_bytes.known);
    assert_false(slurp.saves.peak_bytes.known);
    assert_int_equal(slurp.n_related, 1); /* it lies in the first one, which has most */
}

static void calls_on_one_file_overlap(void **state)
{
    (void)state;
    static const struct io_site reads, writes;
    struct finding a = {
        .rule = &held, .io_site = &reads, .evidence = {.n_paths = 1, .paths = {"x"}}};
    struct finding b = {
        .rule = &held, .io_site = &writes, .evidence = {.n_paths = 1, .paths = {"x"}}};
    struct finding c = {
        .rule = &held, .io_site = &writes, .evidence = {.n_paths = 1, .paths = {"y"}}};
    struct finding *const all[] = {&a, &b};
    assert_int_equal(merge_link(all, 2), 0);
    assert_int_equal(a.n_related, 1);
    struct finding *const others[] = {&a, &c};
    assert_int_equal(merge_link(others, 2), 0);
    assert_int_equal(a.n_related, 0);
}

static void relations_are_bounded(void **state)
{
    (void)state;
    enum { N = 3 * FINDING_MAX_RELATED };
    static struct finding findings[N];
    struct finding *all[N];
    for (size_t i = 0; i < N; i++) {
        findings[i] = (struct finding){.rule = &ungrouped, .site = &one_site};
        all[i] = &findings[i];
    }
    assert_int_equal(merge_link(all, N), 0);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(findings[i].n_related, FINDING_MAX_RELATED);
}

/* One of many findings of a file, and of an arena: the first ones are told, each once. */
static void the_first_ones_are_related(void **state)
{
    (void)state;
    enum { N = 2 * FINDING_MAX_RELATED };
    static struct finding findings[N];
    static char ids[N][sizeof findings->id];
    struct finding *all[N];
    const struct site *const sites[] = {&other_site, &one_site};
    for (size_t i = 0; i < N; i++) {
        findings[i] = (struct finding){.rule = &ungrouped,
                                       .site = i % 2 ? &other_site : &one_site,
                                       .saves = {.bytes = {true, 1}}};
        snprintf(findings[i].id, sizeof findings[i].id, "%02zu", i);
        memcpy(ids[i], findings[i].id, sizeof ids[i]);
        all[i] = &findings[i];
    }
    findings[3].sites = sites;
    findings[3].n_sites = 2;
    assert_int_equal(merge_link(all, N), 0);
    assert_int_equal(findings[3].n_related, FINDING_MAX_RELATED);
    for (size_t i = 0; i < FINDING_MAX_RELATED; i++)
        assert_string_equal(findings[3].related[i], ids[i < 3 ? i : i + 1]);
    assert_string_equal(findings[4].related[0], ids[0]);
    assert_string_equal(findings[4].related[1], ids[2]);
    assert_string_equal(findings[4].related[2], ids[3]); /* by its sites */
    assert_true(findings[0].saves.bytes.known);
    assert_true(findings[1].saves.bytes.known);
    for (size_t i = 2; i < N; i++)
        assert_false(findings[i].saves.bytes.known);
}

/* A configuration without limits finds something everywhere. */
static void hundred_thousand_are_linked_in_time(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct finding *const findings = calloc(N, sizeof *findings);
    struct finding **const all = calloc(N, sizeof *all);
    static const struct site sites[2];
    for (size_t i = 0; i < N; i++) {
        findings[i] = (struct finding){.rule = i % 3 ? &held : &ungrouped, .site = &sites[i % 2]};
        all[i] = &findings[i];
    }
    const clock_t begin = clock();
    assert_int_equal(merge_link(all, N), 0);
    struct findings_store store = {.found = all, .n_found = N};
    assert_int_equal(merge_groups(&store), 0);
    assert_in_range((clock() - begin) / CLOCKS_PER_SEC, 0, 2);
    assert_int_equal(store.n_found, N / 3 + 1 + 2); /* of a group one for each site */
    free(findings);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_rule_of_a_group_stays),
        cmocka_unit_test(savings_are_the_first_ones),
        cmocka_unit_test(an_arena_overlaps_with_its_sites),
        cmocka_unit_test(a_file_in_memory_is_part_of_the_peak),
        cmocka_unit_test(calls_on_one_file_overlap),
        cmocka_unit_test(relations_are_bounded),
        cmocka_unit_test(the_first_ones_are_related),
        cmocka_unit_test(hundred_thousand_are_linked_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
