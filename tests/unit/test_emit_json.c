/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct profile *profile, const struct report_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(report_emit(report_find_format("json"), profile, options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static json_t *load(const struct profile *profile, struct report_options options)
{
    char *text = print(profile, &options);
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return root;
}

/* The value at keys and indices joined by dots: "call_sites.0.id". */
static json_t *at(json_t *root, const char *path)
{
    char copy[200], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strsep(&rest, "."); key && root; key = strsep(&rest, "."))
        root = json_is_array(root) ? json_array_get(root, (size_t)atoi(key))
                                   : json_object_get(root, key);
    if (!root)
        fail_msg("no %s", path);
    return root;
}

static void fixture_gives_the_golden_document(void **state)
{
    (void)state;
    char *text = print(profile_fixture(), &(struct report_options){0});
    profile_fixture_compare("report.json", text);
    free(text);
}

static void numbers_are_those_of_the_profile(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        json_int_t value;
    } rows[] = {
        {"totals.alloc_count", 89821},
        {"totals.peak_bytes", 1678816},
        {"totals.lifetime_ns.p99", 12000000},
        {"coverage.unwind.fallback", 21},
        {"coverage.inherited_frees", 3},
        {"run.exit_code", 1},
        {"run.host.cores", 2},
        {"processes.1.parent_id", 1},
        {"processes.1.exit_signal", 11},
        {"call_sites.0.alloc_count", 60000},
        {"call_sites.0.sizes.p95", 48},
        {"call_sites.0.line", 12},
        {"call_sites.3.line", 21},
        {"call_sites.3.stack.0.line", 459},
        {"call_sites.4.copied_bytes", 31000},
        {"call_sites.1.threads", 4},
        {"timeline.1.live_bytes", 1678816},
        {"call_sites_total", 8},
        {"totals.io_read_calls", 1402},
        {"timeline.0.io_write_bytes", 100000},
        {"coverage.io_kernel.read_calls", 1405},
        {"coverage.io_kernel.seen_write_calls", 655},
        {"io_sites.1.logical_calls", 60000},
        {"io_sites.1.latency_ns.p99", 8100},
        {"io_sites.1.line", 12},
        {"io_sites.2.pattern.random", 300},
        {"io_sites.2.heap.single_calls", 380},
        {"io_sites.1.heap.inner_allocs", 7},
        {"io_sites.6.would_block", 17},
        {"files.1.opens", 4},
        {"files.1.unique_read_bytes", 1025576},
        {"files.0.fsyncs", 5},
        {"slow_calls.0.tid", 4711},
        {"io_threads.1.calls", 500},
        {"openers.0.open_at_end", 4},
        {"io_sites_total", 7},
        {"files_total", 8},
    };
    json_t *root = load(profile_fixture(), (struct report_options){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *value = at(root, rows[i].path);
        if (!json_is_integer(value) || json_integer_value(value) != rows[i].value)
            fail_msg("%s is %lld", rows[i].path, json_integer_value(value));
    }
    json_decref(root);
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    static const char *const paths[] = {"run.exit_signal",       "processes.0.parent_id",
                                        "processes.1.exit_code", "call_sites.4.file",
                                        "call_sites.4.line",     "call_sites.7.lifetime_ns",
                                        "io_sites.2.path",       "files.0.unique_read_bytes",
                                        "slow_calls.2.path",     "processes.1.coverage.io_kernel"};
    json_t *root = load(profile_fixture(), (struct report_options){0});
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!json_is_null(at(root, paths[i])))
            fail_msg("%s is not null", paths[i]);
    json_decref(root);
}

static void io_that_was_not_recorded_is_null(void **state)
{
    (void)state;
    static const char *const paths[] = {"totals.io_calls",          "totals.io_seconds",
                                        "totals.stdio_calls",       "processes.0.totals.io_calls",
                                        "timeline.0.io_read_bytes", "coverage.io_kernel"};
    struct profile old = *profile_fixture();
    old.io_recorded = false;
    old.coverage.kernel_io.known = false;
    json_t *root = load(&old, (struct report_options){0});
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (!json_is_null(at(root, paths[i])))
            fail_msg("%s is not null", paths[i]);
    json_decref(root);
}

