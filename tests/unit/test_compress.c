/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/scribe.h"
#include "collector/ticks.h"
#include "tests/support/trace_walk.h"

static char path[] = "/tmp/heapwise-compress-XXXXXX";
static const struct trace_file_limits no_limits = {UINT64_MAX, UINT64_MAX};

static int make_path(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static struct compress *open_stream(struct trace_file *file, const struct trace_file_limits *limits)
{
    assert_int_equal(trace_file_open(file, path, true, limits), 0);
    struct compress *const compress = compress_new(file);
    assert_non_null(compress);
    return compress;
}

static void close_stream(struct trace_file *file, struct compress *compress)
{
    compress_free(compress);
    trace_file_close(file);
}

/* Strings that compress badly: one record each. */
static int write_noise(struct compress *compress, uint32_t id)
{
    char text[1024];
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)('0' + random() % 64);
    text[sizeof text - 1] = 0;
    return scribe_string(compress, id, text);
}

static void what_was_flushed_can_be_read(void **state)
{
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    (void)state;
    for (uint32_t i = 1; i <= 10; i++) {
        assert_int_equal(write_noise(compress, i), 0);
        assert_int_equal(compress_flush(compress), 0);
        assert_int_equal(trace_walk_count(path, TRACE_STRING), i); /* no frame was full yet */
    }
    assert_int_equal(compress_flush(compress), 0);
    const uint64_t n_bytes = file.n_bytes;
    assert_int_equal(compress_flush(compress), 0);
    assert_int_equal(file.n_bytes, n_bytes); /* nothing to flush costs nothing */
    close_stream(&file, compress);
}

static void the_file_is_safe_every_few_mib(void **state)
{
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    uint32_t n = 0;
    (void)state;
    while (file.n_whole_bytes == 0 && n < 100000)
        assert_int_equal(write_noise(compress, ++n), 0);
    assert_true(file.n_whole_bytes > 4000000);
    assert_int_equal(compress_end_frame(compress), 0);
    assert_int_equal(compress_end_frame(compress), 0);
    assert_int_equal(trace_walk_count(path, TRACE_STRING), n);
    close_stream(&file, compress);
}

static void a_refused_write_leaves_the_stream_whole(void **state)
{
    static const uint64_t limits_bytes[] = {65536, 200000, 1000000, 6000000};
    (void)state;
    for (size_t i = 0; i < sizeof limits_bytes / sizeof *limits_bytes; i++) {
        const struct trace_file_limits limits = {limits_bytes[i], UINT64_MAX};
        struct trace_file file;
        struct compress *const compress = open_stream(&file, &limits);
        uint32_t n = 0;
        bool cut;
        while (write_noise(compress, n + 1) == 0)
            n++;
        assert_int_equal(compress_error(compress), -EFBIG);
        assert_int_equal(write_noise(compress, 1), -EFBIG); /* the error stays */
        assert_int_equal(compress_stop(compress, &cut), 0);
        assert_false(cut);
        assert_int_equal(scribe_stopped(compress, 1, TRACE_STOP_MAX_SIZE), 0);
        assert_int_equal(compress_end_frame(compress), 0);
        assert_int_equal(trace_walk_count(path, TRACE_STRING), n);
        assert_int_equal(trace_walk_count(path, TRACE_STOPPED), 1);
        assert_true(file.n_bytes <= limits_bytes[i]);
        assert_true(n * 700 > limits_bytes[i] / 4); /* most of the room was used */
        close_stream(&file, compress);
    }
}

