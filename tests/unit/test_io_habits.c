/* SPDX-License-Identifier: MIT */
/* What precedes and follows each call. */
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

#include "tests/support/habits_script.h"

/* io: time op fd requested result took stack buffer detail; ops: 1 read, 2 readv, 3 pread64, 16 write,
 * 18 pwrite64, 32 sendfile, 40 fsync, 41 fdatasync, 48 lseek, 53 fstat, 64 connect. fd_is: time fd name kind flags
 * offset device inode size. fd_new: time op fd other stack; 82 accept. */
#define FILE_3     "1 fd_is 5 3 /data/in 1 2 0 1 77 1000\n"
#define FILE_4     "1 fd_is 5 4 /data/out 1 2 0 1 78 0\n"
#define LOG_4      "1 fd_is 5 4 /data/log 1 1025 500 1 79 500\n" /* O_APPEND */
#define SOCKET_5   "1 fd_is 5 5 socket:[tcp,1] 4 2 -1 0 9 0\n"
#define PIPE_6     "1 fd_is 5 6 pipe:[7] 3 1 -1 0 10 0\n"
#define TERMINAL_7 "1 fd_is 5 7 /dev/pts/0 5 2 -1 0 11 0\n"
#define THREAD_2   "stream 2 1 100 102 0\n2 node 1 0 0x400101\n2 node 2 1 0x400201\n"
#define PLACES     FILE_3 FILE_4 SOCKET_5 PIPE_6 TERMINAL_7

static void nothing_is_gathered_unless_asked_for(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD PLACES "1 io 10 16 4 9 9 1 2 0 0\n"
                                       "1 path_call 46 70 -100 8 800 2 /etc/x\n" SCRIPT_TAIL);
    assert_null(site_of(profile, "write")->habits);
    assert_int_equal(profile->n_path_sites, 0);
    profile_free(profile);
}

static void writes_to_the_end_of_the_one_before_are_adjacent(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 16 4 9 9 1 2 0 0\n1 io 12 16 4 9 9 1 2 0 0\n",
         "write", 2},
        /* sockets, pipes and terminals have no places; fstat, EAGAIN and EINTR do no harm */
        {PLACES "1 io 10 16 5 9 9 1 2 0 0\n1 io 11 53 5 0 0 1 2 0 0\n1 io 12 16 5 9 9 1 2 0 0\n"
                "1 io 13 16 6 9 9 1 2 0 0\n1 io 14 16 6 9 -11 1 2 0 0\n1 io 15 16 6 9 -4 1 2 0 0\n"
                "1 io 16 16 6 9 9 1 2 0 0\n1 io 17 16 7 9 9 1 2 0 0\n1 io 18 16 7 9 9 1 2 0 0\n",
         "write", 3},
        /* elsewhere, or after something else */
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 48 4 0 9 1 2 0 0\n1 io 12 16 4 9 9 1 2 0 0\n"
                "1 io 13 40 4 0 0 1 2 0 0\n1 io 14 16 4 9 9 1 2 0 0\n1 io 15 1 4 9 9 1 2 0 0\n"
                "1 io 16 16 4 9 9 1 2 0 0\n1 io 17 16 4 9 -5 1 2 0 0\n1 io 18 16 4 9 9 1 2 0 0\n"
                "1 io 19 32 3 9 9 1 3 0 4\n1 io 20 16 4 9 9 1 2 0 0\n",
         "write", 0},
        {PLACES "1 io 10 18 4 9 9 1 2 0 100\n1 io 11 18 4 9 9 1 2 0 109\n"
                "1 io 12 18 4 9 9 1 2 0 119\n1 io 13 18 4 9 9 1 2 0 100\n",
         "pwrite64", 1},
        /* a write behind one that named its place, and the other way round */
        {PLACES "1 io 10 18 4 9 9 1 2 0 0\n1 io 11 16 4 9 9 1 2 0 0\n1 io 12 18 4 9 9 1 2 0 9\n",
         "pwrite64", 1},
        {LOG_4 "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 16 4 9 9 1 2 0 0\n", "write", 1},
        /* what a short one left over, then one more */
        {PLACES "1 io 10 16 5 9 4 1 2 0 0\n1 io 11 16 5 5 5 1 2 0 0\n1 io 12 16 5 5 5 1 2 0 0\n",
         "write", 1},
        /* two threads take turns; one of them goes on */
        {PLACES THREAD_2 "1 io 10 16 4 9 9 1 2 0 0\n2 io 11 16 4 9 9 1 2 0 0\n"
                         "1 io 12 16 4 9 9 1 2 0 0\n1 io 13 16 4 9 9 1 2 0 0\n",
         "write", 1},
        /* a number that is given again is another descriptor, a duplicate is not */
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 fd_close 11 4 4\n"
                "1 fd_is 12 4 /data/out 1 1025 9 1 78 9\n1 io 13 16 4 9 9 1 2 0 0\n"
                "1 fd_new 14 84 9 4 3\n1 io 15 16 9 9 9 1 2 0 0\n",
         "write", 1},
        /* what no descriptor is known of */
        {"1 io 10 16 99 9 9 1 2 0 0\n1 io 11 16 99 9 9 1 2 0 0\n", "write", 0},
    };
    EXPECT(rows, adjacent.count);
}

