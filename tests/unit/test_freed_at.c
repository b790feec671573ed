/* SPDX-License-Identifier: MIT */
/* Where a site's blocks are said to be freed. */
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

#include "reader/freed_at.h"
#include "tests/support/load_script.h"

#define LIBC                                                                                       \
    "1 module 2 2 /lib/libc.so.6 cc 0x700000 0x700000 0x800000\n"                                  \
    "1 node 4 3 0x700101\n1 node 5 3 0x700201\n1 node 6 5 0x700101\n"
#define NAMES                                                                                      \
    "string 1 /bin/prog\nstring 2 main\nstring 3 /src/p.c\nstring 4 close_all\nstring 5 free\n"    \
    "string 6 operator_delete\nstring 8 /lib/libc.so.6\nobject 1 1 aa11\nobject 2 8 cc\n"          \
    "symbol 2 0x100 5,0,0,0\nsymbol 2 0x200 8,0,0,0\n"                                             \
    "symbol 1 0x300 4,3,30,0\nsymbol 1 0x100 2,3,10,0\n"

static const struct profile_options with_habits = {.habits = true};

static struct profile *load(const char *events)
{
    char script[4096];
    snprintf(script, sizeof script, "%s%s%s", SCRIPT_HEAD, events, SCRIPT_TAIL);
    return load_script_with(script, &with_habits);
}

static const struct site_habits *habits_of(const struct profile *profile, size_t site)
{
    assert_true(site < profile->n_sites);
    assert_non_null(profile->sites[site].habits);
    return profile->sites[site].habits;
}

/* Offset of the place that freed. */
static uint64_t offset_of(const struct profile *profile, const struct freed_at *freed)
{
    assert_true(freed->place < freed->n_frames);
    return profile->frames[freed->frames[freed->place]].offset;
}

static void frees_are_counted_by_stack(void **state)
{
    (void)state;
    struct profile *const profile =
        load("1 malloc 10 0x1000 64 2\n1 free 20 0x1000 2\n1 malloc 30 0x1000 64 2\n"
             "1 free 40 0x1000 3\n1 malloc 50 0x1000 64 2\n1 free 60 0x1000 3\n"
             "1 malloc 70 0x1000 64 2\n1 free 80 0x1000\n1 malloc 90 0x1000 64 2\n");
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(profile->sites[0].metrics.free_count, 4);
    assert_int_equal(habits->freed_seen_count, 3);
    assert_int_equal(habits->n_freed_at, 2);
    assert_int_equal(habits->freed_at[0].count, 2);
    assert_int_equal(offset_of(profile, &habits->freed_at[0]), 0x300);
    assert_int_equal(habits->freed_at[0].n_frames, 2);
    assert_int_equal(habits->freed_at[1].count, 1);
    assert_int_equal(offset_of(profile, &habits->freed_at[1]), 0x200);
    profile_free(profile);
}

static void nothing_is_gathered_unless_asked_for(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 64 2\n1 free 20 0x1000 3\n" SCRIPT_TAIL);
    assert_null(profile->sites[0].habits);
    for (size_t i = 0; i < profile->n_frames; i++)
        assert_true(profile->frames[i].offset != 0x300);
    profile_free(profile);
}

static void a_stack_that_is_not_known_does_not_count(void **state)
{
    (void)state;
    struct profile *const profile =
        load("1 malloc 10 0x1000 64 2\n1 free 20 0x1000 99\n1 malloc 30 0x1000 64 2\n"
             "1 free 40 0x1000 0\n1 free 50 0x5000 3\n");
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(habits->freed_seen_count, 0);
    assert_int_equal(habits->n_freed_at, 0);
    profile_free(profile);
}

static void frames_that_only_give_memory_back_are_left_out(void **state)
{
    (void)state;
    struct profile *const profile = load_script_with(
        SCRIPT_HEAD LIBC
        "1 malloc 10 0x1000 64 2\n1 free 20 0x1000 4\n1 malloc 30 0x1000 64 2\n"
        "1 free 40 0x1000 3\n1 malloc 50 0x1000 64 2\n1 free 60 0x1000 6\n" NAMES SCRIPT_TAIL,
        &with_habits);
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(habits->n_freed_at, 2);
    assert_int_equal(habits->freed_at[0].count, 2);
    assert_int_equal(habits->freed_at[0].n_frames, 2);
    assert_string_equal(profile->frames[habits->freed_at[0].frames[0]].function, "close_all");
    /* libc's own code, which called free(): the place is who called it. */
    assert_int_equal(habits->freed_at[1].n_frames, 3);
    assert_int_equal(habits->freed_at[1].place, 1);
    profile_free(profile);
}

static void a_resize_to_nothing_frees(void **state)
{
    (void)state;
    struct profile *const profile =
        load("1 malloc 10 0x1000 64 2\n1 realloc_begin 20 0x1000 0\n1 realloc_freed 21 3\n"
             "1 malloc 30 0x1000 64 2\n1 realloc_begin 40 0x1000 0\n1 realloc_freed 41\n");
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(profile->sites[0].metrics.free_count, 2);
    assert_int_equal(habits->freed_seen_count, 1);
    assert_int_equal(habits->n_freed_at, 1);
    assert_int_equal(offset_of(profile, &habits->freed_at[0]), 0x300);
    profile_free(profile);
}

