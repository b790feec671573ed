/* SPDX-License-Identifier: MIT */
/* The hooks of stdio in this very process: what reaches the kernel is recorded, each time, as the doing of
 * whoever called last. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>
#include <cmocka.h>

#include "preload/session.h"
#include "preload/stdio_transfer.h"
#include "tests/support/io_fixture.h"
#include "tests/support/lane_fixture.h"

static struct record records[256];
static size_t n_records;
static char path[] = "/tmp/heapwise-stdio-XXXXXX";
static char contents[20000];

static int once(void **state)
{
    (void)state;
    memset(contents, 'x', sizeof contents);
    for (size_t i = 99; i < sizeof contents; i += 100)
        contents[i] = '\n';
    const int fd = mkstemp(path);
    if (write(fd, contents, sizeof contents) != sizeof contents)
        return -1;
    close(fd);
    return stdio_transfer_start() ? -1 : 0;
}

static int at_last(void **state)
{
    (void)state;
    return unlink(path);
}

static int start(void **state)
{
    (void)state;
    io_fixture_start();
    return 0;
}

static void stop(void)
{
    n_records = io_fixture_stop(records, sizeof records / sizeof *records);
}

/* What was transferred by one operation. */
struct sum {
    size_t n;
    int64_t bytes, n_calls;
};

static struct sum sum_of(uint8_t op)
{
    struct sum sum = {0};
    for (size_t i = 0; i < n_records; i++) {
        const struct record_io *const io = &records[i].io;
        if (records[i].tag != TRACE_STDIO || io->op != op)
            continue;
        sum.n++;
        sum.bytes += op != IO_LSEEK && io->result > 0 ? io->result : 0;
        sum.n_calls += io->detail;
    }
    return sum;
}

static size_t count(uint8_t tag)
{
    size_t n = 0;
    for (size_t i = 0; i < n_records; i++)
        n += records[i].tag == tag;
    return n;
}

/* Where the first record of a tag stands, n_records where there is none. */
static size_t first(uint8_t tag)
{
    size_t at = 0;
    while (at < n_records && records[at].tag != tag)
        at++;
    return at;
}

static size_t last_write(void)
{
    size_t at = n_records;
    while (at > 0 && !(records[at - 1].tag == TRACE_STDIO && records[at - 1].io.op == IO_WRITE))
        at--;
    assert_true(at > 0);
    return at - 1;
}

static void many_calls_are_few_writes(void **state)
{
    enum { N = 1000, LINE = 20 };
    (void)state;
    FILE *const stream = fopen(path, "w");
    for (unsigned i = 0; i < N; i++)
        fprintf(stream, "line %013u\n", i);
    fclose(stream);
    stop();
    const struct sum writes = sum_of(IO_WRITE);
    assert_int_equal(writes.n, 5);
    assert_int_equal(writes.bytes, N * LINE - N);
    assert_int_equal(writes.n_calls, N + 1);
}

/* A row each: how the same 20,000 bytes are read to their end, in five reads and the one that says so. */
static void read_by_lines(FILE *stream)
{
    char line[256];
    while (fgets(line, sizeof line, stream))
        ;
}

static void read_by_blocks(FILE *stream)
{
    char block[1000];
    while (fread(block, 1, sizeof block, stream) > 0)
        ;
}

static void read_by_bytes(FILE *stream)
{
    while (getc_unlocked(stream) != EOF)
        ;
}

static void read_by_getline(FILE *stream)
{
    char *line = NULL;
    size_t n = 0;
    while (getline(&line, &n, stream) > 0)
        ;
    free(line);
}

static void read_by_scanning(FILE *stream)
{
    char word[256];
    while (fscanf(stream, "%255s", word) == 1)
        ;
}

static void read_wide(FILE *stream)
{
    while (fgetwc(stream) != WEOF)
        ;
}

static void fill(void)
{
    FILE *const stream = fopen(path, "w");
    fwrite(contents, sizeof contents, 1, stream);
    fclose(stream);
}

static void every_way_of_reading_is_seen(void **state)
{
    static void (*const ways[])(FILE *) = {read_by_lines,   read_by_blocks,   read_by_bytes,
                                           read_by_getline, read_by_scanning, read_wide};
    (void)state;
    io_fixture_stop(records, 0);
    fill();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        io_fixture_start();
        FILE *const stream = fopen(path, "r");
        ways[i](stream);
        fclose(stream);
        stop();
        const struct sum reads = sum_of(IO_READ);
        assert_int_equal(reads.bytes, sizeof contents);
        assert_in_range(reads.n, 6, 7);
        assert_true(reads.n_calls >= 6);
        assert_int_equal(count(TRACE_FD_CLOSE), 1);
    }
}

