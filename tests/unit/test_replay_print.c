/* SPDX-License-Identifier: MIT */
/* What is said of a result, as tables and as a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "replay/replay.h"

#define SPREAD(x)                                                                                  \
    {                                                                                              \
        .median = (x), .least = (x) / 2, .most = (x)*2                                             \
    }

static struct replay_variant variants[] = {
    {.allocator = "native",
     .module = "/lib/libc.so.6",
     .seconds = SPREAD(0.5),
     .ns_per_call = SPREAD(25),
     .call_ns = {SPREAD(12.5), {.median = 0}, SPREAD(8)},
     .peak_rss_bytes = SPREAD(2500000),
     .live_at_peak_bytes = SPREAD(999),
     .fragmentation = SPREAD(1.25),
     .n_failed = 3},
    {.allocator = "native", .module = "/lib/libc.so.6", .row = -1, .seconds = SPREAD(0.25)},
    {.allocator = "native", .module = "/lib/libc.so.6", .row = 1, .seconds = SPREAD(0.25)},
    {.allocator = "\x1b[2J\xff.so", .module = "\xff.so"},
};
static const struct replay_plan_row plan[] = {
    {.site = "0123456789abcdef", .technique = REPLAY_POOL, .bytes = 64, .slots = 7},
    {.site = "fedcba9876543210", .technique = REPLAY_STACK, .bytes = 8},
};
static struct replay_row rows[] = {
    {.plan = &plan[0],
     .is_found = true,
     .n_served = 90,
     .n_overflowed = 10,
     .alone = 2,
     .saved_seconds = 0.25,
     .call_ns_before = SPREAD(20)},
    {.plan = &plan[1], .alone = -1},
};
static const struct replay_result result = {
    .process_id = 2,
    .n_threads = 4,
    .n_runs = 5,
    .n_calls = {100, 10, 1, 20, 90},
    .n_all_calls = 221,
    .counts = {.failed_resizes = 6, .peak_bytes = 999},
    .lost_events = 8,
    .recorded_seconds = 0.75,
    .n_variants = sizeof variants / sizeof *variants,
    .variants = variants,
    .n_rows = 2,
    .rows = rows,
};

static char *print(int (*to)(FILE *out))
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *const out = open_memstream(&text, &n_bytes);
    assert_int_equal(to(out), 0);
    fclose(out);
    return text;
}

static int to_text(FILE *out)
{
    return replay_print_text(&result, out);
}

static int to_json(FILE *out)
{
    return replay_print_json(&result, "x.hwt", out);
}

static void tables_say_it_all(void **state)
{
    static const char *const parts[] = {
        "process 2, 4 threads, 221 calls: 111 allocations, 20 resizes, 90 frees",
        "took about 0.7500 s",
        "native                      0.5000 (0.2500 to 1.0000)      25.0",
        "native + whole plan",
        "native + row 1",
        "2.5 MB",
        "999 B",
        "1.25",
        "0123456789abcdef pool                90           10       20.0          -\n",
        "fedcba9876543210 stack                0            0          -          -  no such call "
        "site",
        "note: 8 events were lost",
        "note: 6 resizes that had failed are left out",
        "note: under native 3 calls got no memory",
    };
    char *const text = print(to_text);
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no \"%s\" in:\n%s", parts[i], text);
    assert_null(strchr(text, '\x1b'));
    free(text);
}

static double number_at(const json_t *object, const char *first, const char *second)
{
    return json_number_value(json_object_get(json_object_get(object, first), second));
}

static void the_document_says_the_same(void **state)
{
    char *const text = print(to_json);
    json_error_t error;
    json_t *const root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    (void)state;
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "heapwise-replay/1");
    assert_int_equal(number_at(root, "calls", "resize"), 20);
    assert_int_equal(number_at(root, "coverage", "lost_events"), 8);
    const json_t *const list = json_object_get(root, "variants");
    assert_int_equal(json_array_size(list), 4);
    const json_t *const first = json_array_get(list, 0);
    assert_true(number_at(first, "seconds", "median") == 0.5);
    assert_true(number_at(first, "seconds", "max") == 1);
    assert_true(json_is_null(json_object_get(json_object_get(first, "call_ns"), "resize")));
    assert_string_equal(json_string_value(json_object_get(first, "plan_rows")), "none");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "plan_rows")),
                        "all");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 2), "plan_rows")), 1);
    const json_t *const found = json_object_get(root, "rows");
    assert_true(json_number_value(
                    json_object_get(json_array_get(found, 0), "saved_seconds_alone")) == 0.25);
    assert_true(json_is_null(json_object_get(json_array_get(found, 1), "saved_seconds_alone")));
    json_decref(root);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_say_it_all),
        cmocka_unit_test(the_document_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
