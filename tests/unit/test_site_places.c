/* SPDX-License-Identifier: MIT */
/* Which stacks lead to the same line, and what are their numbers together? */
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

#include "reader/lines.h"
#include "tests/support/load_script.h"

/* main (line 10 or 20) > parse (line 5) > xmalloc (line 1) > malloc: node 8 by line 10, 9 by line 20; node 6 is
 * parse alone, by line 10. */
#define TWO_WAYS                                                                                   \
    SCRIPT_HEAD                                                                                    \
    "1 node 4 0 0x400601\n1 node 5 0 0x400701\n"                                                   \
    "1 node 6 4 0x400501\n1 node 7 5 0x400501\n"                                                   \
    "1 node 8 6 0x400401\n1 node 9 7 0x400401\n"
#define NAMES                                                                                      \
    "string 1 /bin/prog\nstring 2 main\nstring 3 /src/p.c\nstring 4 parse\nstring 5 xmalloc\n"     \
    "object 1 1 aa11\nsymbol 1 0x600 2,3,10,0\nsymbol 1 0x700 2,3,20,0\nsymbol 1 0x500 4,3,5,0\n"  \
    "symbol 1 0x400 5,3,1,0\n"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static struct profile *load(const char *script, const char *const *hidden, size_t n_hidden)
{
    const struct profile_options options = {.habits = true, .hidden = hidden, .n_hidden = n_hidden};
    return load_script_with(script, &options);
}

static void stacks_through_one_line_are_one_place(void **state)
{
    (void)state;
    struct profile *const profile =
        load(TWO_WAYS "1 malloc 10 0x1000 16 8\n1 malloc 20 0x2000 48 9\n"
                      "1 free 30 0x2000\n1 malloc 40 0x3000 16 9\n" NAMES SCRIPT_TAIL,
             NULL, 0);
    assert_int_equal(profile->n_sites, 2);
    assert_int_equal(profile->n_places, 1);
    const struct site *const place = &profile->places[0];
    assert_string_equal(profile->frames[place->frames[place->place]].function, "parse");
    assert_int_equal(place->n_stacks, 2);
    assert_int_equal(place->metrics.alloc_count, 3);
    assert_int_equal(place->metrics.alloc_bytes, 80);
    assert_int_equal(place->metrics.free_count, 1);
    assert_int_equal(place->sizes.n, 3);
    assert_int_equal(place->sizes.max, 48);
    assert_int_equal(place->lifetime_ns.n, 1);
    assert_int_equal(place->max_live_count, 2);
    assert_int_equal(place->n_threads, 1);
    assert_int_equal(place->n_processes, 1);
    assert_int_equal(place->most_threads, 1);
    assert_int_equal(profile->sites[place->stacks[0]].metrics.alloc_count, 2);
    assert_int_equal(profile->sites[0].sizes.n, 2); /* the sites are as they were */
    profile_free(profile);
}

static void other_functions_on_the_way_are_another_place(void **state)
{
    (void)state;
    struct profile *const profile = load(
        TWO_WAYS "1 malloc 10 0x1000 16 6\n1 malloc 20 0x2000 48 8\n" NAMES SCRIPT_TAIL, NULL, 0);
    assert_int_equal(profile->n_places, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct site *const place = &profile->places[i];
        assert_string_equal(profile->frames[place->frames[place->place]].function, "parse");
        assert_int_equal(place->n_stacks, 1);
        assert_int_equal(place->n_processes, 1);
        assert_int_equal(place->most_threads, 1);
    }
    profile_free(profile);
}

static void what_is_hidden_is_no_place(void **state)
{
    (void)state;
    const char *const hidden[] = {"no such", "pars?"};
    struct profile *const profile = load(
        TWO_WAYS "1 malloc 10 0x1000 16 8\n1 malloc 20 0x2000 48 9\n" NAMES SCRIPT_TAIL, hidden, 2);
    assert_int_equal(profile->n_places, 2); /* lines 10 and 20 of main */
    const struct site *const place = &profile->places[0];
    assert_string_equal(profile->frames[place->frames[place->place]].function, "main");
    profile_free(profile);
}

static void where_all_is_hidden_the_sites_own_place_stays(void **state)
{
    (void)state;
    const char *const hidden[] = {"prog"};
    struct profile *const profile =
        load(TWO_WAYS "1 malloc 10 0x1000 16 8\n" NAMES SCRIPT_TAIL, hidden, 1);
    assert_int_equal(profile->n_places, 1);
    assert_int_equal(profile->places[0].place, profile->sites[0].place);
    profile_free(profile);
}