static void an_opening_comes_before_its_seek(void **state)
{
    (void)state;
    FILE *const stream = fopen(path, "a");
    const int fd = fileno(stream);
    fclose(stream);
    stop();
    const size_t opened = first(TRACE_PATH_CALL), sought = first(TRACE_STDIO);
    assert_true(opened < sought && sought < n_records);
    assert_int_equal(records[opened].path_call.result, fd);
    assert_true(io_fixture_text_is(&records[opened].path_call.path, path));
    assert_int_equal(records[sought].io.op, IO_LSEEK);
    assert_int_equal(records[sought].io.requested_bytes, SEEK_END);
    assert_int_equal(records[sought].io.fd, fd);
}

static void a_failed_opening_is_told_where_the_kernel_was_asked(void **state)
{
    (void)state;
    assert_null(fopen("/does/not/exist", "r"));
    assert_int_equal(errno, ENOENT);
    assert_null(fopen(path, "?"));
    assert_int_equal(errno, EINVAL);
    stop();
    assert_int_equal(count(TRACE_PATH_CALL), 1);
    assert_int_equal(records[first(TRACE_PATH_CALL)].path_call.result, -ENOENT);
}

static void a_closing_comes_after_the_last_flush(void **state)
{
    (void)state;
    FILE *const stream = fopen(path, "w");
    const int fd = fileno(stream);
    fputs("one", stream);
    fclose(stream);
    stop();
    const size_t closed = first(TRACE_FD_CLOSE);
    assert_true(last_write() < closed && closed < n_records);
    assert_int_equal(records[closed].fd_close.first, fd);
    assert_int_equal(records[closed].fd_close.last, fd);
}

static void a_stream_opened_anew_keeps_its_descriptor(void **state)
{
    (void)state;
    FILE *const stream = fopen(path, "w");
    const int fd = fileno(stream);
    fputs("one", stream);
    assert_ptr_equal(freopen("/dev/null", "w", stream), stream);
    fputs("two", stream);
    fclose(stream);
    stop();
    size_t at = first(TRACE_FD_CLOSE);
    assert_true(first(TRACE_STDIO) < at);
    assert_int_equal(records[++at].tag, TRACE_PATH_CALL);
    assert_int_equal(records[at].path_call.result, fd);
    assert_true(io_fixture_text_is(&records[at].path_call.path, "/dev/null"));
    assert_int_equal(records[++at].tag, TRACE_FD_IS);
    assert_int_equal(sum_of(IO_WRITE).n, 2);
    assert_int_equal(count(TRACE_FD_CLOSE), 2);
}

static void a_pipe_to_a_command_is_a_descriptor_like_others(void **state)
{
    char line[16] = "";
    (void)state;
    FILE *const stream = popen("echo two", "r");
    const int fd = fileno(stream);
    assert_non_null(fgets(line, sizeof line, stream));
    assert_int_equal(pclose(stream), 0);
    stop();
    assert_string_equal(line, "two\n");
    assert_int_equal(records[first(TRACE_FD_NEW)].fd_new.fd, fd);
    assert_int_equal(records[first(TRACE_FD_NEW)].fd_new.op, IO_POPEN);
    assert_int_equal(sum_of(IO_READ).bytes, 4);
    assert_int_equal(count(TRACE_FD_CLOSE), 1);
}

/* The kernel takes what fits and then refuses; each is a call, and the stream is in error as without us. */
static void partial_writes_are_one_record_each(void **state)
{
    static char large[1 << 20];
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    FILE *const stream = fdopen(ends[0], "w");
    setvbuf(stream, NULL, _IONBF, 0);
    errno = 0;
    const size_t n = fwrite(large, 1, sizeof large, stream);
    const int error = errno, has_error = ferror(stream);
    fclose(stream);
    close(ends[1]);
    stop();
    const struct sum writes = sum_of(IO_WRITE);
    assert_true(n < sizeof large && has_error);
    assert_int_equal(error, EAGAIN);
    assert_int_equal(writes.bytes, n);
    assert_true(writes.n >= 2);
    assert_int_equal(records[last_write()].io.result, -EAGAIN);
}

