/* SPDX-License-Identifier: MIT */
/* What counts as growth, and where a chain ends: one row per sequence. */
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

#include "tests/support/site_habits_script.h"

struct row {
    const char *name, *events;
    struct growth growth; /* of stack 2: steps, copied, chains, largest, sum, longest */
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct growth found = habits_after(rows[i].events, 2).growth;
        if (memcmp(&found, &rows[i].growth, sizeof found) != 0)
            fail_msg("%s: %d steps, %d copied, %d chains to %d, %d, longest %d", rows[i].name,
                     (int)found.steps, (int)found.copied_bytes, (int)found.chains,
                     (int)found.final_max_bytes, (int)found.final_sum_bytes,
                     (int)found.longest_steps);
    }
}

#define RESIZE(t, from, to, size, stack)                                                           \
    "1 realloc_begin " #t " " #from " 0\n1 realloc_end " #t " " #to " " #size " " #stack "\n"

static void resizes_make_chains(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"none", "1 malloc 10 0x1000 8 2\n1 free 20 0x1000\n", {0, 0, 0, 0, 0, 0}},
        {"one step",
         "1 malloc 10 0x1000 8 3\n" RESIZE(20, 0x1000, 0x2000, 16, 2) "1 free 30 0x2000\n",
         {1, 8, 1, 16, 16, 1}},
        {"live at exit",
         "1 malloc 10 0x1000 8 3\n" RESIZE(20, 0x1000, 0x2000, 16, 2),
         {1, 8, 1, 16, 16, 1}},
        {"in place nothing is copied",
         "1 malloc 10 0x1000 8 3\n" RESIZE(20, 0x1000, 0x1000, 16, 2),
         {1, 0, 1, 16, 16, 1}},
        {"three steps",
         "1 realloc_new 10 0x1000 8 2\n" RESIZE(20, 0x1000, 0x2000, 16, 2) RESIZE(
             30, 0x2000, 0x2000, 32, 2) RESIZE(40, 0x2000, 0x3000, 64, 2) "1 free 50 0x3000\n",
         {3, 40, 1, 64, 64, 3}},
        {"not larger is no step",
         "1 malloc 10 0x1000 8 2\n" RESIZE(20, 0x1000, 0x2000, 8, 2)
             RESIZE(30, 0x2000, 0x2000, 4, 2),
         {0, 0, 0, 0, 0, 0}},
        {"made to fit at last",
         "1 malloc 10 0x1000 8 2\n" RESIZE(20, 0x1000, 0x2000, 100, 2)
             RESIZE(30, 0x2000, 0x3000, 50, 2) "1 free 40 0x3000\n",
         {1, 8, 1, 50, 50, 1}},
        {"the last site gets the chain",
         "1 malloc 10 0x1000 8 3\n" RESIZE(20, 0x1000, 0x2000, 16, 3)
             RESIZE(30, 0x2000, 0x3000, 32, 2),
         {1, 16, 1, 32, 32, 2}},
        {"another site took it over",
         "1 malloc 10 0x1000 8 2\n" RESIZE(20, 0x1000, 0x2000, 16, 2)
             RESIZE(30, 0x2000, 0x3000, 32, 3),
         {1, 8, 0, 0, 0, 0}},
        {"refused",
         "1 malloc 10 0x1000 8 2\n" RESIZE(
             20, 0x1000, 0x2000, 16,
             2) "1 realloc_begin 30 0x2000 0\n1 realloc_fail 31\n" RESIZE(40, 0x2000, 0x3000, 32,
                                                                          2),
         {2, 24, 1, 32, 32, 2}},
        {"freed by a resize to nothing",
         "1 malloc 10 0x1000 8 2\n" RESIZE(
             20, 0x1000, 0x2000, 16,
             2) "1 realloc_begin 30 0x2000 0\n1 realloc_freed 31\n1 malloc 40 0x2000 5 2\n"
                "1 free 50 0x2000\n",
         {1, 8, 1, 16, 16, 1}},
        {"lost in a resize, its address used again",
         "1 malloc 10 0x1000 8 2\n" RESIZE(
             20, 0x1000, 0x2000, 16,
             2) "1 realloc_begin 30 0x2000 0\n1 malloc 40 0x2000 5 2\n1 free 50 0x2000\n",
         {1, 8, 0, 0, 0, 0}},
        {"two chains",
         "1 malloc 10 0x1000 8 2\n" RESIZE(
             20, 0x1000, 0x2000, 16, 2) "1 malloc 21 0x1000 8 2\n" RESIZE(30, 0x1000, 0x3000, 20, 2)
             RESIZE(40, 0x3000, 0x4000, 40, 2) "1 free 50 0x2000\n",
         {3, 36, 2, 40, 56, 2}},
        {"of a block from before the recording",
         RESIZE(20, 0x1000, 0x2000, 16, 2),
         {0, 0, 0, 0, 0, 0}},
    };
    check(rows, sizeof rows / sizeof *rows);
}

