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
    struct batch batch;
    struct outlet outlet;
};

/* One event as the tests expect it: "stream:ticks", "stream n id" of a node, "stream." at the end. */
static void log_event(struct log *log, const struct event *event)
{
    const size_t n = strlen(log->text);
    const bool is_node = event->kind == EVENT_SHORT && event->tag == TRACE_NODE;
    if (event->kind == EVENT_OVER)
        snprintf(log->text + n, sizeof log->text - n, "%s%u.", n ? " " : "",
                 (unsigned)event->stream);
    else
        snprintf(log->text + n, sizeof log->text - n, "%s%u%s%d", n ? " " : "",
                 (unsigned)event->stream, is_node ? "n" : ":",
                 (int)(is_node ? event->node : event->ticks));
}

static int log_batch(struct outlet *outlet)
{
    struct log *const log = outlet->context;
    for (uint32_t i = 0; i < outlet->batch->n_events; i++)
        log_event(log, &outlet->batch->events[i]);
    batch_clear(outlet->batch);
    return 0;
}

/* What came out since it was last emptied. */
static const char *text_of(struct log *log)
{
    log_batch(&log->outlet);
    return log->text;
}

static struct merge *new_merge(struct log *log, uint32_t n_streams)
{
    log->text[0] = 0;
    assert_int_equal(batch_init(&log->batch), 0);
    log->outlet = (struct outlet){.batch = &log->batch, .context = log, .pass = log_batch};
    struct merge *const merge = merge_new(&log->outlet);
    for (uint32_t i = 1, number; i <= n_streams; i++) {
        assert_int_equal(merge_add_stream(merge, &number), 0);
        assert_int_equal(number, i);
    }
    return merge;
}

static void free_merge(struct log *log, struct merge *merge)
{
    merge_free(merge);
    batch_fini(&log->batch);
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
    struct log log;
    struct merge *const merge = new_merge(&log, 3);
    ADD(merge, 1, 1, 5, 9);
    ADD(merge, 2, 2, 3, 20);
    ADD(merge, 3, 4, 4, 4);
    assert_string_equal(text_of(&log), "");
    assert_int_equal(merge_up_to(merge, 9), 0);
    assert_string_equal(text_of(&log), "1:1 2:2 2:3 3:4 3:4 3:4 1:5");
    log.text[0] = 0;
    ADD(merge, 3, 10);
    ADD(merge, 1, 11);
    assert_int_equal(merge_finish(merge), 0);
    assert_string_equal(text_of(&log), "1:9 3:10 1:11 2:20 0. 1. 2. 3.");
    free_merge(&log, merge);
}

static void equal_stamps_go_by_stream(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 3);
    ADD(merge, 3, 5);
    ADD(merge, 2, 5, 5);
    ADD(merge, 1, 5);
    merge_up_to(merge, 6);
    assert_string_equal(text_of(&log), "1:5 2:5 2:5 3:5");
    free_merge(&log, merge);
}

static void nodes_follow_the_record_before_them(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, -1, 5, -2, -3, 9);
    ADD(merge, 2, 4, 7);
    merge_finish(merge);
    assert_string_equal(text_of(&log), "1n1 2:4 1:5 1n2 1n3 2:7 1:9 0. 1. 2.");
    free_merge(&log, merge);
}

static void stream_ends_once_it_is_empty(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, 5);
    merge_end_stream(merge, 1);
    merge_end_stream(merge, 2);
    ADD(merge, 2, 3); /* after its end: nobody's */
    merge_up_to(merge, 6);
    assert_string_equal(text_of(&log), "2. 1:5 1.");
    free_merge(&log, merge);
}

static void late_record_comes_out_at_once(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 2);
    ADD(merge, 1, 50);
    merge_up_to(merge, 60);
    ADD(merge, 2, 10);
    ADD(merge, 1, 70);
    merge_up_to(merge, 71);
    assert_string_equal(text_of(&log), "1:50 2:10 1:70");
    free_merge(&log, merge);
}

static void long_chunks_keep_their_order(void **state)
{
    (void)state;
    struct log log;
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
    assert_string_equal(text_of(&log), expected);
    free_merge(&log, merge);
}

static void garbage_drops_its_stream_only(void **state)
{
    (void)state;
    struct log log;
    struct trace_error error = {.reason = ""};
    struct merge *const merge = new_merge(&log, 2);
    assert_false(merge_is_broken(merge, &error));
    add_bytes(merge, 1, "\x93\x18\x05\x01\xc1\x93\x18\x01\x01", 9, false);
    ADD(merge, 1, 8);
    ADD(merge, 2, 9);
    merge_finish(merge);
    assert_string_equal(text_of(&log), "1:5 2:9 0. 1. 2.");
    assert_true(merge_is_broken(merge, &error));
    assert_int_equal(error.offset_bytes, 1004);
    free_merge(&log, merge);
}

static void half_a_record_is_a_fault_unless_the_trace_ends_there(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct log log;
        struct trace_error error;
        struct merge *const merge = new_merge(&log, 1);
        add_bytes(merge, 1, "\x93\x18\x05\x01\x93\x18", 6, cut);
        merge_finish(merge);
        assert_string_equal(text_of(&log), "1:5 0. 1.");
        assert_int_equal(merge_is_broken(merge, &error), !cut);
        free_merge(&log, merge);
    }
}

