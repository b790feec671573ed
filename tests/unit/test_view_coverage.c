/* SPDX-License-Identifier: MIT */
#include "report/sections.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct report_options options = {.top = 10, .stacks = 5};

static void complete_trace_says_nothing(void **state)
{
    (void)state;
    struct view view;
    struct profile complete = *profile_fixture();
    complete.coverage.kernel_io.known = false;
    assert_int_equal(view_coverage(&complete, &options, &view), 0);
    assert_int_equal(view.n_notes, 0);
    assert_false(view.warning);
    view_fini(&view);
}

static void every_kind_of_loss_is_said(void **state)
{
    (void)state;
    static const char *const remarks[] = {"two threads could not attach"};
    struct profile lossy = *profile_fixture();
    lossy.coverage.kernel_io.known = false;
    lossy.truncated = lossy.stopped = true;
    lossy.cut.offset_bytes = 4711;
    snprintf(lossy.cut.reason, sizeof lossy.cut.reason, "unknown record");
    lossy.stop_reason = "the trace has its largest size";
    lossy.stopped_seconds = 0.5;
    lossy.coverage.lost_events = 181133;
    lossy.coverage.unattached_processes = 1;
    lossy.coverage.unknown_frees = 2;
    lossy.coverage.unwind_truncated = 3;
    lossy.n_remarks = 1;
    lossy.remarks = remarks;
    static const char *const parts[] = {
        "cut at byte 4711 of what it holds uncompressed (unknown record)",
        "stopped 0.5 s after the start: the trace has its largest size",
        "181,133 events were lost (50.0 %)",
        "1 process could not be recorded",
        "2 freed blocks had no recorded allocation",
        "3 stacks were cut, deeper than --depth or at code without unwind tables",
        "two threads could not attach",
    };
    struct view view;
    assert_int_equal(view_coverage(&lossy, &options, &view), 0);
    assert_true(view.warning);
    assert_int_equal(view.n_notes, sizeof parts / sizeof *parts);
    for (size_t i = 0; i < view.n_notes; i++)
        if (!strstr(view.notes[i], parts[i]))
            fail_msg("'%s' is not in '%s'", parts[i], view.notes[i]);
    view_fini(&view);
}

static void unknown_frees_are_explained(void **state)
{
    (void)state;
    static const struct {
        bool truncated, stopped;
        uint64_t lost_events;
        const char *why;
    } rows[] = {
        {false, false, 0, "allocation (memory from before the shim"},
        {true, false, 0, "before the end of the trace some threads' records are missing"},
        {false, true, 0, "before the end of the trace some threads' records are missing"},
        {false, false, 7, "may be among the lost events"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile some = *profile_fixture();
        some.coverage.unknown_frees = 1;
        some.truncated = rows[i].truncated;
        some.stopped = rows[i].stopped;
        some.coverage.lost_events = rows[i].lost_events;
        struct view view;
        bool found = false;
        assert_int_equal(view_coverage(&some, &options, &view), 0);
        for (size_t k = 0; k < view.n_notes; k++)
            found |= strstr(view.notes[k], rows[i].why) != NULL;
        assert_true(found);
        view_fini(&view);
    }
}

static void unknown_frees_alone_are_no_warning(void **state)
{
    (void)state;
    struct profile some = *profile_fixture();
    some.coverage.unknown_frees = 1;
    some.coverage.kernel_io.known = false;
    struct view view;
    assert_int_equal(view_coverage(&some, &options, &view), 0);
    assert_int_equal(view.n_notes, 1);
    assert_false(view.warning);
    view_fini(&view);
}

static void recorded_io_is_held_against_the_kernels_count(void **state)
{
    (void)state;
    static const struct {
        uint64_t seen, counted, loader;
        bool comparable;
        const char *words;
    } rows[] = {
        {1402, 1405, 3, true, NULL}, /* nothing is missing */
        {1400, 1405, 3, true,
         "2,058 of 2,060 kernel reads/writes attributed (99.9 %), 3 of them before recording "
         "began"},
        {1402, 1405, 0, true, "2,057 of 2,060 kernel reads/writes attributed (99.9 %)"},
        {0, 10, 0, false,
         "655 of 665 kernel reads/writes attributed (98.5 %); not all can be compared"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile some = *profile_fixture();
        some.coverage.kernel_io.seen_read_calls = rows[i].seen;
        some.coverage.kernel_io.read_calls = rows[i].counted;
        some.coverage.kernel_io.loader_read_calls = rows[i].loader;
        some.coverage.kernel_io.comparable = rows[i].comparable;
        struct view view;
        assert_int_equal(view_coverage(&some, &options, &view), 0);
        assert_false(view.warning);
        assert_int_equal(view.n_notes, rows[i].words ? 1 : 0);
        if (rows[i].words)
            assert_string_equal(view.notes[0], rows[i].words);
        view_fini(&view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_trace_says_nothing),
        cmocka_unit_test(every_kind_of_loss_is_said),
        cmocka_unit_test(unknown_frees_are_explained),
        cmocka_unit_test(recorded_io_is_held_against_the_kernels_count),
        cmocka_unit_test(unknown_frees_alone_are_no_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
