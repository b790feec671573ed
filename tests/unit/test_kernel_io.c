/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/kernel_io.h"
#include "preload/session.h"
#include "tests/support/io_fixture.h"
#include "tests/support/lane_fixture.h"

static struct record records[16];

static void the_counts_are_found_in_the_text(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"rchar: 3\nwchar: 18446744073709551615\nsyscr: 1\nsyscw: 2\nread_bytes: 9\n", true},
        {"syscw: 2\nsyscr: 1\nwchar: 18446744073709551615\nrchar: 3", true},
        {"rchar: 3\nwchar: 4\nsyscr: 1\n", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event_kernel_io counts = {0};
        assert_int_equal(kernel_io_parse(rows[i].text, &counts), rows[i].good);
        if (rows[i].good)
            assert_true(counts.n_reads == 1 && counts.n_writes == 2 && counts.read_bytes == 3 &&
                        counts.written_bytes == UINT64_MAX);
    }
}

/* What lies between begin and end is the program's alone: our own reads are in neither. */
static void the_difference_is_what_the_program_did(void **state)
{
    char bytes[100];
    (void)state;
    if (access("/proc/self/io", R_OK) != 0)
        skip();
    const int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    io_fixture_start();
    kernel_io_begin(&lane_fixture_slot()->lanes[0]);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(read(zero, bytes, 10), 10);
    assert_int_equal(write(null, bytes, 100), 100);
    const long n_own = syscall(SYS_read, zero, bytes, 7);
    kernel_io_own(n_own);
    kernel_io_end();
    kernel_io_end();
    const size_t n = io_fixture_stop(records, 16);
    const struct record_kernel_io *const begin = &records[0].kernel_io;
    for (size_t i = n - 4; i < n; i += 2) {
        const struct record_kernel_io *const end = &records[i].kernel_io;
        const struct record_kernel_io *const own = &records[i + 1].kernel_io;
        assert_int_equal(records[i].tag, TRACE_KERNEL_IO);
        assert_int_equal(own->moment, TRACE_KERNEL_IO_OWN);
        assert_int_equal(own->n_reads, i == n - 4 ? 2 : 3);
        assert_true(own->read_bytes > 7);
        assert_int_equal(end->moment, TRACE_KERNEL_IO_END);
        assert_int_equal(end->n_reads - begin->n_reads, 5);
        assert_int_equal(end->read_bytes - begin->read_bytes, 50);
        assert_int_equal(end->n_writes - begin->n_writes, 1);
        assert_int_equal(end->written_bytes - begin->written_bytes, 100);
    }
    assert_int_equal(begin->moment, TRACE_KERNEL_IO_START);
    close(zero);
    close(null);
}

static void nothing_is_read_where_it_is_not_wanted(void **state)
{
    (void)state;
    io_fixture_start();
    session.syscalls_risky = 1;
    kernel_io_begin(&lane_fixture_slot()->lanes[0]);
    kernel_io_end();
    session.syscalls_risky = 0;
    io_fixture_is_guest = true;
    kernel_io_end();
    io_fixture_is_guest = false;
    session.flags |= SESSION_NO_IO;
    kernel_io_end();
    assert_int_equal(io_fixture_stop(records, 16), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counts_are_found_in_the_text),
        cmocka_unit_test(the_difference_is_what_the_program_did),
        cmocka_unit_test(nothing_is_read_where_it_is_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
