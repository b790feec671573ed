/* SPDX-License-Identifier: MIT */
/* Whether a text has one number, and build-ids one spelling. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/strtab.h"

static void same_text_has_the_same_number(void **state)
{
    (void)state;
    struct storage storage = {0};
    struct strtab table = {.storage = &storage};
    char text[16];
    for (unsigned i = 0; i < 3000; i++) {
        const int n = snprintf(text, sizeof text, "text %u", i);
        assert_int_equal(strtab_add(&table, text, (size_t)n), i + 1);
    }
    for (unsigned i = 0; i < 3000; i++) {
        const int n = snprintf(text, sizeof text, "text %u", i);
        assert_int_equal(strtab_add(&table, text, (size_t)n), i + 1);
        assert_string_equal(strtab_text(&table, i + 1), text);
    }
    strtab_fini(&table);
    storage_fini(&storage);
}

static void beginnings_are_texts_of_their_own(void **state)
{
    (void)state;
    struct storage storage = {0};
    struct strtab table = {.storage = &storage};
    const uint32_t whole = strtab_add(&table, "abc", 3), part = strtab_add(&table, "abc", 2);
    assert_int_not_equal(whole, part);
    assert_int_equal(strtab_add(&table, "ab\0c", 4), part);
    assert_string_equal(strtab_text(&table, strtab_add(&table, NULL, 0)), "");
    assert_string_equal(strtab_text(&table, 0), "");
    assert_string_equal(strtab_text(&table, 99), "");
    strtab_fini(&table);
    storage_fini(&storage);
}

static void build_id_is_hex_however_it_comes(void **state)
{
    (void)state;
    struct storage storage = {0};
    struct strtab table = {.storage = &storage};
    const uint32_t hex = strtab_add_build_id(&table, "a1FF", 4);
    assert_string_equal(strtab_text(&table, hex), "a1ff");
    assert_int_equal(strtab_add_build_id(&table, "\xa1\xff", 2), hex);
    assert_string_equal(strtab_text(&table, strtab_add_build_id(&table, "\x01", 1)), "01");
    char longest[129];
    memset(longest, 0xee, sizeof longest);
    assert_string_equal(strtab_text(&table, strtab_add_build_id(&table, longest, 129)), "");
    assert_int_equal(strlen(strtab_text(&table, strtab_add_build_id(&table, longest, 128))), 256);
    strtab_fini(&table);
    storage_fini(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_text_has_the_same_number),
        cmocka_unit_test(beginnings_are_texts_of_their_own),
        cmocka_unit_test(build_id_is_hex_however_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
