/* SPDX-License-Identifier: MIT */
/* What profile_load() makes of whole traces, of cut ones and of broken ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/load_script.h"
#include "trace/trace_format.h"

static const char basic[] = SCRIPT_HEAD "1 malloc 100 0x1000 100 2\n"
                                        "1 malloc 200 0x2000 50 3\n"
                                        "1 free 300 0x1000\n"
                                        "watermark 300\n"
                                        "1 malloc 400 0x3000 10 2\n"
                                        "1 free 500 0x3000\n"
                                        "1 realloc_begin 600 0x2000 0\n"
                                        "1 realloc_end 650 0x4000 80 2\n"
                                        "stream_end 1 fast=3 fallback=2 truncated=1\n"
                                        "lost 1 5 1\n"
                                        "rss 700 100 4096\n" SCRIPT_TAIL;

static void whole_trace_gives_all_totals(void **state)
{
    (void)state;
    struct profile *const profile = load_script(basic);
    assert_false(profile->truncated);
    assert_string_equal(profile->tool_version, "0.1-test");
    assert_int_equal(profile->n_command, 2);
    assert_string_equal(profile->command[1], "-x");
    assert_string_equal(profile->allocator, "/lib/libc.so.6");
    assert_string_equal(profile->started, "1970-01-01T00:00:00Z");
    assert_int_equal(profile->totals.alloc_count, 3);
    assert_int_equal(profile->totals.realloc_count, 1);
    assert_int_equal(profile->totals.free_count, 2);
    assert_int_equal(profile->totals.alloc_bytes, 240);
    assert_int_equal(profile->totals.peak_bytes, 150);
    assert_int_equal(profile->totals.peak_count, 2);
    assert_int_equal(profile->totals.leaked_count, 1);
    assert_int_equal(profile->totals.leaked_bytes, 80);
    assert_int_equal(profile->totals.temporary_count, 1);
    assert_int_equal(profile->totals.copied_bytes, 50);
    assert_int_equal(profile->totals.events, 6);
    assert_int_equal(profile->totals.slack_bytes, 104 - 100 + 56 - 50);
    assert_int_equal(profile->totals.lost_events, 5);
    assert_int_equal(profile->coverage.unwind_fallback, 2);
    assert_int_equal(profile->coverage.threads, 1);
    assert_int_equal(profile->peak_rss_bytes, 4096);
    assert_true(profile->duration_seconds > 0.999 && profile->duration_seconds < 1.001);
    assert_true(profile->has_status);
    assert_int_equal(profile->n_processes, 1);
    assert_int_equal(profile->processes[0].pid, 100);
    assert_int_equal(profile->processes[0].images[0].n_arguments, 2);
    profile_free(profile);
}

static void sites_share_out_the_totals(void **state)
{
    (void)state;
    struct profile *const profile = load_script(basic);
    assert_int_equal(profile->n_sites, 2);
    const struct site *const first = &profile->sites[0], *const second = &profile->sites[1];
    assert_int_equal(first->metrics.alloc_count, 2);
    assert_int_equal(first->metrics.realloc_count, 1);
    assert_int_equal(first->metrics.peak_bytes, 100);
    assert_int_equal(first->metrics.leaked_bytes, 80);
    assert_int_equal(first->max_live_bytes, 100);
    assert_int_equal(first->n_threads, 1);
    assert_int_equal(first->n_frames, 2);
    assert_int_equal(profile->frames[first->frames[0]].offset, 0x200);
    assert_int_equal(profile->frames[first->frames[1]].offset, 0x100);
    assert_string_equal(profile->frames[first->frames[0]].module, "/bin/prog");
    assert_int_equal(second->metrics.alloc_count, 1);
    assert_int_equal(second->metrics.peak_bytes, 50);
    assert_int_equal(second->metrics.leaked_bytes, 0);
    assert_int_equal(first->lifetime_ns.min, 100);
    assert_int_equal(first->lifetime_ns.max, 200);
    profile_free(profile);
}

static void compressed_frames_give_the_same(void **state)
{
    (void)state;
    struct trace_bytes plain = trace_write(basic);
    for (unsigned n_frames = 1; n_frames <= 5; n_frames++) {
        struct trace_bytes packed = trace_compress(&plain, n_frames);
        struct profile *profile;
        struct trace_error error;
        assert_int_equal(load_bytes(packed.bytes, packed.n_bytes, NULL, &profile, &error), 0);
        assert_false(profile->truncated);
        assert_int_equal(profile->totals.alloc_bytes, 240);
        profile_free(profile);
        free(packed.bytes);
    }
    free(plain.bytes);
}

/* Returns the events of the longest cut. */
static uint64_t check_cut_everywhere(const struct trace_bytes *trace)
{
    uint64_t n_before = 0;
    for (size_t n = 1; n < trace->n_bytes; n++) {
        struct profile *profile;
        struct trace_error error;
        assert_int_equal(load_bytes(trace->bytes, n, NULL, &profile, &error), 0);
        assert_true(profile->truncated);
        assert_true(profile->cut.reason[0] != 0);
        assert_true(profile->totals.events >= n_before);
        n_before = profile->totals.events;
        profile_free(profile);
    }
    return n_before;
}

