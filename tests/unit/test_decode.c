/* SPDX-License-Identifier: MIT */
/* Which records come off a file, and how what is wrong is told. */
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

#include "reader/decode.h"
#include "tests/support/trace_writer.h"

static struct decoder *open_bytes(const void *bytes, size_t n_bytes, int *fd_out)
{
    char path[64];
    struct decoder *decoder = NULL;
    struct trace_error error;
    *fd_out = trace_file(bytes, n_bytes, path);
    assert_int_equal(decode_open(path, &decoder, &error), 0);
    return decoder;
}

static void records_come_in_order_with_their_bytes(void **state)
{
    (void)state;
    static const uint8_t tags[] = {TRACE_HEADER, TRACE_CLOCK, TRACE_CHUNK, TRACE_WATERMARK,
                                   TRACE_RSS};
    struct trace_bytes trace = trace_write("clock 1 2 3\n1 free 5 16\n1 free 6 16\nwatermark 9\n"
                                           "rss 9 1 4096\n");
    struct decode_item item;
    struct trace_error error = {.reason = ""};
    int fd;
    struct decoder *const decoder = open_bytes(trace.bytes, trace.n_bytes, &fd);
    for (size_t i = 0; i < sizeof tags; i++) {
        assert_int_equal(decode_next(decoder, &item, &error), 1);
        assert_int_equal(item.record.tag, tags[i]);
        assert_memory_equal(item.bytes, trace.bytes + item.offset, item.n_bytes);
        if (tags[i] == TRACE_CHUNK) {
            assert_int_equal(item.payload_bytes, item.record.chunk.n_bytes);
            assert_memory_equal(item.payload, trace.bytes + item.payload_offset,
                                item.payload_bytes);
            assert_int_equal(item.payload_offset, item.offset + item.n_bytes);
            free(item.payload);
        }
    }
    assert_int_equal(decode_next(decoder, &item, &error), 0);
    assert_int_equal(decode_next(decoder, &item, &error), 0);
    decode_close(decoder);
    close(fd);
    free(trace.bytes);
}

static void cut_chunk_gives_what_is_there_then_the_cut(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write("1 free 5 16\n1 free 6 16\n");
    struct decode_item item;
    struct trace_error error = {.reason = ""};
    int fd;
    struct decoder *const decoder = open_bytes(trace.bytes, trace.n_bytes - 3, &fd);
    assert_int_equal(decode_next(decoder, &item, &error), 1);
    assert_int_equal(decode_next(decoder, &item, &error), 1);
    assert_int_equal(item.payload_bytes, item.record.chunk.n_bytes - 3);
    free(item.payload);
    assert_int_equal(decode_next(decoder, &item, &error), 0);
    decode_close(decoder);
    close(fd);
    free(trace.bytes);
}

/* What follows a header, and what is said of it. */
static void faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t n_bytes;
        int result;
        const char *reason;
    } rows[] = {
        {"no array", "\x05", 1, -EBADMSG, "what stands here is no record"},
        {"a ring's record outside a chunk", "\x93\x18\x05\x01", 4, -EBADMSG,
         "what stands here is no record"},
        {"half a record", "\x92\x45", 2, -EBADMSG, "the file ends inside a record"},
        {"padding only", "\xc0\xc0\xc0", 3, 0, ""},
        {"a chunk too big", "\x96\x44\x01\xce\xff\xff\xff\xff\x01\x00\x00", 11, -EBADMSG,
         "a chunk claims too many bytes"},
        {"a text longer than there is", "\x93\x50\x01\xdb\x7f\xff\xff\xff", 8, -EBADMSG,
         "the file ends inside a record"},
        {"a tag from later", "\x92\x7f\x01", 3, 1, ""},
    };
    static const uint8_t header[] = "\x95\x40\xaeheapwise-trace\x01\x00\xa1x";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[128];
        struct decode_item item;
        struct trace_error error = {.reason = ""};
        int fd;
        memcpy(bytes, header, sizeof header - 1);
        memcpy(bytes + sizeof header - 1, rows[i].bytes, rows[i].n_bytes);
        struct decoder *const decoder = open_bytes(bytes, sizeof header - 1 + rows[i].n_bytes, &fd);
        assert_int_equal(decode_next(decoder, &item, &error), 1);
        const int result = decode_next(decoder, &item, &error);
        if (result != rows[i].result || strcmp(error.reason, rows[i].reason) != 0)
            fail_msg("%s: %d, %s", rows[i].name, result, error.reason);
        decode_close(decoder);
        close(fd);
    }
}

/* A gigabyte of nothing, a few kilobytes long: it must pass without room for it. */
static void bomb_of_padding_needs_no_room(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write("");
    struct trace_bytes bomb = {malloc(trace.n_bytes + (64 << 20)), trace.n_bytes + (64 << 20)};
    memcpy(bomb.bytes, trace.bytes, trace.n_bytes);
    memset(bomb.bytes + trace.n_bytes, 0xc0, 64 << 20);
    struct trace_bytes packed = trace_compress(&bomb, 1);
    struct decode_item item;
    struct trace_error error = {.reason = ""};
    int fd;
    struct decoder *const decoder = open_bytes(packed.bytes, packed.n_bytes, &fd);
    assert_int_equal(decode_next(decoder, &item, &error), 1);
    assert_int_equal(decode_next(decoder, &item, &error), 0);
    decode_close(decoder);
    close(fd);
    free(trace.bytes);
    free(bomb.bytes);
    free(packed.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_with_their_bytes),
        cmocka_unit_test(cut_chunk_gives_what_is_there_then_the_cut),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(bomb_of_padding_needs_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