#define SECOND_PROCESS                                                                             \
    "stream 2 2 200 200 0\n"                                                                       \
    "2 image 2 image=2 pid=200 parent_pid=1 executable=/bin/prog arguments=[prog] "                \
    "allocator=/lib/libc.so.6\n2 module 2 1 /bin/prog aa11 0x600000 0x600000 0x700000\n"           \
    "2 node 1 0 0x600101\n2 node 2 1 0x600201\n2 node 3 1 0x600301\n"

static void processes_are_summed(void **state)
{
    (void)state;
    struct profile *const profile =
        load(SECOND_PROCESS "1 malloc 10 0x1000 64 2\n2 malloc 15 0x1000 64 2\n"
                            "1 free 20 0x1000 3\n2 free 25 0x1000 3\n2 malloc 30 0x1000 8 2\n"
                            "2 free 35 0x1000 1\n");
    assert_int_equal(profile->n_sites, 1);
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(habits->freed_seen_count, 3);
    assert_int_equal(habits->n_freed_at, 2);
    assert_int_equal(habits->freed_at[0].count, 2);
    assert_int_equal(offset_of(profile, &habits->freed_at[0]), 0x300);
    profile_free(profile);
}

/* The free of another thread may be stamped before its malloc. */
static void a_free_that_came_too_early_counts(void **state)
{
    (void)state;
    struct profile *const profile =
        load("stream 2 1 100 101 0\n2 node 1 0 0x400301\n"
             "2 free 100 0x1000 1\n1 malloc 101 0x1000 64 2\n1 malloc 102 0x2000 64 2\n");
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(habits->freed_seen_count, 1);
    assert_int_equal(habits->n_freed_at, 1);
    assert_int_equal(offset_of(profile, &habits->freed_at[0]), 0x300);
    profile_free(profile);
}

/* ---- many stacks ---- */

enum { FIRST_NODE = 4, SCRIPT_BYTES = 4 << 20 };

struct text {
    char *bytes;
    size_t n;
};

static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    text->n += (size_t)vsnprintf(text->bytes + text->n, SCRIPT_BYTES - text->n, format, arguments);
#pragma GCC diagnostic pop
    va_end(arguments);
    assert_true(text->n < SCRIPT_BYTES);
}

static struct text begin_text(unsigned n_nodes)
{
    struct text text = {.bytes = malloc(SCRIPT_BYTES)};
    assert_non_null(text.bytes);
    put(&text, "%s", SCRIPT_HEAD);
    for (unsigned i = 0; i < n_nodes; i++)
        put(&text, "1 node %u 1 %#x\n", FIRST_NODE + i, 0x401001 + 16 * i);
    return text;
}

static struct profile *load_text(struct text *text)
{
    put(text, "%s", SCRIPT_TAIL);
    struct profile *const profile = load_script_with(text->bytes, &with_habits);
    free(text->bytes);
    return profile;
}

static void pair(struct text *text, unsigned site, unsigned from)
{
    static unsigned ticks = 10;
    put(text, "1 malloc %u 0x1000 64 %u\n", ticks, site);
    put(text, "1 free %u 0x1000 %u\n", ticks + 1, from);
    ticks += 2;
}

static void the_most_frequent_places_are_listed(void **state)
{
    enum { N = HABITS_FREED_AT + 5 };
    (void)state;
    struct text text = begin_text(N);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j <= (i * 5) % N; j++)
            pair(&text, 2, FIRST_NODE + i);
    struct profile *const profile = load_text(&text);
    const struct site_habits *const habits = habits_of(profile, 0);
    assert_int_equal(habits->freed_seen_count, N * (N + 1) / 2);
    assert_int_equal(habits->n_freed_at, HABITS_FREED_AT);
    for (unsigned i = 0; i < HABITS_FREED_AT; i++)
        assert_int_equal(habits->freed_at[i].count, N - i);
    profile_free(profile);
}

/* A trace in which every site is freed at every place takes no memory out of proportion. */
static void pairs_beyond_a_bound_are_only_counted(void **state)
{
    enum { N = 100 };
    uint64_t n_seen = 0, n_listed = 0;
    (void)state;
    struct text text = begin_text(2 * N);
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            pair(&text, FIRST_NODE + i, FIRST_NODE + N + j);
    assert_true(N * N > FREED_AT_LEAST + FREED_AT_PER_NODE * (2 * N + 3));
    struct profile *const profile = load_text(&text);
    assert_int_equal(profile->n_sites, N);
    for (size_t i = 0; i < N; i++) {
        n_seen += habits_of(profile, i)->freed_seen_count;
        n_listed += habits_of(profile, i)->n_freed_at;
    }
    assert_int_equal(n_seen, N * N);
    assert_in_range(n_listed, 1, N * HABITS_FREED_AT - 1);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frees_are_counted_by_stack),
        cmocka_unit_test(nothing_is_gathered_unless_asked_for),
        cmocka_unit_test(a_stack_that_is_not_known_does_not_count),
        cmocka_unit_test(frames_that_only_give_memory_back_are_left_out),
        cmocka_unit_test(a_resize_to_nothing_frees),
        cmocka_unit_test(processes_are_summed),
        cmocka_unit_test(a_free_that_came_too_early_counts),
        cmocka_unit_test(the_most_frequent_places_are_listed),
        cmocka_unit_test(pairs_beyond_a_bound_are_only_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
