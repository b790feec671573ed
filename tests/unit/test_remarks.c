/* SPDX-License-Identifier: MIT */
/* What is told besides the numbers. */
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

static void losses_and_obstacles_are_told_by_reason(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "lost 1 5 1\nlost 1 2 1\nlost 0 1 99\nunattached 10 7 1 /bin/a\n"
                                "unattached 10 8 1 /bin/b\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_remarks, 3);
    assert_string_equal(profile->remarks[0], "events lost for an unknown reason: 1");
    assert_string_equal(profile->remarks[1], "events lost because a thread's buffer was full: 7");
    assert_string_equal(profile->remarks[2],
                        "processes not recorded because they are statically linked: 2");
    profile_free(profile);
}

static void remarks_are_told_once_and_not_without_end(void **state)
{
    (void)state;
    char script[16384];
    size_t n =
        (size_t)sprintf(script, "%s1 remark 10 1 lib.so\n1 remark 11 1 lib.so\n", SCRIPT_HEAD);
    struct profile *profile;
    for (unsigned i = 0; i < 2; i++) {
        char whole[32768];
        snprintf(whole, sizeof whole, "%s%s", script, SCRIPT_TAIL);
        profile = load_script(whole);
        assert_int_equal(profile->n_remarks, i ? 100 : 1);
        assert_non_null(strstr(profile->remarks[0], "lib.so"));
        profile_free(profile);
        for (unsigned j = 0; j < 200; j++)
            n += (size_t)sprintf(script + n, "1 remark 20 9 text%u\n", j);
    }
}

static void stdio_that_is_not_seen_is_told(void **state)
{
    (void)state;
    struct profile *const profile = load_script(SCRIPT_HEAD "1 remark 10 5 reason\n" SCRIPT_TAIL);
    assert_string_equal(profile->remarks[0], "what stdio reads and writes is not seen: reason");
    profile_free(profile);
}

static void marks_are_told_with_their_time(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 remark 250000000 4 warm\n1 remark 500000000 4 done\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_remarks, 0);
    assert_int_equal(profile->n_marks, 2);
    assert_non_null(strstr(profile->marks[0], " s  warm"));
    assert_non_null(strstr(profile->marks[1], " s  done"));
    assert_true(strtod(profile->marks[0], NULL) < strtod(profile->marks[1], NULL));
    profile_free(profile);
}

static void end_of_recording_is_told(void **state)
{
    (void)state;
    struct profile *const profile = load_script(SCRIPT_HEAD "stopped 500000000 2\n" SCRIPT_TAIL);
    assert_true(profile->stopped);
    assert_string_equal(profile->stop_reason, "no space left on the disk");
    assert_true(profile->stopped_seconds > 0.49 && profile->stopped_seconds < 0.51);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_obstacles_are_told_by_reason),
        cmocka_unit_test(remarks_are_told_once_and_not_without_end),
        cmocka_unit_test(stdio_that_is_not_seen_is_told),
        cmocka_unit_test(marks_are_told_with_their_time),
        cmocka_unit_test(end_of_recording_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
