/* SPDX-License-Identifier: MIT */
/* Which records of a file reach the outlet, in which order, under which stream's number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reader/sequence.h"
#include "tests/support/trace_writer.h"

static int fail_when_full(struct outlet *outlet)
{
    (void)outlet;
    return -ECANCELED;
}

/* "kind-or-name:stream ..." of all that comes. */
static void describe(const struct batch *batch, char *text, size_t n_bytes)
{
    text[0] = 0;
    for (uint32_t i = 0; i < batch->n_events; i++) {
        const struct event *const event = &batch->events[i];
        const size_t n = strlen(text);
        snprintf(text + n, n_bytes - n, "%s%s:%u", n ? " " : "",
                 event->kind == EVENT_OVER ? "over" : record_name(event->tag),
                 (unsigned)event->stream);
    }
}

static void expect(const char *script, size_t n_cut, bool truncated, const char *expected)
{
    struct trace_bytes trace = trace_write(script);
    struct decoder *decoder;
    struct sequence_end end;
    struct trace_error error = {.reason = ""};
    struct batch batch;
    char path[64], text[2048];
    const int fd = trace_file(trace.bytes, trace.n_bytes - n_cut, path);
    assert_int_equal(decode_open(path, &decoder, &error), 0);
    assert_int_equal(batch_init(&batch), 0);
    struct outlet outlet = {.batch = &batch, .pass = fail_when_full};
    assert_int_equal(sequence_send(decoder, &outlet, &end, &error), 0);
    describe(&batch, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(end.truncated, truncated);
    assert_int_equal(end.cut.reason[0] != 0, truncated);
    batch_fini(&batch);
    decode_close(decoder);
    close(fd);
    free(trace.bytes);
}

#define SCRIPT                                                                                     \
    "clock 0 0 0\nstream 7 1 100 100 0\nstream 9 1 100 101 0\n"                                    \
    "9 free 5 0x1000\n7 free 4 0x2000\n7 thread 6 100 t\nrss 5 100 4096\nwatermark 20\n"           \
    "7 free 30 0x1000\nlost 9 3 1\nlost 8 3 1\nstream_end 9 fast=1\nstream_end 8 fast=1\n"         \
    "string 1 x\nend 40 events=0\n"

static void all_comes_once_in_order(void **state)
{
    (void)state;
    expect(SCRIPT, 0, false,
           "header:0 clock:0 stream:1 stream:2 free:1 rss:0 free:2 thread:1 lost:2 lost:0 "
           "stream_end:2 over:2 string:0 end:0 free:1 over:0 over:1");
}

static void cut_is_told(void **state)
{
    (void)state;
    expect(SCRIPT, 1, true,
           "header:0 clock:0 stream:1 stream:2 free:1 rss:0 free:2 thread:1 lost:2 lost:0 "
           "stream_end:2 over:2 string:0 free:1 over:0 over:1");
}

static void stream_named_twice_is_one(void **state)
{
    (void)state;
    expect("stream 3 1 100 100 0\nstream 3 2 200 200 0\n3 free 1 0x10\nend 2 events=0\n", 0, false,
           "header:0 stream:1 end:0 free:1 over:0 over:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_once_in_order),
        cmocka_unit_test(cut_is_told),
        cmocka_unit_test(stream_named_twice_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