static void unknown_function_is_module_and_offset(void **state)
{
    (void)state;
    json_t *root = load(profile_fixture(), (struct report_options){0});
    assert_string_equal(json_string_value(at(root, "call_sites.4.function")),
                        "libfoo.so.1+0x1f503");
    assert_string_equal(json_string_value(at(root, "call_sites.7.function")), "[no stack]");
    assert_string_equal(json_string_value(at(root, "call_sites.4.stack.2.file")),
                        "/src/a|b\\xff.c");
    json_decref(root);
}

static void top_limits_sites_and_leaves_totals(void **state)
{
    (void)state;
    json_t *root = load(profile_fixture(), (struct report_options){.has_top = true, .top = 2});
    assert_int_equal(json_array_size(at(root, "call_sites")), 2);
    assert_int_equal(json_array_size(at(root, "io_sites")), 2);
    assert_int_equal(json_array_size(at(root, "files")), 2);
    assert_int_equal(json_integer_value(at(root, "totals.alloc_count")), 89821);
    json_decref(root);
    root = load(profile_fixture(), (struct report_options){.has_top = true, .top = 0});
    assert_int_equal(json_array_size(at(root, "call_sites")), 8);
    assert_int_equal(json_array_size(at(root, "io_sites")), 7);
    json_decref(root);
}

static void sort_orders_sites_by_the_metric(void **state)
{
    (void)state;
    json_t *root =
        load(profile_fixture(), (struct report_options){.sort = metrics_find("leaked_bytes")});
    assert_string_equal(json_string_value(at(root, "call_sites.0.id")), "00000000000000a8");
    assert_string_equal(json_string_value(at(root, "call_sites.1.id")), "00000000000000a2");
    assert_string_equal(json_string_value(at(root, "io_sites.0.id")), "00000000000000b4");
    json_decref(root);
    root = load(profile_fixture(), (struct report_options){.sort = metrics_find("io_write_bytes")});
    assert_string_equal(json_string_value(at(root, "call_sites.0.id")), "00000000000000a1");
    assert_string_equal(json_string_value(at(root, "io_sites.0.id")), "00000000000000b5");
    assert_string_equal(json_string_value(at(root, "files.0.path")), "/var/log/demo.log");
    json_decref(root);
}

static void earlier_images_are_execs(void **state)
{
    (void)state;
    json_t *root = load(profile_fixture(), (struct report_options){0});
    assert_int_equal(json_array_size(at(root, "processes.0.execs")), 1);
    assert_string_equal(json_string_value(at(root, "processes.0.execs.0.command.2")), "exec demo");
    assert_string_equal(json_string_value(at(root, "processes.0.command.0")), "demo");
    json_decref(root);
}

static void damaged_numbers_stay_valid_json(void **state)
{
    (void)state;
    struct profile damaged = *profile_fixture();
    damaged.totals.alloc_bytes = UINT64_MAX;
    damaged.totals.alloc_rate = __builtin_inf();
    damaged.duration_seconds = __builtin_nan("");
    json_t *root = load(&damaged, (struct report_options){0});
    assert_true(json_is_real(at(root, "totals.alloc_bytes")));
    assert_true(json_real_value(at(root, "totals.alloc_rate")) == 0);
    json_decref(root);
}

static void empty_profile_is_a_whole_document(void **state)
{
    (void)state;
    json_t *root = load(profile_fixture_empty(), (struct report_options){0});
    assert_int_equal(json_array_size(at(root, "call_sites")), 0);
    assert_true(json_is_null(at(root, "run.exit_code")));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_gives_the_golden_document),
        cmocka_unit_test(numbers_are_those_of_the_profile),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(io_that_was_not_recorded_is_null),
        cmocka_unit_test(unknown_function_is_module_and_offset),
        cmocka_unit_test(top_limits_sites_and_leaves_totals),
        cmocka_unit_test(sort_orders_sites_by_the_metric),
        cmocka_unit_test(earlier_images_are_execs),
        cmocka_unit_test(damaged_numbers_stay_valid_json),
        cmocka_unit_test(empty_profile_is_a_whole_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