/* A file system that cannot allocate ahead: the write fails when it is too late. */
static void a_torn_write_costs_what_was_not_safe(void **state)
{
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    bool cut = false;
    (void)state;
    for (uint32_t i = 1; i <= 100; i++)
        assert_int_equal(write_noise(compress, i), 0);
    assert_int_equal(compress_end_frame(compress), 0);
    for (uint32_t i = 101; i <= 150; i++)
        assert_int_equal(write_noise(compress, i), 0);
    compress_flush(compress);
    write_noise(compress, 151);
    const int good_fd = file.fd;
    file.fd = -1;
    assert_int_equal(compress_flush(compress), -EBADF);
    file.fd = good_fd;
    assert_int_equal(compress_stop(compress, &cut), 0);
    assert_true(cut);
    assert_int_equal(scribe_stopped(compress, 1, TRACE_STOP_IO_ERROR), 0);
    assert_int_equal(compress_end_frame(compress), 0);
    assert_int_equal(trace_walk_count(path, TRACE_STRING), 100);
    assert_int_equal(trace_walk_count(path, TRACE_STOPPED), 1);
    close_stream(&file, compress);
}

static void near_a_limit_there_is_room_for_less(void **state)
{
    enum { WANTED = 256 * 1024, LIMIT = 128 * 1024 };
    const struct trace_file_limits limits = {LIMIT, UINT64_MAX};
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &limits);
    static char noise[WANTED];
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)random();
    const size_t n_room = compress_room(compress, WANTED);
    assert_in_range(n_room, COMPRESS_LEAST_BYTES, LIMIT);
    for (size_t n = n_room; n < WANTED; n = compress_room(compress, WANTED))
        assert_int_equal(compress_write(compress, noise, n), 0);
    assert_in_range(file.n_bytes, LIMIT / 2, LIMIT);
    assert_int_equal(compress_write(compress, noise, WANTED), -EFBIG);
    close_stream(&file, compress);
}

/* A chunk of so many frees, put where it will be compressed. */
static int commit_chunk(struct compress *compress, uint32_t stream, size_t n_records, uint64_t mark)
{
    static const uint8_t record[] = {0x93, 0x18, 0x02, 0x00};
    const size_t n_bytes = n_records * sizeof record;
    uint8_t *const reserved = compress_reserve(compress, SCRIBE_CHUNK_HEAD_BYTES + n_bytes);
    const struct record head = {.chunk = {.stream = stream,
                                          .n_bytes = (uint32_t)n_bytes,
                                          .n_records = n_records,
                                          .base = {stream, UINT64_MAX}}};
    for (size_t i = 0; i < n_bytes; i += sizeof record)
        memcpy(reserved + SCRIBE_CHUNK_HEAD_BYTES + i, record, sizeof record);
    return scribe_chunk(compress, &head, reserved, mark);
}

static void what_was_put_in_place_is_read_in_order(void **state)
{
    enum { N_CHUNKS = 60, N_MOST = (COMPRESS_MOST_BYTES - SCRIBE_CHUNK_HEAD_BYTES) / 4 };
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    struct trace_walk walk;
    uint64_t n_frees = 0;
    uint32_t n_chunks = 0;
    (void)state;
    for (uint32_t i = 1; i <= N_CHUNKS; i++) {
        /* Both ways of compressing, in turn. */
        pace_note_fill(compress_pace(compress), i % 8 < 4, 1, ticks_monotonic_ns());
        compress_reserve(compress, COMPRESS_MOST_BYTES)[0] = 0xff; /* and left */
        assert_int_equal(commit_chunk(compress, i, (size_t)N_MOST * i / N_CHUNKS, i), 0);
        n_frees += (uint64_t)N_MOST * i / N_CHUNKS;
        assert_int_equal(write_noise(compress, i), 0);
        assert_int_equal(compress_mark(compress), i);
    }
    assert_int_equal(compress_flush(compress), 0);
    trace_walk_open(&walk, path);
    while (trace_walk_next(&walk)) {
        n_frees -= walk.record.tag == TRACE_FREE;
        if (walk.record.tag == TRACE_CHUNK)
            assert_int_equal(walk.record.chunk.stream, ++n_chunks);
    }
    assert_int_equal(n_frees, 0);
    assert_int_equal(n_chunks, N_CHUNKS);
    trace_walk_close(&walk);
    close_stream(&file, compress);
}

