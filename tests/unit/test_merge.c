/* SPDX-License-Identifier: MIT */
/* In which order records of many streams come out, and when. */
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

#include "reader/merge.h"
#include "tests/support/trace_writer.h"

struct log {
    char text[2048];
};

static int on_record(void *context, uint32_t stream, const struct record *record)
{
    struct log *const log = context;
    const size_t n = strlen(log->text);
    snprintf(log->text + n, sizeof log->text - n, "%s%u%s%d", n ? " " : "", (unsigned)stream,
             record->tag == TRACE_NODE ? "n" : ":",
             (int)(record->tag == TRACE_NODE ? record->node.id : record->ticks));
    return 0;
}

static int on_ended(void *context, uint32_t stream)
{
    struct log *const log = context;
    const size_t n = strlen(log->text);
    snprintf(log->text + n, sizeof log->text - n, "%s%u.", n ? " " : "", (unsigned)stream);
    return 0;
}

static struct merge *new_merge(struct log *log, uint32_t n_streams)
{
    const struct merge_sink sink = {.context = log, .record = on_record, .ended = on_ended};
    struct merge *const merge = merge_new(&sink);
    for (uint32_t i = 1, number; i <= n_streams; i++) {
        assert_int_equal(merge_add_stream(merge, &number), 0);
        assert_int_equal(number, i);
    }
    return merge;
}

/* Append a chunk of bytes; `cut` as the trace's end would. */
static void add_bytes(struct merge *merge, uint32_t stream, const void *bytes, size_t n_bytes,
                      bool cut)
{
    uint8_t *const copy = malloc(n_bytes);
    const struct merge_chunk_head head = {.base = {0, 0}, .offset = 1000, .cut = cut};
    memcpy(copy, bytes, n_bytes);
    assert_int_equal(merge_add_chunk(merge, stream, &head, copy, n_bytes), 0);
}

/* Append frees with the stamps named, all below 128; a negative number is a node of that id. */
static void add(struct merge *merge, uint32_t stream, const int *stamps, size_t n)
{
    uint8_t bytes[1024];
    size_t at = 0;
    int before = 0;
    for (size_t i = 0; i < n; i++) {
        if (stamps[i] < 0) {
            const uint8_t node[] = {0x94, TRACE_NODE, (uint8_t)-stamps[i], 0, 1};
            memcpy(bytes + at, node, sizeof node);
            at += sizeof node;
            continue;
        }
        const uint8_t free_record[] = {0x93, TRACE_FREE, 0xd0, (uint8_t)(stamps[i] - before), 1};
        memcpy(bytes + at, free_record, sizeof free_record);
        at += sizeof free_record;
        before = stamps[i];
    }
    add_bytes(merge, stream, bytes, at, false);
}
#define ADD(merge, stream, ...)                                                                    \
    add(merge, stream, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void streams_come_out_by_time(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 3);
    ADD(merge, 1, 1, 5, 9);
    ADD(merge, 2, 2, 3, 20);
    ADD(merge, 3, 4, 4, 4);
    assert_string_equal(log.text, "");
    assert_int_equal(merge_up_to(merge, 9), 0);
    assert_string_equal(log.text, "1:1 2:2 2:3 3:4 3:4 3:4 1:5");
    log.text[0] = 0;
    ADD(merge, 3, 10);
    ADD(merge, 1, 11);
    assert_int_equal(merge_finish(merge), 0);
    assert_string_equal(log.text, "1:9 3:10 1:11 2:20 0. 1. 2. 3.");
    merge_free(merge);
}

static void equal_stamps_go_by_stream(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 3);
    ADD(merge, 3, 5);
    ADD(merge, 2, 5, 5);
    ADD(merge, 1, 5);
    merge_up_to(merge, 6);
    assert_string_equal(log.text, "1:5 2:5 2:5 3:5");
    merge_free(merge);
}

