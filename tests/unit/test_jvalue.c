/* SPDX-License-Identifier: MIT */
#include "report/jvalue.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* `value` as it is written; released. */
static void expect(json_t *value, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(jvalue_put(value, out), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void every_value_stays_valid(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "\xff"};
    const struct quantiles none = {0}, some = {1, 2, 3, 4, 5, 6};
    expect(jvalue_number(INT64_MAX), "9223372036854775807");
    expect(jvalue_real(__builtin_nan("")), "0.0");
    expect(jvalue_real(-__builtin_inf()), "0.0");
    expect(jvalue_text("a\xff\n"), "\"a\\\\xff\\n\"");
    expect(jvalue_text_or_null(""), "null");
    expect(jvalue_words(words, 2), "[\"a\",\"\\\\xff\"]");
    expect(jvalue_metric((struct metric_value){0}), "null");
    expect(jvalue_quantiles(&none, false), "null");
    expect(jvalue_quantiles(&some, true), "{\"min\":1,\"p50\":2,\"p95\":3,\"p99\":4,\"max\":5}");
}

static void a_key_that_fails_makes_the_object_fail(void **state)
{
    (void)state;
    json_t *object = json_object();
    jvalue_set(&object, "lost", NULL);
    assert_null(object);
    jvalue_set(&object, "later", json_null()); /* released, not leaked */
    assert_null(object);
    assert_int_equal(jvalue_put(object, stdout), -ENOMEM);
}

static void an_element_that_fails_makes_the_array_fail(void **state)
{
    (void)state;
    json_t *array = json_array();
    jvalue_append(&array, json_integer(1));
    jvalue_append(&array, NULL);
    assert_null(array);
    jvalue_append(&array, json_null());
    assert_null(array);
}

static void a_place_has_four_keys_even_without_a_stack(void **state)
{
    (void)state;
    json_t *object = json_object();
    jvalue_set_place(&object, NULL);
    expect(object, "{\"function\":\"[no stack]\",\"file\":null,\"line\":null,\"module\":\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_stays_valid),
        cmocka_unit_test(a_key_that_fails_makes_the_object_fail),
        cmocka_unit_test(an_element_that_fails_makes_the_array_fail),
        cmocka_unit_test(a_place_has_four_keys_even_without_a_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