static void containers_make_chains(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"vector",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 free 21 0x1000\n"
         "1 malloc 30 0x3000 32 2\n1 free 31 0x2000\n1 free 40 0x3000\n",
         {2, 24, 1, 32, 32, 2}},
        {"live at exit",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 free 21 0x1000\n",
         {1, 8, 1, 16, 16, 1}},
        {"other frees in between do not matter",
         "1 malloc 9 0x9000 8 3\n1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n"
         "1 free 21 0x9000\n1 free 22 0x1000\n",
         {1, 8, 1, 16, 16, 1}},
        {"as large",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 8 2\n1 free 21 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"as much larger as may be",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 96 2\n1 free 21 0x1000\n",
         {1, 8, 1, 96, 96, 1}},
        {"too much larger",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 97 2\n1 free 21 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"another stack",
         "1 malloc 10 0x1000 8 3\n1 malloc 20 0x2000 16 2\n1 free 21 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"an allocation in between",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 malloc 21 0x3000 8 3\n"
         "1 free 22 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"a resize in between",
         "1 malloc 9 0x9000 8 3\n1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n" RESIZE(
             21, 0x9000, 0x9000, 4, 3) "1 free 22 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"freed by another thread",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n2 free 21 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"the larger one is gone",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 free 21 0x2000\n1 free 22 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"the larger one is another thread's by now",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n2 free 21 0x2000\n"
         "2 malloc 22 0x2000 16 2\n1 free 23 0x1000\n",
         {0, 0, 0, 0, 0, 0}},
        {"one block takes the place of one",
         "1 malloc 10 0x1000 8 2\n1 malloc 11 0x2000 9 2\n1 malloc 20 0x3000 16 2\n"
         "1 free 21 0x1000\n1 free 22 0x2000\n",
         {1, 8, 1, 16, 16, 1}},
        {"a container, then resized",
         "1 malloc 10 0x1000 8 2\n1 malloc 20 0x2000 16 2\n1 free 21 0x1000\n" RESIZE(
             30, 0x2000, 0x4000, 30, 2),
         {2, 24, 1, 30, 30, 2}},
    };
    check(rows, sizeof rows / sizeof *rows);
}

static void chains_end_with_an_exec(void **state)
{
    (void)state;
    struct profile *const profile = load_habits("1 malloc 10 0x1000 8 2\n" RESIZE(
        20, 0x1000, 0x2000, 16,
        2) "1 exec 20 /bin/other\nstream 3 2 100 100 0\n"
           "3 image 30 image=2 pid=100 parent_pid=1 start=7 executable=/bin/prog\n"
           "3 module 31 1 /bin/prog aa11 0x400000 0x400000 0x500000\n3 node 1 0 0x400101\n"
           "3 node 2 1 0x400201\n3 malloc 40 0x2000 5 2\n3 free 41 0x2000\n");
    const struct growth found = habits_of(profile, 2).growth;
    assert_int_equal(found.chains, 1);
    assert_int_equal(found.final_sum_bytes, 16);
    profile_free(profile);
}

/* Releases that were lost leave nothing behind that a later block at the address would inherit. */
static void lost_release_ends_no_chain(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"lost",
         "1 malloc 10 0x1000 8 2\n" RESIZE(20, 0x1000, 0x2000, 16,
                                           2) "2 malloc 30 0x2000 5 2\n2 free 9000 0x2000\n",
         {1, 8, 0, 0, 0, 0}},
    };
    check(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizes_make_chains),
        cmocka_unit_test(containers_make_chains),
        cmocka_unit_test(chains_end_with_an_exec),
        cmocka_unit_test(lost_release_ends_no_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