static void padding_and_unknown_records_are_passed_over(void **state)
{
    (void)state;
    struct log log;
    struct trace_error error;
    struct merge *const merge = new_merge(&log, 1);
    add_bytes(merge, 1, "\xc0\xc0\x92\x3f\x01\x93\x18\x05\x01\xc0\xc0", 11, false);
    add_bytes(merge, 1, "\xc0", 1, false);
    merge_finish(merge);
    assert_string_equal(text_of(&log), "1:5 0. 1.");
    assert_false(merge_is_broken(merge, &error));
    free_merge(&log, merge);
}

/* Those that are not short come with the bytes to decode them by, also where they had to wait. */
static void long_records_keep_their_bytes(void **state)
{
    (void)state;
    struct log log;
    struct record record;
    struct merge *const merge = new_merge(&log, 2);
    static const uint8_t bytes[] = {
        0x93, TRACE_FREE, 5, 1, 0xc0, 0x94, TRACE_THREAD, 2, 9, 0xa1, 't', 0x93, TRACE_FORK, 3, 4};
    add_bytes(merge, 1, bytes, sizeof bytes, false);
    ADD(merge, 2, 6, 8);
    assert_int_equal(merge_finish(merge), 0);
    const struct event *const thread = &log.batch.events[2], *const fork = &log.batch.events[4];
    assert_int_equal(thread->kind, EVENT_LONG);
    assert_int_equal(batch_decode(&log.batch, thread, &record), 0);
    assert_int_equal(record.ticks, 7);
    assert_int_equal(record.thread.tid, 9);
    assert_memory_equal(record.thread.name.bytes, "t", 1);
    assert_int_equal(batch_decode(&log.batch, fork, &record), 0);
    assert_int_equal(record.ticks, 10);
    assert_int_equal(record.fork.id, 4);
    assert_string_equal(text_of(&log), "1:5 2:6 1:7 2:8 1:10 0. 1. 2.");
    free_merge(&log, merge);
}

/* Against the plain way: always the least of all heads, by stream where they are equal. */
static void runs_of_streams_are_as_good_as_single_steps(void **state)
{
    (void)state;
    enum { N_STREAMS = 5, N_RECORDS = 12 };
    uint64_t seed = 7;
    for (int round = 0; round < 200; round++) {
        struct log log;
        struct merge *const merge = new_merge(&log, N_STREAMS);
        int stamps[N_STREAMS][N_RECORDS], at[N_STREAMS] = {0};
        char expected[2048] = "";
        for (int i = 0; i < N_STREAMS; i++) {
            for (int j = 0, ticks = 0; j < N_RECORDS; j++) {
                seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                ticks += (int)(seed >> 60) % (round % 5 + 1) * (i == 1 ? 3 : 1);
                stamps[i][j] = ticks;
            }
            add(merge, (uint32_t)i + 1, stamps[i], N_RECORDS);
        }
        for (int n = 0; n < N_STREAMS * N_RECORDS; n++) {
            int best = -1;
            for (int i = 0; i < N_STREAMS; i++)
                if (at[i] < N_RECORDS && (best < 0 || stamps[i][at[i]] < stamps[best][at[best]]))
                    best = i;
            sprintf(expected + strlen(expected), "%s%d:%d", n ? " " : "", best + 1,
                    stamps[best][at[best]]);
            at[best]++;
        }
        merge_up_to(merge, 30);
        merge_up_to(merge, 1000);
        assert_string_equal(text_of(&log), expected);
        free_merge(&log, merge);
    }
}

static void watermark_stops_streams_that_take_turns(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 3);
    ADD(merge, 1, 1, 3, 5, 7);
    ADD(merge, 2, 2, 4, 6, 8);
    ADD(merge, 3, 20);
    merge_up_to(merge, 6);
    assert_string_equal(text_of(&log), "1:1 2:2 1:3 2:4 1:5");
    ADD(merge, 3, 30);
    merge_up_to(merge, 7);
    ADD(merge, 1, 9);
    merge_finish(merge);
    assert_string_equal(text_of(&log), "1:1 2:2 1:3 2:4 1:5 2:6 1:7 2:8 1:9 3:20 3:30 0. 1. 2. 3.");
    free_merge(&log, merge);
}

/* More streams than take turns at once, records of all kinds, times that go back. */
enum { N_MANY = 20, N_STEPS = 400, N_FEW = 4 };

struct step {
    uint64_t ticks;
    uint32_t stream;
    uint8_t tag;
};

struct steps {
    struct batch batch;
    struct outlet outlet;
    struct step seen[N_MANY * N_STEPS];
    size_t n;
};

