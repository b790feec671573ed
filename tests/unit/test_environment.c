/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "preload/environment.h"
#include "preload/session.h"

struct session session; /* all that environment.c wants of it are the two paths */

#define SHIM    "/s/lib.so"
#define SESSION "/proc/1/fd/3"
#define OURS    "HEAPWISE_SESSION=" SESSION
enum { MAX_ENTRIES = 6 };

struct row {
    const char *why;
    bool follow, as_it_is;
    const char *given[MAX_ENTRIES];
    const char *expected[MAX_ENTRIES];
};

static const struct row rows[] = {
    {"empty", true, false, {NULL}, {"LD_PRELOAD=" SHIM, OURS}},
    {"others are kept in order",
     true,
     false,
     {"A=1", "B="},
     {"LD_PRELOAD=" SHIM, OURS, "A=1", "B="}},
    {"the user's preload stays behind ours",
     true,
     false,
     {"LD_PRELOAD=/u/a.so:/u/b.so", "A=1"},
     {"LD_PRELOAD=" SHIM ":/u/a.so:/u/b.so", OURS, "A=1"}},
    {"a list by spaces stays one",
     true,
     false,
     {"LD_PRELOAD=/u/a.so /u/b.so"},
     {"LD_PRELOAD=" SHIM ":/u/a.so /u/b.so", OURS}},
    {"an empty preload", true, false, {"LD_PRELOAD="}, {"LD_PRELOAD=" SHIM, OURS}},
    {"both there", true, true, {"A=1", "LD_PRELOAD=" SHIM, OURS}, {NULL}},
    {"both there, ours not first", true, true, {"LD_PRELOAD=/u/a.so:" SHIM, OURS}, {NULL}},
    {"ours in the list, session lost",
     true,
     false,
     {"LD_PRELOAD=/u/a.so:" SHIM ":/u/b.so"},
     {"LD_PRELOAD=" SHIM ":/u/a.so:/u/b.so", OURS}},
    {"ours alone, session lost", true, false, {"LD_PRELOAD=" SHIM}, {"LD_PRELOAD=" SHIM, OURS}},
    {"another session",
     true,
     false,
     {"LD_PRELOAD=" SHIM, "HEAPWISE_SESSION=/old"},
     {"LD_PRELOAD=" SHIM, OURS}},
    {"a longer name that begins like ours",
     true,
     false,
     {"LD_PRELOAD=" SHIM ".1", OURS},
     {"LD_PRELOAD=" SHIM ":" SHIM ".1", OURS}},
    {"a longer path that ends like ours",
     true,
     false,
     {"LD_PRELOAD=/x" SHIM, OURS},
     {"LD_PRELOAD=" SHIM ":/x" SHIM, OURS}},
    {"similar names are others'",
     true,
     false,
     {"LD_PRELOAD_X=1", "HEAPWISE_SESSIONS=2"},
     {"LD_PRELOAD=" SHIM, OURS, "LD_PRELOAD_X=1", "HEAPWISE_SESSIONS=2"}},
    {"removal: nothing of ours", false, true, {"A=1", "LD_PRELOAD=/u/a.so"}, {NULL}},
    {"removal: empty", false, true, {NULL}, {NULL}},
    {"removal: first", false, false, {"LD_PRELOAD=" SHIM ":/u/a.so", OURS}, {"LD_PRELOAD=/u/a.so"}},
    {"removal: middle",
     false,
     false,
     {"LD_PRELOAD=/u/a.so:" SHIM ":/u/b.so", OURS, "A=1"},
     {"LD_PRELOAD=/u/a.so:/u/b.so", "A=1"}},
    {"removal: alone", false, false, {"A=1", "LD_PRELOAD=" SHIM, OURS}, {"A=1"}},
    {"removal: only the session", false, false, {OURS, "A=1"}, {"A=1"}},
};

static void check(const struct row *row)
{
    char *const *const given = (char *const *)(uintptr_t)row->given;
    const struct environment_plan plan = environment_plan(given, row->follow);
    if (plan.as_it_is != row->as_it_is)
        fail_msg("%s: as_it_is is %d", row->why, plan.as_it_is);
    if (plan.as_it_is)
        return;
    char **const pointers = malloc(plan.n_pointers * sizeof *pointers);
    char *const text = malloc(plan.n_text_bytes);
    size_t n = 0;
    environment_build(&plan, given, pointers, text);
    for (; pointers[n]; n++) {
        assert_true(n < MAX_ENTRIES);
        if (!row->expected[n] || strcmp(pointers[n], row->expected[n]) != 0)
            fail_msg("%s: entry %zu is %s", row->why, n, pointers[n]);
    }
    if (n < MAX_ENTRIES && row->expected[n])
        fail_msg("%s: %s is missing", row->why, row->expected[n]);
    assert_true(n < plan.n_pointers);
    free(pointers);
    free(text);
}

static void environments_become_what_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(&rows[i]);
}

static void no_environment_counts_as_an_empty_one(void **state)
{
    char *pointers[4];
    char text[256];
    (void)state;
    const struct environment_plan plan = environment_plan(NULL, true);
    assert_false(plan.as_it_is);
    assert_true(plan.n_pointers <= 4 && plan.n_text_bytes <= sizeof text);
    environment_build(&plan, NULL, pointers, text);
    assert_string_equal(pointers[0], "LD_PRELOAD=" SHIM);
    assert_string_equal(pointers[1], OURS);
    assert_null(pointers[2]);
    assert_true(environment_plan(NULL, false).as_it_is);
}

/* Building again from what was built changes nothing. */
static void the_result_is_left_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!rows[i].as_it_is)
            assert_true(environment_plan((char *const *)(uintptr_t)rows[i].expected, rows[i].follow)
                            .as_it_is);
}

static int open_session(void **state)
{
    (void)state;
    session.header = calloc(1, sizeof *session.header);
    strcpy(session.header->shim_path, SHIM);
    strcpy(session.header->session_path, SESSION);
    return 0;
}

static int close_session(void **state)
{
    (void)state;
    free(session.header);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environments_become_what_they_should),
        cmocka_unit_test(no_environment_counts_as_an_empty_one),
        cmocka_unit_test(the_result_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, open_session, close_session);
}