/* What is gathered has to be written first, and the reserved bytes move to the front. */
static void a_chunk_is_taken_where_only_a_flush_makes_room(void **state)
{
    const struct trace_file_limits limits = {600 * 1024, UINT64_MAX};
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &limits);
    uint32_t n = 0;
    (void)state;
    while (n < 100 && commit_chunk(compress, n + 1, 30000, n + 1) == 0)
        n++;
    assert_int_equal(n, 100);
    assert_int_equal(compress_end_frame(compress), 0);
    assert_int_equal(trace_walk_count(path, TRACE_CHUNK), 100);
    assert_int_equal(trace_walk_count(path, TRACE_FREE), 100 * 30000);
    close_stream(&file, compress);
}

static void a_long_write_is_one_frame(void **state)
{
    enum { N_BYTES = 3 * COMPRESS_MOST_BYTES };
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    uint8_t *const padding = malloc(N_BYTES);
    (void)state;
    memset(padding, 0xc0, N_BYTES);
    assert_int_equal(write_noise(compress, 1), 0);
    assert_int_equal(compress_write(compress, padding, N_BYTES), 0);
    assert_int_equal(write_noise(compress, 2), 0);
    assert_int_equal(compress_flush(compress), 0);
    assert_int_equal(trace_walk_count(path, TRACE_STRING), 2);
    free(padding);
    close_stream(&file, compress);
}

static void the_mark_tells_what_a_cut_left(void **state)
{
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    bool cut;
    (void)state;
    assert_int_equal(commit_chunk(compress, 1, 100, 100), 0);
    assert_int_equal(compress_end_frame(compress), 0);
    assert_int_equal(commit_chunk(compress, 1, 100, 200), 0);
    const int good_fd = file.fd;
    file.fd = -1;
    assert_int_equal(compress_flush(compress), -EBADF);
    file.fd = good_fd;
    assert_int_equal(compress_mark(compress), 200);
    assert_int_equal(compress_stop(compress, &cut), 0);
    assert_int_equal(compress_mark(compress), 100);
    close_stream(&file, compress);
}

/* A pass of the drain goes on to its end, whatever was refused in its middle. */
static void after_a_torn_write_there_is_room_to_go_on(void **state)
{
    struct trace_file file;
    struct compress *const compress = open_stream(&file, &no_limits);
    uint8_t *const first = compress_reserve(compress, COMPRESS_MOST_BYTES);
    uint32_t n = 0;
    bool cut;
    (void)state;
    const int good_fd = file.fd;
    file.fd = -1;
    while (compress_error(compress) == 0 && ++n < 10000)
        commit_chunk(compress, 1, 60000, n); /* the last one makes a frame full */
    assert_int_equal(compress_error(compress), -EBADF);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(write_noise(compress, i), -EBADF);
        assert_ptr_equal(compress_reserve(compress, COMPRESS_MOST_BYTES), first);
        memset(first, 0, COMPRESS_MOST_BYTES);
        assert_int_equal(compress_commit(compress, COMPRESS_MOST_BYTES, ++n), -EBADF);
    }
    file.fd = good_fd;
    assert_int_equal(compress_stop(compress, &cut), 0);
    assert_int_equal(compress_mark(compress), 0);
    close_stream(&file, compress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_flushed_can_be_read),
        cmocka_unit_test(the_file_is_safe_every_few_mib),
        cmocka_unit_test(a_refused_write_leaves_the_stream_whole),
        cmocka_unit_test(near_a_limit_there_is_room_for_less),
        cmocka_unit_test(a_torn_write_costs_what_was_not_safe),
        cmocka_unit_test(what_was_put_in_place_is_read_in_order),
        cmocka_unit_test(a_chunk_is_taken_where_only_a_flush_makes_room),
        cmocka_unit_test(a_long_write_is_one_frame),
        cmocka_unit_test(the_mark_tells_what_a_cut_left),
        cmocka_unit_test(after_a_torn_write_there_is_room_to_go_on),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
