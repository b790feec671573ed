/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/places.h"

#include <string.h>

static void add_module(struct places *places, uint32_t image, uint64_t start, uint64_t end,
                       const char *path)
{
    struct record record = {.tag = TRACE_MODULE};
    record.module.path = (struct unpack_text){path, (uint32_t)strlen(path)};
    record.module.build_id = (struct unpack_text){"ab", 2};
    record.module.start = start;
    record.module.end = end;
    record.module.bias = start;
    places_add_module(places, image, &record);
}

static void expect(struct places *places, size_t n, const char *path, uint64_t offset)
{
    const struct place *all;
    assert_int_equal(places_all(places, &all), n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(places_object(places, all[i].object)->path, path) == 0 &&
            all[i].offset == offset)
            return;
    fail_msg("%s+%#llx is not there", path, (unsigned long long)offset);
}

static void a_place_is_counted_once(void **state)
{
    struct places *const places = places_new();
    (void)state;
    add_module(places, 1, 0x1000, 0x2000, "/a");
    for (unsigned i = 0; i < 1000; i++)
        places_add_address(places, 1, 0x1235);
    places_add_address(places, 1, 0x2001); /* the call is the last byte of the module's */
    places_add_address(places, 1, 0x1000); /* and this one lies before its first */
    places_add_address(places, 1, 0);
    expect(places, 1, "/a", 0x234);
    places_free(places);
}

static void a_forked_child_uses_its_parents_modules(void **state)
{
    struct places *const places = places_new();
    (void)state;
    add_module(places, 1, 0x1000, 0x2000, "/a");
    places_inherit(places, 2, 1);
    places_inherit(places, 3, 2);
    add_module(places, 3, 0x5000, 0x6000, "/own");
    places_add_address(places, 3, 0x1101);
    places_add_address(places, 3, 0x5101);
    places_add_address(places, 4, 0x1201); /* a stranger */
    const struct place *all;
    assert_int_equal(places_all(places, &all), 2);
    places_free(places);
}

static void a_reused_address_is_two_places(void **state)
{
    struct places *const places = places_new();
    (void)state;
    add_module(places, 1, 0x1000, 0x2000, "/first");
    places_add_address(places, 1, 0x1101);
    add_module(places, 1, 0x1000, 0x2000, "/second");
    const struct place *all;
    assert_int_equal(places_all(places, &all), 2);
    places_free(places);
}

static void addresses_go_when_the_last_stream_closes(void **state)
{
    struct places *const places = places_new();
    (void)state;
    places_open_image(places, 1);
    places_open_image(places, 1);
    places_add_address(places, 1, 0x1101);
    places_close_image(places, 1);
    add_module(places, 1, 0x1000, 0x2000, "/late"); /* by the other stream */
    places_close_image(places, 1);
    places_close_image(places, 1);
    places_close_image(places, 99);
    expect(places, 1, "/late", 0x100);
    places_free(places);
}

static void circles_of_parents_end(void **state)
{
    struct places *const places = places_new();
    const struct place *all;
    (void)state;
    places_inherit(places, 1, 2);
    places_inherit(places, 2, 1);
    places_inherit(places, 3, 3);
    places_add_address(places, 1, 5);
    places_add_address(places, 3, 5);
    assert_int_equal(places_all(places, &all), 0);
    places_free(places);
}

static void many_places_come_out_sorted(void **state)
{
    struct places *const places = places_new();
    const struct place *all;
    (void)state;
    add_module(places, 1, 0x100000, 0x900000, "/b");
    add_module(places, 1, 0x1000000, 0x9000000, "/a");
    for (uint64_t i = 0; i < 20000; i++)
        places_add_address(places, 1, (i % 2 ? 0x100001 : 0x1000001) + i * 7919 % 20000);
    assert_int_equal(places_all(places, &all), 20000);
    for (size_t i = 1; i < 20000; i++)
        assert_true(all[i - 1].object < all[i].object ||
                    (all[i - 1].object == all[i].object && all[i - 1].offset < all[i].offset));
    assert_null(places_object(places, 0));
    assert_null(places_object(places, 3));
    places_free(places);
    places_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_counted_once),
        cmocka_unit_test(a_forked_child_uses_its_parents_modules),
        cmocka_unit_test(a_reused_address_is_two_places),
        cmocka_unit_test(addresses_go_when_the_last_stream_closes),
        cmocka_unit_test(circles_of_parents_end),
        cmocka_unit_test(many_places_come_out_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