static void trace_cut_at_every_byte_is_readable_up_to_there(void **state)
{
    (void)state;
    struct trace_bytes plain = trace_write(basic);
    assert_int_equal(check_cut_everywhere(&plain), 6);
    struct trace_bytes packed = trace_compress(&plain, 3);
    check_cut_everywhere(&packed); /* a block is there whole or not at all */
    free(plain.bytes);
    free(packed.bytes);
}

/* Whatever comes out, nothing crashes and nothing leaks. */
static void check_flips(const struct trace_bytes *trace)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    for (size_t at = 0; at < trace->n_bytes; at++)
        for (size_t i = 0; i < sizeof flips; i++) {
            struct profile *profile = NULL;
            struct trace_error error;
            trace->bytes[at] ^= flips[i];
            if (load_bytes(trace->bytes, trace->n_bytes, NULL, &profile, &error) == 0)
                profile_free(profile);
            else
                assert_true(error.reason[0] != 0);
            trace->bytes[at] ^= flips[i];
        }
}

static void trace_with_any_byte_flipped_does_no_harm(void **state)
{
    (void)state;
    struct trace_bytes plain = trace_write(basic);
    struct trace_bytes packed = trace_compress(&plain, 2);
    check_flips(&plain);
    check_flips(&packed);
    free(plain.bytes);
    free(packed.bytes);
}

static void what_is_no_trace_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n_bytes;
        int result;
        const char *reason;
    } rows[] = {
        {"", 0, -EBADMSG, "is empty"},
        {"hello, world", 12, -EBADMSG, "is not a heapwise trace"},
        {"\x95\x41", 2, -EBADMSG, "is not a heapwise trace"},
        {"\x95\x40\xaeheapwise-trice\x01\x00\xa1x", 20, -EBADMSG, "is not a heapwise trace"},
        {"\x95\x40\xaeheapwise-trace\x02\x00\xa1x", 21, -EPROTONOSUPPORT,
         "written by a newer heapwise (format 2.0; this one reads up to 1.3)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct profile *profile = NULL;
        struct trace_error error;
        assert_int_equal(load_bytes(rows[i].bytes, rows[i].n_bytes, NULL, &profile, &error),
                         rows[i].result);
        assert_string_equal(error.reason, rows[i].reason);
        assert_null(profile);
    }
    struct profile *profile;
    struct trace_error error;
    assert_int_equal(profile_load("/nonexistent/x.hwt", NULL, &profile, &error), -ENOENT);
    assert_true(error.reason[0] != 0);
    assert_int_equal(profile_load("/", NULL, &profile, &error), -EISDIR);
}

static void process_that_is_not_there_is_said(void **state)
{
    (void)state;
    const struct profile_options options = {.process_id = 2};
    struct trace_bytes trace = trace_write(basic);
    struct profile *profile;
    struct trace_error error;
    assert_int_equal(load_bytes(trace.bytes, trace.n_bytes, &options, &profile, &error), -ENOENT);
    assert_string_equal(error.record, "process");
    free(trace.bytes);
}

static void garbage_inside_a_chunk_ends_the_trace_there(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write(basic);
    /* The last chunk's first record: an array of five whose tag is 1, of stream 1, after the mark. */
    const uint8_t mark[] = {0x92, TRACE_WATERMARK, 0xcd, 0x01, 0x2c};
    uint8_t *const found = memmem(trace.bytes, trace.n_bytes, mark, sizeof mark);
    assert_non_null(found);
    uint8_t *const record =
        memmem(found, trace.n_bytes - (size_t)(found - trace.bytes), "\x95\x01", 2);
    assert_non_null(record);
    *record = 0xc1;
    struct profile *profile;
    struct trace_error error;
    assert_int_equal(load_bytes(trace.bytes, trace.n_bytes, NULL, &profile, &error), 0);
    assert_true(profile->truncated);
    assert_int_equal(profile->totals.alloc_count, 2);
    assert_int_equal(profile->cut.offset_bytes, record - trace.bytes);
    assert_string_equal(profile->cut.reason, "what stands here is no record");
    profile_free(profile);
    free(trace.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_trace_gives_all_totals),
        cmocka_unit_test(sites_share_out_the_totals),
        cmocka_unit_test(compressed_frames_give_the_same),
        cmocka_unit_test(trace_cut_at_every_byte_is_readable_up_to_there),
        cmocka_unit_test(trace_with_any_byte_flipped_does_no_harm),
        cmocka_unit_test(what_is_no_trace_is_said),
        cmocka_unit_test(process_that_is_not_there_is_said),
        cmocka_unit_test(garbage_inside_a_chunk_ends_the_trace_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