static void the_site_before_is_the_most_frequent_one(void **state)
{
    (void)state;
    struct profile *const profile = load_habits(
        PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 17 4 90 90 1 3 0 0\n1 io 12 17 4 90 90 1 3 0 0\n"
               "1 io 13 16 4 9 9 1 2 0 0\n1 io 14 17 4 90 90 1 3 0 0\n1 io 15 40 4 0 0 1 3 0 0\n"
               "1 io 16 16 4 9 9 1 2 0 0\n1 io 17 17 4 90 90 1 3 0 0\n");
    const struct io_site *const body = site_of(profile, "writev");
    assert_int_equal(body->habits->adjacent.count, 4);
    assert_int_equal(body->habits->adjacent_bytes, 360);
    assert_ptr_equal(body->habits->adjacent.site, site_of(profile, "write"));
    const struct io_site *const head = site_of(profile, "write");
    assert_int_equal(head->habits->adjacent.count, 1);
    assert_ptr_equal(head->habits->adjacent.site, body);
    assert_int_equal(head->habits->reply.count, 0);
    assert_null(head->habits->reply.site);
    profile_free(profile);
}

static void reads_after_writes_to_a_connection_are_replies(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 16 5 9 9 1 2 0 0\n1 io 11 1 5 9 9 1 2 0 0\n"
                "1 io 12 16 5 9 9 1 2 0 0\n1 io 13 1 5 9 9 1 2 0 0\n1 io 14 1 5 9 9 1 2 0 0\n",
         "read", 2},
        /* nothing was there yet, then it ended */
        {PLACES "1 io 10 16 5 9 9 1 2 0 0\n1 io 11 1 5 9 -11 1 2 0 0\n1 io 12 1 5 9 -4 1 2 0 0\n"
                "1 io 13 1 5 9 9 1 2 0 0\n1 io 14 16 5 9 9 1 2 0 0\n1 io 15 1 5 9 0 1 2 0 0\n",
         "read", 1},
        /* files and terminals do not answer */
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 1 4 9 9 1 2 0 0\n1 io 12 16 7 9 9 1 2 0 0\n"
                "1 io 13 1 7 9 9 1 2 0 0\n",
         "read", 0},
        /* who was asked first waits for the next question */
        {PLACES "1 io 10 1 5 9 9 1 2 0 0\n1 io 11 16 5 9 9 1 2 0 0\n1 io 12 1 5 9 9 1 2 0 0\n",
         "read", 0},
        {PLACES "1 fd_new 8 82 9 5 3\n1 fd_is 9 9 socket:[tcp,2] 4 2 -1 0 12 0\n"
                "1 io 10 16 9 9 9 1 2 0 0\n1 io 11 1 9 9 9 1 2 0 0\n",
         "read", 0},
        /* but not who connected, and was greeted */
        {PLACES "1 io 9 64 5 0 0 1 2 0 0\n1 io 10 1 5 9 9 1 2 0 0\n1 io 11 16 5 9 9 1 2 0 0\n"
                "1 io 12 1 5 9 9 1 2 0 0\n",
         "read", 1},
        {PLACES THREAD_2 "1 io 10 16 5 9 9 1 2 0 0\n2 io 11 1 5 9 9 1 2 0 0\n", "read", 0},
    };
    EXPECT(rows, reply.count);
    static const struct expectation answers[] = {
        /* asked twice, answered in two parts the second time */
        {PLACES "1 io 10 1 5 9 9 1 2 0 0\n1 io 11 16 5 9 9 1 2 0 0\n1 io 12 1 5 9 9 1 2 0 0\n"
                "1 io 13 16 5 9 9 1 2 0 0\n1 io 14 16 5 9 9 1 2 0 0\n",
         "write", 2},
        /* who asks first answers nothing, and files do not ask */
        {PLACES "1 io 10 16 5 9 9 1 2 0 0\n1 io 11 1 5 9 9 1 2 0 0\n1 io 12 16 5 9 9 1 2 0 0\n"
                "1 io 13 1 4 9 9 1 2 0 0\n1 io 14 16 4 9 9 1 2 0 0\n",
         "write", 0},
    };
    EXPECT(answers, answer_calls);
    struct profile *const profile = load_habits(
        PLACES "1 io 10 16 5 9 9 1 2 0 0\n1 io 11 16 5 20 20 1 2 0 0\n1 io 20 1 5 99 50 7 3 0 0\n"
               "1 io 30 1 5 99 99 900 3 0 0\n1 io 40 16 5 1 1 1 2 0 0\n1 io 50 1 5 99 3 4 3 0 0\n");
    const struct io_habits *const habits = site_of(profile, "read")->habits;
    assert_int_equal(habits->reply.count, 2);
    assert_int_equal(habits->reply_bytes, 53);
    assert_int_equal(habits->request_bytes, 30);
    assert_true(habits->reply_seconds > 10.9e-9 && habits->reply_seconds < 11.1e-9);
    assert_true(habits->longest_seconds > 899e-9 && habits->longest_seconds < 901e-9);
    assert_ptr_equal(habits->reply.site, site_of(profile, "write"));
    profile_free(profile);
}