static int note_steps(struct outlet *outlet)
{
    struct steps *const steps = outlet->context;
    for (uint32_t i = 0; i < outlet->batch->n_events; i++) {
        const struct event *const event = &outlet->batch->events[i];
        if (event->kind != EVENT_OVER)
            steps->seen[steps->n++] = (struct step){event->ticks, event->stream, event->tag};
    }
    batch_clear(outlet->batch);
    return 0;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* A record of the stream, packed; those of a chunk follow each other. */
static struct step make_step(uint64_t *seed, uint32_t stream, uint64_t *now, uint8_t **at)
{
    const unsigned what = (unsigned)(next_random(seed) % 40);
    if (what == 0) {
        const uint8_t node[] = {0x94, TRACE_NODE, 2, 1, 1};
        memcpy(*at, node, sizeof node);
        *at += sizeof node;
        return (struct step){0, stream, TRACE_NODE};
    }
    const int dt = what == 1 ? -(int)(next_random(seed) % 5) : (int)(next_random(seed) % 6);
    const uint8_t tag = what == 2 ? TRACE_FORK : what == 3 ? TRACE_CALL_TIME : TRACE_FREE;
    const uint8_t record[] = {tag == TRACE_CALL_TIME ? 0x94 : 0x93, tag, 0xd0, (uint8_t)dt, 1, 1};
    const size_t n_bytes = tag == TRACE_CALL_TIME ? 6 : 5;
    memcpy(*at, record, n_bytes);
    *at += n_bytes;
    *now += (uint64_t)(int64_t)dt;
    return (struct step){*now, stream, tag};
}

/* Always the least of all heads, by stream where they are equal; what has no stamp follows at once. */
static size_t sort_plainly(const struct step (*steps)[N_STEPS], uint32_t n_streams,
                           struct step *sorted)
{
    uint32_t at[N_MANY] = {0}, last = N_MANY;
    size_t n = 0;
    for (;;) {
        uint32_t best = N_MANY;
        for (uint32_t i = 0; i < n_streams; i++)
            if (at[i] < N_STEPS &&
                (best == N_MANY || steps[i][at[i]].ticks < steps[best][at[best]].ticks))
                best = i;
        if (last < N_MANY && at[last] < N_STEPS && steps[last][at[last]].tag == TRACE_NODE)
            best = last;
        if (best == N_MANY)
            return n;
        sorted[n++] = steps[best][at[best]++];
        last = best;
    }
}

static void check_turns(struct steps *found, uint32_t n_streams, uint64_t *seed)
{
    static struct step steps[N_MANY][N_STEPS], sorted[N_MANY * N_STEPS];
    static uint8_t bytes[N_STEPS * 8];
    struct merge *const merge = merge_new(&found->outlet);
    for (uint32_t i = 0, number; i < n_streams; i++) {
        uint8_t *at = bytes;
        uint64_t now = 100;
        assert_int_equal(merge_add_stream(merge, &number), 0);
        for (uint32_t j = 0; j < N_STEPS; j++)
            steps[i][j] = make_step(seed, number, &now, &at);
        uint8_t *const copy = malloc((size_t)(at - bytes));
        memcpy(copy, bytes, (size_t)(at - bytes));
        const struct merge_chunk_head head = {.base = {100, 0}};
        assert_int_equal(merge_add_chunk(merge, number, &head, copy, (size_t)(at - bytes)), 0);
    }
    found->n = 0;
    for (uint64_t ticks = 150; ticks < 1500; ticks += 1 + next_random(seed) % 300)
        assert_int_equal(merge_up_to(merge, ticks), 0);
    assert_int_equal(merge_finish(merge), 0);
    note_steps(&found->outlet);
    const size_t n = sort_plainly(steps, n_streams, sorted);
    assert_int_equal(found->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(found->seen[i].ticks, sorted[i].ticks);
        assert_int_equal(found->seen[i].stream, sorted[i].stream);
        assert_int_equal(found->seen[i].tag, sorted[i].tag);
    }
    merge_free(merge);
}

static void turns_of_streams_are_as_good_as_single_steps(void **state)
{
    (void)state;
    struct steps *const found = calloc(1, sizeof *found);
    assert_int_equal(batch_init(&found->batch), 0);
    found->outlet = (struct outlet){.batch = &found->batch, .context = found, .pass = note_steps};
    uint64_t seed = 5;
    for (int round = 0; round < 60; round++)
        check_turns(found, round % 2 ? N_MANY : N_FEW, &seed);
    batch_fini(&found->batch);
    free(found);
}

static int refuse(struct outlet *outlet)
{
    (void)outlet;
    return -ECANCELED;
}

static void refusing_outlet_ends_it(void **state)
{
    (void)state;
    struct log log;
    struct merge *const merge = new_merge(&log, 1);
    log.outlet.pass = refuse;
    for (int i = 0; i <= BATCH_EVENTS; i += 8)
        ADD(merge, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    assert_int_equal(merge_finish(merge), -ECANCELED);
    free_merge(&log, merge);
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
        cmocka_unit_test(long_records_keep_their_bytes),
        cmocka_unit_test(runs_of_streams_are_as_good_as_single_steps),
        cmocka_unit_test(watermark_stops_streams_that_take_turns),
        cmocka_unit_test(turns_of_streams_are_as_good_as_single_steps),
        cmocka_unit_test(refusing_outlet_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
