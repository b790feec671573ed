/* SPDX-License-Identifier: MIT */
/* Which plans are taken, and what is said of others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay/plan.h"
#include "tests/support/trace_writer.h"

#define SITE "\"site\":\"0123456789abcdef\""

static int read_text(const char *text, struct replay_plan *plan_out, char why_out[200])
{
    char path[64];
    const int fd = trace_file(text, strlen(text), path);
    const int result = plan_read(path, plan_out, why_out);
    close(fd);
    return result;
}

static void rows_are_read(void **state)
{
    struct replay_plan plan;
    char why[200];
    (void)state;
    assert_int_equal(read_text("[{" SITE ",\"technique\":\"pool\",\"object_bytes\":64,\"slots\":7,"
                               "\"shared\":true},{" SITE ",\"technique\":\"arena\",\"bytes\":4096,"
                               "\"group\":3},{" SITE
                               ",\"technique\":\"reserve\",\"final_bytes\":9},{" SITE
                               ",\"technique\":\"reuse\",\"bytes\":1,\"only_temporary\":true}]",
                               &plan, why),
                     0);
    assert_int_equal(plan.n_rows, 4);
    assert_string_equal(plan.rows[0].site, "0123456789abcdef");
    assert_int_equal(plan.rows[0].technique, REPLAY_POOL);
    assert_true(plan.rows[0].is_shared);
    assert_int_equal(plan.rows[0].bytes, 64);
    assert_int_equal(plan.rows[0].slots, 7);
    assert_int_equal(plan.rows[1].group, 3);
    assert_int_equal(plan.rows[2].bytes, 9);
    assert_false(plan.rows[2].only_temporary);
    assert_true(plan.rows[3].only_temporary);
    plan_fini(&plan);
    assert_int_equal(read_text("[]", &plan, why), 0);
    assert_int_equal(plan.n_rows, 0);
    plan_fini(&plan);
}

static void faults_are_named(void **state)
{
    static const struct {
        const char *text, *word; /* that the line has */
    } rows[] = {
        {"", "line 1"},
        {"{}", "array"},
        {"[1]", "object"},
        {"[{\"technique\":\"stack\",\"bytes\":1}]", "site"},
        {"[{" SITE ",\"bytes\":1}]", "technique"},
        {"[{" SITE ",\"technique\":\"stack\"}]", "bytes"},
        {"[{" SITE ",\"technique\":\"pool\",\"bytes\":1}]", "slots"},
        {"[{" SITE ",\"technique\":\"heap\"}]", "pool, arena"},
        {"[{\"site\":\"0123\"}]", "16 hex"},
        {"[{\"site\":\"0123456789abcdeX\"}]", "16 hex"},
        {"[{\"bytes\":-1}]", "bytes"},
        {"[{\"bytes\":1e3}]", "bytes"},
        {"[{\"bytes\":9223372036854775807}]", "bytes"},
        {"[{\"group\":70000}]", "group"},
        {"[{\"shared\":1}]", "shared"},
        {"[{\"only_temporary\":\"yes\"}]", "only_temporary"},
        {"[{\"colour\":\"red\"}]", "colour"},
        {"[{\"slots\":1,\"slots\":2}]", "line 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct replay_plan plan;
        char why[200];
        assert_int_equal(read_text(rows[i].text, &plan, why), -EINVAL);
        if (!strstr(why, rows[i].word))
            fail_msg("%s: %s", rows[i].text, why);
    }
}

static void rows_of_an_arena_have_one_leader(void **state)
{
    struct replay_plan_row rows[] = {
        {.technique = REPLAY_ARENA, .group = 1},
        {.technique = REPLAY_POOL, .group = 1},
        {.technique = REPLAY_ARENA, .group = 2},
        {.technique = REPLAY_ARENA, .group = 1},
        {.technique = REPLAY_ARENA},
        {.technique = REPLAY_ARENA},
    };
    const struct replay_plan plan = {.rows = rows, .n_rows = sizeof rows / sizeof *rows};
    (void)state;
    for (size_t i = 0; i < plan.n_rows; i++)
        assert_int_equal(plan_row_leads(&plan, i), i != 3);
}

static void a_missing_file_is_no_plan(void **state)
{
    struct replay_plan plan;
    char why[200];
    (void)state;
    assert_int_equal(plan_read("/nowhere/plan.json", &plan, why), -ENOENT);
    assert_string_equal(why, "");
}

static void techniques_have_names(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < REPLAY_N_TECHNIQUES; i++)
        assert_non_null(plan_technique_name(i));
    assert_null(plan_technique_name(REPLAY_N_TECHNIQUES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(rows_of_an_arena_have_one_leader),
        cmocka_unit_test(a_missing_file_is_no_plan),
        cmocka_unit_test(techniques_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