static void transfers_right_after_a_seek_are_counted(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 48 3 0 500 1 2 0 0\n1 io 11 1 3 9 9 1 2 0 0\n1 io 12 1 3 9 9 1 2 0 0\n"
                "1 io 13 48 3 0 1000 1 2 0 0\n1 io 14 1 3 9 0 1 2 0 0\n",
         "read", 2},
        /* a seek refused, a transfer that names its place, another thread's */
        {PLACES THREAD_2 "1 io 10 48 3 0 -22 1 2 0 0\n1 io 11 1 3 9 9 1 2 0 0\n"
                         "1 io 12 48 3 0 7 1 2 0 0\n1 io 13 3 3 9 9 1 2 0 0\n"
                         "1 io 14 48 3 0 7 1 2 0 0\n2 io 15 1 3 9 9 1 2 0 0\n",
         "read", 0},
        {PLACES "1 io 10 48 4 0 50 1 2 0 0\n1 io 11 16 4 9 9 1 2 0 0\n", "write", 1},
        /* asking where one is; moving on from there; going to where one is */
        {PLACES "1 io 10 1 3 9 9 1 2 0 0\n1 io 11 48 3 1 9 1 2 0 0\n1 io 12 1 3 9 9 1 2 0 0\n"
                "1 io 13 48 3 1 100 1 2 0 0\n1 io 14 1 3 9 9 1 2 0 0\n"
                "1 io 15 48 3 0 109 1 2 0 0\n1 io 16 1 3 9 9 1 2 0 0\n",
         "read", 2},
    };
    EXPECT(rows, after_seek_calls);
}

static void a_sync_is_charged_to_the_write_before(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 20 40 4 0 0 1 3 0 0\n1 io 30 16 4 9 9 1 2 0 0\n"
                "1 io 40 41 4 0 0 1 3 0 0\n1 io 50 40 4 0 0 1 3 0 0\n",
         "write", 2},
        /* the last of several; with other calls in between */
        {PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 16 4 9 9 1 2 0 0\n1 io 12 48 4 0 0 1 2 0 0\n"
                "1 io 13 1 4 9 9 1 2 0 0\n1 io 20 40 4 0 0 1 3 0 0\n",
         "write", 1},
        /* one refused, another descriptor's, sync() itself, another thread's */
        {PLACES THREAD_2 "1 io 10 16 4 9 9 1 2 0 0\n1 io 11 40 4 0 -22 1 3 0 0\n"
                         "1 io 12 40 3 0 0 1 3 0 0\n1 io 13 42 -1 0 0 1 3 0 0\n"
                         "2 io 14 40 4 0 0 1 2 0 0\n",
         "write", 0},
    };
    EXPECT(rows, synced_calls);
    struct profile *const profile =
        load_habits(PLACES "1 io 10 16 4 9 9 1 2 0 0\n1 io 2000 40 4 0 0 700 3 0 0\n");
    const double seconds = site_of(profile, "write")->habits->synced_seconds;
    assert_true(seconds > 699e-9 && seconds < 701e-9);
    profile_free(profile);
}

