/* SPDX-License-Identifier: MIT */
/* How bytes arrive, from whole, cut and damaged files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reader/source.h"
#include "tests/support/trace_writer.h"

/* Read all of a file of these bytes, `step` bytes at a time; give the stream's end and its length. */
static enum source_end read_all(const void *bytes, size_t n_bytes, size_t step, uint8_t *out,
                                size_t *n_out)
{
    char path[64];
    const int fd = trace_file(bytes, n_bytes, path);
    struct source *source;
    assert_int_equal(source_open(path, &source), 0);
    *n_out = 0;
    for (;;) {
        const uint8_t *piece;
        const size_t there = source_peek(source, step, &piece);
        const size_t n = there < step ? there : step;
        if (n == 0)
            break;
        memcpy(out + *n_out, piece, n);
        *n_out += n;
        source_take(source, n);
        assert_int_equal(source_offset(source), *n_out);
    }
    const enum source_end end = source_end(source);
    assert_int_equal(source_is_empty(source), n_bytes == 0);
    source_close(source);
    close(fd);
    return end;
}

static struct trace_bytes pattern(size_t n_bytes)
{
    struct trace_bytes bytes = {malloc(n_bytes), n_bytes};
    for (size_t i = 0; i < n_bytes; i++)
        bytes.bytes[i] = (uint8_t)(i * 7 + i / 1000);
    return bytes;
}

static void plain_and_compressed_files_give_the_same_bytes(void **state)
{
    (void)state;
    static const size_t steps[] = {1000, 65536, 300000};
    struct trace_bytes plain = pattern(1000000);
    struct trace_bytes packed = trace_compress(&plain, 4);
    uint8_t *const out = malloc(plain.n_bytes + 1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t n;
        assert_int_equal(read_all(plain.bytes, plain.n_bytes, steps[i], out, &n), SOURCE_WHOLE);
        assert_int_equal(n, plain.n_bytes);
        assert_memory_equal(out, plain.bytes, n);
        memset(out, 0, n);
        assert_int_equal(read_all(packed.bytes, packed.n_bytes, steps[i], out, &n), SOURCE_WHOLE);
        assert_int_equal(n, plain.n_bytes);
        assert_memory_equal(out, plain.bytes, n);
    }
    free(out);
    free(plain.bytes);
    free(packed.bytes);
}

static void cut_frame_gives_what_is_there(void **state)
{
    (void)state;
    struct trace_bytes plain = pattern(600000);
    struct trace_bytes packed = trace_compress(&plain, 2);
    uint8_t *const out = malloc(plain.n_bytes + 1);
    for (size_t n = 1; n < packed.n_bytes; n += 97) {
        size_t n_read;
        const enum source_end end = read_all(packed.bytes, n, 4096, out, &n_read);
        assert_true(end == SOURCE_CUT || end == SOURCE_WHOLE);
        assert_true(n_read < plain.n_bytes);
        assert_memory_equal(out, plain.bytes, n_read);
    }
    free(out);
    free(plain.bytes);
    free(packed.bytes);
}

static void what_follows_a_frame_and_is_none_is_damage(void **state)
{
    (void)state;
    struct trace_bytes plain = pattern(1000);
    struct trace_bytes packed = trace_compress(&plain, 1);
    uint8_t *const bytes = malloc(packed.n_bytes + 8);
    uint8_t out[2000];
    size_t n;
    memcpy(bytes, packed.bytes, packed.n_bytes);
    memcpy(bytes + packed.n_bytes, "garbage!", 8);
    assert_int_equal(read_all(bytes, packed.n_bytes + 8, 100, out, &n), SOURCE_BROKEN);
    assert_int_equal(n, 1000);
    free(bytes);
    free(plain.bytes);
    free(packed.bytes);
}

static void damaged_frame_is_told(void **state)
{
    (void)state;
    struct trace_bytes plain = pattern(100000);
    struct trace_bytes packed = trace_compress(&plain, 1);
    uint8_t *const out = malloc(plain.n_bytes + 1);
    size_t n;
    packed.bytes[4] = 0xff; /* the frame's descriptor */
    assert_int_not_equal(read_all(packed.bytes, packed.n_bytes, 4096, out, &n), SOURCE_WHOLE);
    free(out);
    free(plain.bytes);
    free(packed.bytes);
}

static void empty_file_is_empty_and_missing_ones_are_errors(void **state)
{
    (void)state;
    uint8_t out[1];
    size_t n;
    struct source *source;
    assert_int_equal(read_all("", 0, 1, out, &n), SOURCE_WHOLE);
    assert_int_equal(source_open("/nonexistent", &source), -ENOENT);
    assert_int_equal(source_open("/tmp", &source), -EISDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_compressed_files_give_the_same_bytes),
        cmocka_unit_test(cut_frame_gives_what_is_there),
        cmocka_unit_test(what_follows_a_frame_and_is_none_is_damage),
        cmocka_unit_test(damaged_frame_is_told),
        cmocka_unit_test(empty_file_is_empty_and_missing_ones_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
