/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/scribe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/trace_walk.h"
#include "trace/session_layout.h"

static char path[] = "/tmp/heapwise-scribe-XXXXXX";

/* Write what `write` writes into a file, read its first record back. */
static void round_trip(int (*write)(struct compress *out), struct trace_walk *walk)
{
    const struct trace_file_limits limits = {UINT64_MAX, UINT64_MAX};
    struct trace_file file;
    assert_int_equal(trace_file_open(&file, path, true, &limits), 0);
    struct compress *const out = compress_new(&file);
    assert_int_equal(write(out), 0);
    assert_int_equal(compress_end_frame(out), 0);
    compress_free(out);
    trace_file_close(&file);
    trace_walk_open(walk, path);
    assert_true(trace_walk_next(walk));
}

static bool text_is(const struct unpack_text *text, const char *wanted)
{
    return text->n_bytes == strlen(wanted) && memcmp(text->bytes, wanted, text->n_bytes) == 0;
}

static int write_clock(struct compress *out)
{
    return scribe_clock(out, &(struct ticks_moment){UINT64_MAX, 5, -7});
}
static int write_stream(struct compress *out)
{
    return scribe_stream(out, 9, 3, 4194303, 4194304, 1);
}
static int write_end_unknown(struct compress *out)
{
    return scribe_process_end(out, 8, 77, NULL);
}
static int write_end_known(struct compress *out)
{
    return scribe_process_end(out, 8, 77, &(int){0x8b});
}
static int write_lost(struct compress *out)
{
    return scribe_lost(out, 2, UINT64_C(1) << 40, TRACE_LOSS_NESTED);
}
static int write_unattached(struct compress *out)
{
    return scribe_unattached(out, 1, 0, TRACE_UNATTACHED_STATIC, "/bin/\xff");
}
static int write_rss(struct compress *out)
{
    return scribe_rss(out, 1, 55, UINT64_C(1) << 34);
}
static int write_object(struct compress *out)
{
    return scribe_object(out, 4, 5, "00ff");
}

static void numbers_come_back(void **state)
{
    struct trace_walk walk;
    (void)state;
    round_trip(scribe_header, &walk);
    assert_int_equal(walk.record.header.major, TRACE_VERSION_MAJOR);
    trace_walk_close(&walk);
    round_trip(write_clock, &walk);
    assert_true(walk.record.ticks == UINT64_MAX && walk.record.clock.realtime_ns == -7);
    trace_walk_close(&walk);
    round_trip(write_stream, &walk);
    assert_int_equal(walk.record.stream.tid, 4194304);
    assert_int_equal(walk.record.stream.ring, 1);
    trace_walk_close(&walk);
    round_trip(write_end_unknown, &walk);
    assert_false(walk.record.exit.has_status);
    trace_walk_close(&walk);
    round_trip(write_end_known, &walk);
    assert_int_equal(walk.record.exit.wait_status, 0x8b);
    trace_walk_close(&walk);
    round_trip(write_lost, &walk);
    assert_int_equal(walk.record.lost.n_events, UINT64_C(1) << 40);
    trace_walk_close(&walk);
    round_trip(write_unattached, &walk);
    assert_true(text_is(&walk.record.unattached.path, "/bin/\xff"));
    trace_walk_close(&walk);
    round_trip(write_rss, &walk);
    assert_int_equal(walk.record.rss.bytes, UINT64_C(1) << 34);
    trace_walk_close(&walk);
    round_trip(write_object, &walk);
    assert_true(text_is(&walk.record.object.build_id, "00ff"));
    trace_walk_close(&walk);
}

static int write_long_text(struct compress *out)
{
    static char text[9000];
    memset(text, 'x', sizeof text - 1);
    /* A three-byte character across the limit must not be cut in two. */
    memcpy(text + TRACE_MAX_TEXT_BYTES - 1, "\xe2\x82\xac", 3);
    return scribe_string(out, 1, text);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct trace_walk walk;
    (void)state;
    round_trip(write_long_text, &walk);
    assert_int_equal(walk.record.string.text.n_bytes, TRACE_MAX_TEXT_BYTES - 1);
    trace_walk_close(&walk);
}

