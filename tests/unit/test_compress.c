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
        assert_int_equal(trace_walk_count(path, TRACE_STRING), i); /* no frame has ended yet */
    }
    assert_int_equal(compress_flush(compress), 0);
    const uint64_t n_bytes = file.n_bytes;
    assert_int_equal(compress_flush(compress), 0);
    assert_int_equal(file.n_bytes, n_bytes); /* nothing to flush costs nothing */
    close_stream(&file, compress);
}

static void frames_end_by_themselves(void **state)
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
static void a_torn_write_costs_one_frame(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_flushed_can_be_read),
        cmocka_unit_test(frames_end_by_themselves),
        cmocka_unit_test(a_refused_write_leaves_the_stream_whole),
        cmocka_unit_test(near_a_limit_there_is_room_for_less),
        cmocka_unit_test(a_torn_write_costs_one_frame),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