static void a_report_has_no_places(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(TWO_WAYS "1 malloc 10 0x1000 16 8\n" NAMES SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 1);
    assert_int_equal(profile->n_places, 0);
    assert_false(profile->frames[0].is_hidden);
    profile_free(profile);
}

static void calls_of_one_line_are_one_place(void **state)
{
    (void)state;
    struct profile *const profile =
        load(TWO_WAYS "1 fd_is 8 3 /data/a 1 0 0 1 77 900\n1 fd_is 9 4 /data/b 1 0 0 1 78 900\n"
                      "1 io 10 1 3 100 100 50 6 0 0\n1 io 11 1 4 100 60 70 7 0 0\n"
                      "1 io 12 16 3 100 100 5 6 0 0\n" NAMES SCRIPT_TAIL,
             NULL, 0);
    assert_int_equal(profile->n_io_sites, 3);
    assert_int_equal(profile->n_io_places, 2); /* reads of both stacks; writes */
    const struct io_site *const place = &profile->io_places[0];
    assert_string_equal(profile->frames[place->frames[place->place]].function, "parse");
    assert_string_equal(place->op, "read");
    assert_string_equal(place->path, "");
    assert_int_equal(place->n_stacks, 2);
    assert_int_equal(place->n_files, 2);
    assert_int_equal(place->calls, 2);
    assert_int_equal(place->bytes, 160);
    assert_int_equal(place->sizes.n, 2);
    assert_int_equal(place->latency_ns.max, 70);
    assert_int_equal(place->n_threads, 1);
    assert_string_equal(profile->io_places[1].path, "/data/a");
    assert_int_equal(profile->io_places[1].n_stacks, 1);
    for (size_t i = 0; i < profile->n_io_sites; i++)
        assert_int_equal(profile->io_place_of[i], profile->io_sites[i].reads ? 0 : 1);
    profile_free(profile);
}

static void helpers_without_a_name_belong_to_the_wrapper(void **state)
{
    (void)state;
    static const struct profile_frame frames[] = {
        {.function = "", .module = "l"},
        {.function = "xmalloc", .module = "l", .is_hidden = true},
        {.function = "parse", .module = "l"},
        {.function = "boost::go", .module = "l", .is_hidden = true},
        {.function = "memcpy", .module = "c", .is_runtime = true},
    };
    static const struct {
        uint32_t frames[6], n, place;
    } rows[] = {
        {{2, 1}, 2, 0},             /* a name of its own */
        {{0, 1, 2}, 3, 2},          /* called by xmalloc() */
        {{0, 0, 1, 0, 1}, 5, 77},   /* nothing else */
        {{0, 1, 0, 2}, 4, 2},       /* xmalloc() called by one without a name */
        {{0, 4, 1, 0, 2}, 5, 3},    /* runtime in between */
        {{0, 0, 0, 0, 1, 2}, 6, 0}, /* too far away */
        {{0, 3, 2}, 3, 0},          /* a callback of what the user hides */
        {{0, 2, 1}, 3, 0},          /* xmalloc() further out than a name */
    };
    const struct profile profile = {.frames = frames, .n_frames = N_OF(frames)};
    const struct analysis analysis = {.profile = (struct profile *)(uintptr_t)&profile};
    for (size_t i = 0; i < N_OF(rows); i++)
        assert_int_equal(lines_place(&analysis, rows[i].frames, rows[i].n, 77), rows[i].place);
}

static void groups_keep_the_order_of_their_items(void **state)
{
    (void)state;
    const uint64_t keys[] = {7, 9, 7, 0, 9, 7};
    struct lines_groups groups;
    assert_int_equal(lines_group(keys, 6, &groups), 0);
    assert_int_equal(groups.n_groups, 3);
    const uint32_t expected[] = {0, 2, 5, 1, 4, 3};
    assert_memory_equal(groups.members, expected, sizeof expected);
    assert_int_equal(groups.n_members[0], 3);
    assert_int_equal(groups.first[2], 5);
    lines_groups_fini(&groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_through_one_line_are_one_place),
        cmocka_unit_test(other_functions_on_the_way_are_another_place),
        cmocka_unit_test(what_is_hidden_is_no_place),
        cmocka_unit_test(where_all_is_hidden_the_sites_own_place_stays),
        cmocka_unit_test(a_report_has_no_places),
        cmocka_unit_test(calls_of_one_line_are_one_place),
        cmocka_unit_test(helpers_without_a_name_belong_to_the_wrapper),
        cmocka_unit_test(groups_keep_the_order_of_their_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