static int write_run_with_everything(struct compress *out)
{
    static char *command[3000];
    static char text[70000];
    memset(text, 'y', sizeof text - 1);
    for (size_t i = 0; i + 1 < sizeof command / sizeof *command; i++)
        command[i] = i % 500 ? "x" : text;
    const struct scribe_run run = {
        .command = command, .folder = text, .kernel = "", .libc = "", .cpu = text};
    return scribe_run(out, &run);
}

static void a_monstrous_command_fits(void **state)
{
    struct trace_walk walk;
    struct unpack_text key;
    uint32_t n;
    (void)state;
    round_trip(write_run_with_everything, &walk);
    struct unpack_cursor pairs = walk.record.map.pairs;
    assert_int_equal(walk.record.map.n_pairs, 13);
    assert_int_equal(unpack_text(&pairs, &key), 0);
    assert_true(text_is(&key, "command"));
    assert_int_equal(unpack_array(&pairs, &n), 0);
    assert_int_equal(n, TRACE_MAX_ARGUMENTS);
    trace_walk_close(&walk);
}

static uint32_t run_depth, run_flags;

static int write_run(struct compress *out)
{
    static char *command[] = {NULL};
    const struct scribe_run run = {.command = command,
                                   .folder = "",
                                   .kernel = "",
                                   .libc = "",
                                   .cpu = "",
                                   .depth = run_depth,
                                   .flags = run_flags};
    return scribe_run(out, &run);
}

static uint64_t number_of(const struct record *record, const char *key)
{
    struct unpack_cursor pairs = record->map.pairs;
    for (uint32_t i = 0; i < record->map.n_pairs; i++) {
        struct unpack_text name;
        uint64_t number;
        assert_int_equal(unpack_text(&pairs, &name), 0);
        if (text_is(&name, key) && unpack_uint(&pairs, &number) == 0)
            return number;
        assert_int_equal(unpack_skip(&pairs, TRACE_MAX_NESTING), 0);
    }
    return UINT64_MAX;
}

static void a_run_says_which_releases_have_stacks(void **state)
{
    static const struct {
        uint32_t depth, flags, free_stacks;
    } rows[] = {{128, 0, TRACE_FREES_SAMPLED},
                {128, SESSION_FREE_STACKS, 1},
                {0, 0, 0},
                {0, SESSION_FREE_STACKS, 0},
                {128, SESSION_NO_ALLOC, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trace_walk walk;
        run_depth = rows[i].depth;
        run_flags = rows[i].flags;
        round_trip(write_run, &walk);
        assert_true(number_of(&walk.record, "free_stacks") == rows[i].free_stacks);
        trace_walk_close(&walk);
    }
}

static int write_symbol(struct compress *out)
{
    struct record_frame frames[100];
    for (uint32_t i = 0; i < 100; i++)
        frames[i] = (struct record_frame){i, UINT32_MAX, i, i % 2};
    return scribe_symbol(out, 1, 0x1234, frames, 100);
}

static void deep_inlining_is_cut(void **state)
{
    struct trace_walk walk;
    struct record_frame frame;
    (void)state;
    round_trip(write_symbol, &walk);
    assert_int_equal(walk.record.symbol.n_frames, 64);
    assert_int_equal(record_next_frame(&walk.record.symbol.frames, &frame), 0);
    assert_int_equal(record_next_frame(&walk.record.symbol.frames, &frame), 0);
    assert_true(frame.inlined && frame.function == 1 && frame.file == UINT32_MAX);
    trace_walk_close(&walk);
}

static int write_end(struct compress *out)
{
    return scribe_end(out, &(struct scribe_end){.ticks = 5, .n_events = 6, .has_status = true});
}

static void the_end_names_its_totals(void **state)
{
    struct trace_walk walk;
    struct unpack_text key;
    uint64_t value;
    (void)state;
    round_trip(write_end, &walk);
    assert_int_equal(walk.record.map.n_pairs, 5);
    assert_int_equal(unpack_text(&walk.record.map.pairs, &key), 0);
    assert_true(text_is(&key, "events"));
    assert_int_equal(unpack_uint(&walk.record.map.pairs, &value), 0);
    assert_int_equal(value, 6);
    trace_walk_close(&walk);
}

static int make_path(void **state)
{
    (void)state;
    return close(mkstemp(path));
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_monstrous_command_fits),
        cmocka_unit_test(a_run_says_which_releases_have_stacks),
        cmocka_unit_test(deep_inlining_is_cut),
        cmocka_unit_test(the_end_names_its_totals),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
