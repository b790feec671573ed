/* SPDX-License-Identifier: MIT */
/* How the kernel's counts are held against the calls that were seen. */
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

#define TWO_READS "1 io 10 1 3 100 100 1 2 0 0\n1 io 20 1 3 100 0 1 2 0 0\n"
#define ONE_WRITE "1 io 30 16 3 100 50 1 2 0 0\n"
#define CHILD                                                                                      \
    "1 fork 40 1\nstream 2 2 101 101 0\n2 image 50 image=2 pid=101 parent_pid=100 "                \
    "parent_image=1 fork_id=1 start=8\n2 io 60 1 3 100 7 1 0 0 0\n"

static struct profile *load_parts(const char *middle, const char *exit_counts)
{
    char script[4096];
    snprintf(script, sizeof script, SCRIPT_HEAD "%sprocess_io 90 100 %s\n" SCRIPT_TAIL, middle,
             exit_counts);
    return load_script(script);
}

static bool has_remark(const struct profile *profile, const char *part)
{
    for (uint32_t i = 0; i < profile->n_remarks; i++)
        if (strstr(profile->remarks[i], part))
            return true;
    return false;
}

static void counts_that_agree_need_no_remark(void **state)
{
    (void)state;
    struct profile *const profile = load_parts(TWO_READS ONE_WRITE, "2 1 100 50");
    const struct kernel_io *const io = &profile->coverage.kernel_io;
    assert_true(io->known && io->comparable);
    assert_int_equal(io->read_calls, 2);
    assert_int_equal(io->seen_read_calls, 2);
    assert_int_equal(io->write_calls, 1);
    assert_int_equal(io->seen_write_calls, 1);
    assert_int_equal(io->read_bytes, io->seen_read_bytes);
    assert_int_equal(io->write_bytes, io->seen_write_bytes);
    assert_int_equal(profile->n_remarks, 0);
    assert_true(profile->processes[0].coverage.kernel_io.comparable);
    profile_free(profile);
}

static void loaders_reads_are_told_apart(void **state)
{
    (void)state;
    /* 3 calls before the first image attached, 4 between its exec and the next one's start */
    struct profile *const profile = load_parts(
        "1 kernel_io 8 0 3 0 900 0\n" TWO_READS "1 kernel_io 31 1 5 0 1000 0\n1 exec 32 /bin/x\n"
        "stream 2 2 100 100 0\n2 image 50 image=2 pid=100 start=7\n2 kernel_io 51 0 9 0 1900 0\n"
        "2 io 60 1 3 100 7 1 0 0 0\n",
        "11 0 1907 0");
    const struct kernel_io *const io = &profile->coverage.kernel_io;
    assert_int_equal(io->read_calls, 11);
    assert_int_equal(io->seen_read_calls, 3);
    assert_int_equal(io->loader_read_calls, 7);
    assert_int_equal(io->loader_read_bytes, 1800);
    assert_true(has_remark(profile, "1 reads, 0 writes"));
    profile_free(profile);
}

/* Its own of an image that was replaced lie between that one's end and the next one's start. */
static void what_recording_read_is_taken_off(void **state)
{
    (void)state;
    struct profile *const profile = load_parts(
        TWO_READS "1 kernel_io 40 1 2 0 100 0\n1 kernel_io 41 2 3 0 270 0\n", "5 0 370 0");
    const struct kernel_io *const io = &profile->coverage.kernel_io;
    assert_int_equal(io->read_calls, 2);
    assert_int_equal(io->read_bytes, 100);
    assert_int_equal(profile->n_remarks, 0);
    profile_free(profile);
    struct profile *const execed = load_parts(
        TWO_READS
        "1 kernel_io 31 1 2 0 100 0\n1 kernel_io 31 2 1 0 90 0\n1 exec 32 /bin/x\n"
        "stream 2 2 100 100 0\n2 image 50 image=2 pid=100 start=7\n2 kernel_io 51 0 9 0 1900 0\n",
        "9 0 1900 0");
    assert_int_equal(execed->coverage.kernel_io.read_calls, 9);
    assert_int_equal(execed->coverage.kernel_io.loader_read_calls, 7);
    profile_free(execed);
}

