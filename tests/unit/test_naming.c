/* SPDX-License-Identifier: MIT */
/* Where the names of frames come from. */
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

#include "tests/support/load_script.h"

#define NAMES                                                                                      \
    "string 1 /bin/prog\nstring 2 main\nstring 3 /src/p.c\nstring 4 helper\nstring 5 malloc\n"     \
    "string 6 operator_new\nstring 7 strdup\nstring 8 /lib/libc.so.6\nobject 1 1 aa11\n"           \
    "object 2 8 cc\n"

static void symbols_of_the_trace_name_the_frames(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n" NAMES
                    "symbol 1 0x100 2,3,10,0\nsymbol 1 0x200 4,3,20,1 2,3,11,0\n" SCRIPT_TAIL);
    const struct site *const site = &profile->sites[0];
    assert_int_equal(site->n_frames, 3);
    const struct profile_frame *const inner = &profile->frames[site->frames[0]];
    assert_string_equal(inner->function, "helper");
    assert_string_equal(inner->file, "/src/p.c");
    assert_int_equal(inner->line, 20);
    assert_true(inner->inlined);
    assert_false(profile->frames[site->frames[1]].inlined);
    assert_int_equal(profile->frames[site->frames[1]].line, 11);
    assert_string_equal(profile->frames[site->frames[2]].function, "main");
    profile_free(profile);
}

static void symbols_of_another_build_do_not_count(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 1 2\nstring 1 /bin/prog\nstring 2 main\nobject 1 1 ffff\n"
                    "symbol 1 0x200 2,0,0,0\nsymbol 9 0x200 2,0,0,0\n" SCRIPT_TAIL);
    assert_string_equal(profile->frames[profile->sites[0].frames[0]].function, "");
    profile_free(profile);
}

static void first_symbol_of_a_place_counts_and_absurd_ones_do_no_harm(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n" NAMES
                                "symbol 1 0x200 2,3,1,1\nsymbol 1 0x200 4,3,2,0\n"
                                "symbol 1 0x100 99,98,5,0\nsymbol 1 0x300\n" SCRIPT_TAIL);
    const struct profile_frame *const frame = &profile->frames[profile->sites[0].frames[0]];
    assert_string_equal(frame->function, "main");
    assert_false(frame->inlined); /* the last one of a place never is */
    assert_string_equal(profile->frames[profile->sites[0].frames[1]].function, "");
    profile_free(profile);
}

static void names_can_be_left_out(void **state)
{
    (void)state;
    const struct profile_options options = {.no_symbols = true};
    struct profile *const profile = load_script_with(
        SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n" NAMES "symbol 1 0x200 2,3,1,0\n" SCRIPT_TAIL,
        &options);
    assert_string_equal(profile->frames[profile->sites[0].frames[0]].function, "");
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_of_the_trace_name_the_frames),
        cmocka_unit_test(symbols_of_another_build_do_not_count),
        cmocka_unit_test(first_symbol_of_a_place_counts_and_absurd_ones_do_no_harm),
        cmocka_unit_test(names_can_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
