/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "preload/environment.h"
#include "preload/session.h"

struct session session; /* only its header is looked at */

static const struct row {
    const char *given, *wanted; /* entries, separated by | */
    bool follow;
} rows[] = {
    {"", "LD_PRELOAD=/shim.so|HEAPWISE_SESSION=/proc/1/fd/3", true},
    {"A=1|B=", "LD_PRELOAD=/shim.so|HEAPWISE_SESSION=/proc/1/fd/3|A=1|B=", true},
    {"LD_PRELOAD=/own.so", "LD_PRELOAD=/shim.so:/own.so|HEAPWISE_SESSION=/proc/1/fd/3", true},
    {"LD_PRELOAD=/a.so /b.so", "LD_PRELOAD=/shim.so:/a.so /b.so|HEAPWISE_SESSION=/proc/1/fd/3",
     true},
    {"LD_PRELOAD=", "LD_PRELOAD=/shim.so|HEAPWISE_SESSION=/proc/1/fd/3", true},
    {"LD_PRELOAD=/shim.so.old", "LD_PRELOAD=/shim.so:/shim.so.old|HEAPWISE_SESSION=/proc/1/fd/3",
     true},
    {"HEAPWISE_SESSION=/other|LD_PRELOAD=/shim.so:/own.so",
     "LD_PRELOAD=/shim.so:/own.so|HEAPWISE_SESSION=/proc/1/fd/3", true},
    {"LD_PRELOADED=x", "LD_PRELOAD=/shim.so|HEAPWISE_SESSION=/proc/1/fd/3|LD_PRELOADED=x", true},
    {"LD_PRELOAD=/shim.so|HEAPWISE_SESSION=/proc/1/fd/3|A=1", "A=1", false},
    {"LD_PRELOAD=/shim.so:/own.so|HEAPWISE_SESSION=/proc/1/fd/3", "LD_PRELOAD=/own.so", false},
};

/* Cut "a|b" into a NULL-terminated vector; `text` is written to. */
static void split(char *text, char **vector)
{
    for (char *entry = strtok(text, "|"); entry; entry = strtok(NULL, "|"))
        *vector++ = entry;
    *vector = NULL;
}

static void join(char *const *vector, char *text)
{
    *text = '\0';
    for (; *vector; vector++) {
        if (*text)
            strcat(text, "|");
        strcat(text, *vector);
    }
}

static void our_entries_come_and_go_and_the_users_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char given_text[400], seen[800], *given[8];
        struct environment_plan plan;
        char **pointers, *text;

        strcpy(given_text, rows[i].given);
        split(given_text, given);
        plan = environment_plan(given, rows[i].follow);
        assert_false(plan.as_it_is);
        pointers = malloc(plan.n_pointers * sizeof *pointers); /* exact: a sanitizer counts along */
        text = malloc(plan.n_text_bytes);
        environment_build(&plan, given, pointers, text);
        join(pointers, seen);
        assert_string_equal(seen, rows[i].wanted);
        free(pointers);
        free(text);
    }
}

static void nothing_to_change_is_noticed(void **state)
{
    static char *with[] = {"A=1", "LD_PRELOAD=/shim.so:/own.so", "HEAPWISE_SESSION=/proc/1/fd/3",
                           NULL};
    static char *without[] = {"A=1", "LD_PRELOAD=/own.so", NULL};
    (void)state;

    assert_true(environment_plan(with, true).as_it_is);
    assert_true(environment_plan(without, false).as_it_is);
    assert_false(environment_plan(NULL, true).as_it_is);
    assert_true(environment_plan(NULL, false).as_it_is);
}

int main(void)
{
    static struct session_header header = {.shim_path = "/shim.so", .session_path = "/proc/1/fd/3"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_entries_come_and_go_and_the_users_stay),
        cmocka_unit_test(nothing_to_change_is_noticed),
    };
    session.header = &header;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