static void children_that_were_waited_for_are_part_of_it(void **state)
{
    (void)state;
    struct profile *const waited = load_parts(TWO_READS CHILD, "3 0 107 0");
    assert_int_equal(waited->coverage.kernel_io.seen_read_calls, 3);
    assert_int_equal(waited->processes[0].coverage.kernel_io.seen_read_calls, 3);
    assert_false(waited->processes[1].coverage.kernel_io.known);
    assert_int_equal(waited->n_remarks, 0);
    profile_free(waited);
    struct profile *const orphan =
        load_parts(TWO_READS CHILD "process_io 80 101 1 0 7 0\n", "2 0 100 0");
    assert_int_equal(orphan->coverage.kernel_io.read_calls, 3);
    assert_int_equal(orphan->coverage.kernel_io.seen_read_calls, 3);
    assert_int_equal(orphan->processes[0].coverage.kernel_io.seen_read_calls, 2);
    assert_int_equal(orphan->processes[1].coverage.kernel_io.read_calls, 1);
    assert_int_equal(orphan->n_remarks, 0);
    profile_free(orphan);
    struct profile *const forsaken = load_parts(TWO_READS CHILD, "2 0 100 0");
    assert_true(has_remark(forsaken, "nobody waited for"));
    profile_free(forsaken);
}

static void a_count_before_the_end_is_compared_where_it_can_be(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bool comparable;
    } rows[] = {
        {TWO_READS ONE_WRITE "1 kernel_io 90 1 2 1 100 50\n", true},
        {"1 kernel_io 8 0 3 0 900 0\n" TWO_READS "1 kernel_io 90 1 5 0 1000 0\n", true},
        {"1 kernel_io 8 0 3 0 900 0\n" TWO_READS "1 kernel_io 90 1 7 1 1000 0\n", true},
        {TWO_READS "1 kernel_io 25 1 2 0 100 0\n" ONE_WRITE, false}, /* a flush came after it */
        {TWO_READS CHILD "1 kernel_io 90 1 3 0 107 0\n", true},
        {TWO_READS CHILD "1 kernel_io 90 1 4 0 107 0\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[4096];
        snprintf(script, sizeof script, SCRIPT_HEAD "%s" SCRIPT_TAIL, rows[i].script);
        struct profile *const profile = load_script(script);
        assert_true(profile->coverage.kernel_io.known);
        assert_int_equal(profile->coverage.kernel_io.comparable, rows[i].comparable);
        profile_free(profile);
    }
}

static void what_cannot_be_compared_is_said(void **state)
{
    (void)state;
    struct profile *const ring = load_parts(TWO_READS "1 fd_new 40 91 9 -1 2\n", "9 0 100 0");
    assert_true(ring->coverage.kernel_io.known);
    assert_false(ring->coverage.kernel_io.comparable);
    assert_true(has_remark(ring, "io_uring"));
    profile_free(ring);
    struct profile *const lost = load_parts(TWO_READS "lost 1 5 1\n", "9 0 100 0");
    assert_false(lost->coverage.kernel_io.comparable);
    profile_free(lost);
    struct profile *const aio = load_parts("1 io 10 9 3 100 100 1 2 0 0\n", "1 0 100 0");
    assert_true(has_remark(aio, "asynchronous"));
    assert_int_equal(aio->coverage.kernel_io.seen_read_calls, 1);
    profile_free(aio);
    struct profile *const nothing = load_script(SCRIPT_HEAD TWO_READS SCRIPT_TAIL);
    assert_false(nothing->coverage.kernel_io.known);
    profile_free(nothing);
}

static void unrecorded_input_and_output_is_not_held_against_the_kernel(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script("run flags=16 root_pid=100\nclock 0 0 0\nstream 1 1 100 100 0\n"
                    "1 image 1 image=1 pid=100 start=7\nprocess_io 90 100 7 7 7 7\n" SCRIPT_TAIL);
    assert_false(profile->coverage.kernel_io.known);
    assert_int_equal(profile->n_remarks, 0);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_that_agree_need_no_remark),
        cmocka_unit_test(loaders_reads_are_told_apart),
        cmocka_unit_test(what_recording_read_is_taken_off),
        cmocka_unit_test(children_that_were_waited_for_are_part_of_it),
        cmocka_unit_test(a_count_before_the_end_is_compared_where_it_can_be),
        cmocka_unit_test(what_cannot_be_compared_is_said),
        cmocka_unit_test(unrecorded_input_and_output_is_not_held_against_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