static void transfers_before_the_last_begin_go_backward(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 3 3 9 9 1 2 0 900\n1 io 11 3 3 9 9 1 2 0 891\n1 io 12 3 3 9 9 1 2 0 882\n"
                "1 io 13 3 3 9 9 1 2 0 882\n1 io 14 3 3 9 9 1 2 0 900\n1 io 15 3 3 9 -5 1 2 0 0\n",
         "pread64", 2},
        {PLACES "1 io 10 1 5 9 9 1 2 0 0\n1 io 11 1 5 9 9 1 2 0 0\n", "read", 0},
    };
    EXPECT(rows, backward_calls);
}

static void bytes_read_before_are_read_again(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 3 3 100 100 1 2 0 0\n1 io 11 3 3 100 100 1 2 0 50\n"
                "1 io 12 3 3 200 200 1 2 0 0\n1 io 13 3 3 10 10 1 2 0 900\n",
         "pread64", 200},
        {PLACES "1 io 10 1 5 9 9 1 2 0 0\n1 io 11 1 5 9 9 1 2 0 0\n", "read", 0},
    };
    EXPECT(rows, reread_bytes);
}

/* Another descriptor's memory is elsewhere, wherever it was kept meanwhile. */
static void copies_to_another_descriptor_are_told(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 1 3 9 9 1 2 0x7000 0\n1 io 11 16 4 9 9 1 3 0x7000 0\n"
                "1 io 12 1 4 9 9 1 2 0x7000 0\n1 io 13 16 4 9 9 1 3 0x7000 0\n"
                "1 io 14 1 3 9 9 1 2 0x7000 0\n1 io 15 16 4 9 9 1 3 0x9000 0\n",
         "write", 1},
        /* read from who knows where */
        {PLACES "1 io 10 1 3 9 9 1 2 0x7000 0\n1 io 11 1 99 9 9 1 2 0x7000 0\n"
                "1 io 12 16 4 9 9 1 3 0x7000 0\n",
         "write", 0},
    };
    EXPECT(rows, copied_elsewhere_calls);
}

static void calls_in_a_row_that_give_nothing_are_a_dry_run(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {PLACES "1 io 10 1 5 9 -11 1 2 0 0\n1 io 11 1 5 9 -11 1 2 0 0\n1 io 12 1 5 9 -4 1 2 0 0\n"
                "1 io 13 1 5 9 0 1 2 0 0\n1 io 14 1 5 9 9 1 2 0 0\n1 io 15 1 5 9 -11 1 2 0 0\n",
         "read", 3},
        {PLACES "1 io 10 1 3 900 900 1 2 0 0\n1 io 11 1 3 900 0 1 2 0 0\n", "read", 1},
        /* of two descriptors, of two sites, after an error */
        {PLACES "1 io 10 1 5 9 -11 1 2 0 0\n1 io 11 1 3 9 0 1 2 0 0\n1 io 12 1 5 9 -11 1 3 0 0\n"
                "1 io 13 1 5 9 -11 1 2 0 0\n1 io 14 1 5 9 -5 1 2 0 0\n1 io 15 1 5 9 -11 1 2 0 0\n",
         "read", 1},
        {PLACES "1 io 10 1 5 9 9 1 2 0 0\n", "read", 0},
    };
    EXPECT(rows, longest_dry_run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_gathered_unless_asked_for),
        cmocka_unit_test(writes_to_the_end_of_the_one_before_are_adjacent),
        cmocka_unit_test(the_site_before_is_the_most_frequent_one),
        cmocka_unit_test(reads_after_writes_to_a_connection_are_replies),
        cmocka_unit_test(transfers_right_after_a_seek_are_counted),
        cmocka_unit_test(a_sync_is_charged_to_the_write_before),
        cmocka_unit_test(transfers_before_the_last_begin_go_backward),
        cmocka_unit_test(bytes_read_before_are_read_again),
        cmocka_unit_test(copies_to_another_descriptor_are_told),
        cmocka_unit_test(calls_in_a_row_that_give_nothing_are_a_dry_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