static void a_stream_that_is_never_cancelled_writes_too(void **state)
{
    (void)state;
    FILE *const stream = fopen(path, "wc");
    fputs("three", stream);
    assert_int_equal(fflush(stream), 0);
    assert_int_equal(ftell(stream), 5);
    fclose(stream);
    FILE *const full = fopen("/dev/full", "wc");
    fputs("four", full);
    errno = 0;
    assert_int_equal(fflush(full), EOF);
    assert_int_equal(errno, ENOSPC);
    fclose(full);
    stop();
    assert_int_equal(sum_of(IO_WRITE).bytes, 5);
}

static ssize_t leave(void *cookie, const char *bytes, size_t n_bytes)
{
    (void)bytes;
    (void)n_bytes;
    longjmp(*(jmp_buf *)cookie, 1);
}

/* Streams of the program's own have no transfers; what jumps out of one leaves nothing behind. */
static void a_jump_out_of_a_stream_does_no_harm(void **state)
{
    static jmp_buf back;
    (void)state;
    FILE *const volatile stream = fopencookie(&back, "w", (cookie_io_functions_t){.write = leave});
    setvbuf(stream, NULL, _IONBF, 0);
    if (setjmp(back) == 0)
        fputs("one", stream);
    FILE *const file = fopen(path, "w");
    fputs("two", file);
    fclose(file);
    stop();
    assert_int_equal(sum_of(IO_WRITE).n, 1);
    assert_int_equal(sum_of(IO_WRITE).bytes, 3);
    assert_true(lane_fixture_caller.pc != LANE_FIXTURE_OUTSIDE);
}

static void memory_is_no_descriptor(void **state)
{
    char *text = NULL;
    size_t n;
    (void)state;
    FILE *const stream = open_memstream(&text, &n);
    fprintf(stream, "%d", 5);
    fclose(stream);
    stop();
    assert_string_equal(text, "5");
    assert_int_equal(n_records, 0);
    free(text);
}

static void print_to_a_descriptor_is_one_call(void **state)
{
    (void)state;
    const int fd = open("/dev/null", O_WRONLY);
    dprintf(fd, "%d", 123);
    dprintf(fd, "%d", 4567);
    close(fd);
    stop();
    const struct sum writes = sum_of(IO_WRITE);
    assert_int_equal(writes.n, 2);
    assert_int_equal(writes.bytes, 7);
    assert_int_equal(writes.n_calls, 2);
}

/* Whatever has no hook is found by unwinding out of libc. */
static void a_function_without_a_hook_is_unwound(void **state)
{
    (void)state;
    FILE *const stream = fopen("/dev/null", "w");
    FILE *const kept = stderr;
    setvbuf(stream, NULL, _IONBF, 0);
    stderr = stream;
    psignal(2, "six");
    stderr = kept;
    stop();
    assert_true(sum_of(IO_WRITE).bytes > 5);
    assert_int_equal(lane_fixture_caller.pc, LANE_FIXTURE_OUTSIDE);
    fclose(stream);
}

static void a_child_in_our_memory_records_nothing(void **state)
{
    (void)state;
    FILE *const stream = fopen("/dev/null", "w");
    setvbuf(stream, NULL, _IONBF, 0);
    thread_in_vfork = 1;
    fputs("seven", stream);
    thread_in_vfork = 0;
    stop();
    assert_int_equal(sum_of(IO_WRITE).n, 0);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(many_calls_are_few_writes, start),
        cmocka_unit_test_setup(every_way_of_reading_is_seen, start),
        cmocka_unit_test_setup(an_opening_comes_before_its_seek, start),
        cmocka_unit_test_setup(a_failed_opening_is_told_where_the_kernel_was_asked, start),
        cmocka_unit_test_setup(a_closing_comes_after_the_last_flush, start),
        cmocka_unit_test_setup(a_stream_opened_anew_keeps_its_descriptor, start),
        cmocka_unit_test_setup(a_pipe_to_a_command_is_a_descriptor_like_others, start),
        cmocka_unit_test_setup(partial_writes_are_one_record_each, start),
        cmocka_unit_test_setup(a_stream_that_is_never_cancelled_writes_too, start),
        cmocka_unit_test_setup(a_jump_out_of_a_stream_does_no_harm, start),
        cmocka_unit_test_setup(memory_is_no_descriptor, start),
        cmocka_unit_test_setup(print_to_a_descriptor_is_one_call, start),
        cmocka_unit_test_setup(a_function_without_a_hook_is_unwound, start),
        cmocka_unit_test_setup(a_child_in_our_memory_records_nothing, start),
    };
    return cmocka_run_group_tests(tests, once, at_last);
}
