/* SPDX-License-Identifier: MIT */
#include "report/metrics.h"
#include "report/report.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void names_are_unique_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_count(); i++)
        assert_ptr_equal(metrics_find(metrics_at(i)->name), metrics_at(i));
    assert_null(metrics_find("nonsense"));
    assert_null(metrics_at(metrics_count()));
}

static void values_come_from_the_right_place(void **state)
{
    (void)state;
    const struct site *site = &profile_fixture()->sites[1];
    static const struct {
        const char *name;
        double of_site; /* -1: absent */
        double of_totals;
    } rows[] = {
        {"alloc_count", 20000, 89821},
        {"leaked_bytes", 10240, 87104},
        {"max_live_count", 1000, -1},
        {"mapped_bytes", -1, 8192000},
        {"io_calls", 0, 2074},
        {"io_seconds", 0, 0.0813},
        {"alloc_rate", 10000, 59880.666},
        {"alloc_byte_rate", 10240000, 20644096},
        {"duration_seconds", -1, 1.5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct metric *metric = metrics_find(rows[i].name);
        const struct metric_value site_value = metrics_of_site(metric, site, 2.0);
        const struct metric_value total =
            metrics_of_process(metric, profile_fixture(), &profile_fixture()->totals);
        assert_int_equal(site_value.present, rows[i].of_site >= 0);
        assert_int_equal(total.present, rows[i].of_totals >= 0);
        if (site_value.present)
            assert_true(metrics_rank(site_value) == rows[i].of_site);
        if (total.present)
            assert_true(metrics_rank(total) == rows[i].of_totals);
    }
}

static void no_time_means_no_rate(void **state)
{
    (void)state;
    const struct metric *rate = metrics_find("alloc_rate");
    assert_true(metrics_of_site(rate, &profile_fixture()->sites[0], 0).real == 0);
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < report_n_formats(); i++)
        assert_ptr_equal(report_find_format(report_format_at(i)->name), report_format_at(i));
    assert_null(report_find_format("html"));
    assert_null(report_format_at(report_n_formats()));
}

static void picked_sites_follow_sort_and_top(void **state)
{
    (void)state;
    static const struct {
        const char *sort;
        size_t top, n;
        const char *first;
    } rows[] = {
        {NULL, 0, 8, "00000000000000a1"},           {NULL, 3, 3, "00000000000000a1"},
        {"peak_bytes", 2, 2, "00000000000000a2"},   {"copied_bytes", 99, 8, "00000000000000a5"},
        {"leaked_bytes", 1, 1, "00000000000000a8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report_options options = {
            .top = rows[i].top, .sort = rows[i].sort ? metrics_find(rows[i].sort) : NULL};
        const struct site **sites = NULL;
        size_t n = 0;
        assert_int_equal(report_pick_sites(profile_fixture(), &options, &sites, &n), 0);
        assert_int_equal(n, rows[i].n);
        assert_string_equal(sites[0]->id, rows[i].first);
        free(sites);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_found),
        cmocka_unit_test(values_come_from_the_right_place),
        cmocka_unit_test(no_time_means_no_rate),
        cmocka_unit_test(formats_are_found_by_name),
        cmocka_unit_test(picked_sites_follow_sort_and_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