static void nodes_follow_the_record_before_them(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, -1, 5, -2, -3, 9);
    ADD(merge, 2, 4, 7);
    merge_finish(merge);
    assert_string_equal(log.text, "1n1 2:4 1:5 1n2 1n3 2:7 1:9 0. 1. 2.");
    merge_free(merge);
}

static void stream_ends_once_it_is_empty(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, 5);
    merge_end_stream(merge, 1);
    merge_end_stream(merge, 2);
    ADD(merge, 2, 3); /* after its end: nobody's */
    merge_up_to(merge, 6);
    assert_string_equal(log.text, "2. 1:5 1.");
    merge_free(merge);
}

static void late_record_comes_out_at_once(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, 50);
    merge_up_to(merge, 60);
    ADD(merge, 2, 10);
    ADD(merge, 1, 70);
    merge_up_to(merge, 71);
    assert_string_equal(log.text, "1:50 2:10 1:70");
    merge_free(merge);
}

static void long_chunks_keep_their_order(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct merge *const merge = new_merge(&log, 2);
    int stamps[2][50];
    for (int i = 0; i < 50; i++) {
        stamps[0][i] = 2 * i;
        stamps[1][i] = 2 * i + 1;
    }
    add(merge, 1, stamps[0], 50);
    add(merge, 2, stamps[1], 50);
    merge_up_to(merge, 1000);
    char expected[2048] = "";
    for (int i = 0; i < 100; i++)
        sprintf(expected + strlen(expected), "%s%d:%d", i ? " " : "", i % 2 + 1, i);
    assert_string_equal(log.text, expected);
    merge_free(merge);
}

static void garbage_drops_its_stream_only(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct trace_error error = {.reason = ""};
    struct merge *const merge = new_merge(&log, 2);
    assert_false(merge_is_broken(merge, &error));
    add_bytes(merge, 1, "\x93\x18\x05\x01\xc1\x93\x18\x01\x01", 9, false);
    ADD(merge, 1, 8);
    ADD(merge, 2, 9);
    merge_finish(merge);
    assert_string_equal(log.text, "1:5 2:9 0. 1. 2.");
    assert_true(merge_is_broken(merge, &error));
    assert_int_equal(error.offset_bytes, 1004);
    merge_free(merge);
}

static void half_a_record_is_a_fault_unless_the_trace_ends_there(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct log log = {.text = ""};
        struct trace_error error;
        struct merge *const merge = new_merge(&log, 1);
        add_bytes(merge, 1, "\x93\x18\x05\x01\x93\x18", 6, cut);
        merge_finish(merge);
        assert_string_equal(log.text, "1:5 0. 1.");
        assert_int_equal(merge_is_broken(merge, &error), !cut);
        merge_free(merge);
    }
}

static void padding_and_unknown_records_are_passed_over(void **state)
{
    (void)state;
    struct log log = {.text = ""};
    struct trace_error error;
    struct merge *const merge = new_merge(&log, 1);
    add_bytes(merge, 1, "\xc0\xc0\x92\x3f\x01\x93\x18\x05\x01\xc0\xc0", 11, false);
    add_bytes(merge, 1, "\xc0", 1, false);
    merge_finish(merge);
    assert_string_equal(log.text, "1:5 0. 1.");
    assert_false(merge_is_broken(merge, &error));
    merge_free(merge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_come_out_by_time),
        cmocka_unit_test(equal_stamps_go_by_stream),
        cmocka_unit_test(nodes_follow_the_record_before_them),
        cmocka_unit_test(stream_ends_once_it_is_empty),
        cmocka_unit_test(late_record_comes_out_at_once),
        cmocka_unit_test(long_chunks_keep_their_order),
        cmocka_unit_test(garbage_drops_its_stream_only),
        cmocka_unit_test(half_a_record_is_a_fault_unless_the_trace_ends_there),
        cmocka_unit_test(padding_and_unknown_records_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
