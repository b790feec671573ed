/* SPDX-License-Identifier: MIT */
/* What reads, writes, copies, syncs and seeks add to process, site and file. */
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

#include "tests/support/load_script.h"

/* io: time op fd requested result took stack buffer detail; ops: 1 read, 3 pread64, 16 write, 32 sendfile,
 * 40 fsync, 42 sync, 48 lseek, 53 fstat. fd_is: time fd name kind flags offset device inode size. */
#define FILE_3   "1 fd_is 5 3 /data/in 1 0 0 1 77 9000\n"
#define FILE_4   "1 fd_is 6 4 /data/out 1 1 0 1 78 0\n"
#define SOCKET_5 "1 fd_is 7 5 socket:[tcp,1] 4 2 -1 0 9 0\n"

static const struct io_site *site_of(const struct profile *profile, const char *op)
{
    for (size_t i = 0; i < profile->n_io_sites; i++)
        if (strcmp(profile->io_sites[i].op, op) == 0)
            return &profile->io_sites[i];
    fail_msg("no site of %s", op);
    return NULL;
}

static const struct io_file *file_of(const struct profile *profile, const char *path)
{
    for (size_t i = 0; i < profile->n_io_files; i++)
        if (strcmp(profile->io_files[i].path, path) == 0)
            return &profile->io_files[i];
    fail_msg("no file %s", path);
    return NULL;
}

static void calls_count_whatever_came_of_them(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD FILE_3 FILE_4 "1 io 10 1 3 4096 4096 1000 2 0x7000 0\n"
                                              "1 io 20 1 3 4096 100 500 2 0x7000 0\n"
                                              "1 io 30 1 3 4096 0 100 2 0x7000 0\n"
                                              "1 io 40 1 3 4096 -11 100 2 0x7000 0\n"
                                              "1 io 50 1 3 4096 -4 100 2 0x7000 0\n"
                                              "1 io 60 1 3 4096 -5 100 2 0x7000 0\n"
                                              "1 io 70 16 4 10 10 200 3 0x7000 0\n"
                                              "1 io 80 16 9 10 -9 50 3 0x7000 0\n" SCRIPT_TAIL);
    const struct metrics *const totals = &profile->totals;
    assert_int_equal(totals->io_calls, 8);
    assert_int_equal(totals->io_read_calls, 6);
    assert_int_equal(totals->io_write_calls, 2);
    assert_int_equal(totals->io_read_bytes, 4196);
    assert_int_equal(totals->io_write_bytes, 10);
    assert_int_equal(totals->events, 8);
    assert_true(totals->io_seconds > 2149e-9 && totals->io_seconds < 2151e-9);
    const struct io_site *const reads = site_of(profile, "read");
    assert_true(reads->reads && !reads->writes);
    assert_int_equal(reads->calls, 6);
    assert_int_equal(reads->bytes, 4196);
    assert_int_equal(reads->failed, 3);
    assert_int_equal(reads->would_block, 1);
    assert_int_equal(reads->interrupted, 1);
    assert_int_equal(reads->short_calls, 1);
    assert_int_equal(reads->empty, 1);
    assert_int_equal(reads->sizes.n, 2);
    assert_int_equal(reads->sizes.max, 4096);
    assert_int_equal(reads->latency_ns.n, 6);
    assert_int_equal(reads->latency_ns.max, 1000);
    assert_int_equal(reads->n_threads, 1);
    assert_string_equal(reads->path, "/data/in");
    assert_int_equal(reads->n_files, 1);
    assert_int_equal(reads->n_frames, 2);
    const struct io_file *const in = file_of(profile, "/data/in");
    assert_int_equal(in->read_calls, 6);
    assert_int_equal(in->read_bytes, 4196);
    assert_int_equal(in->unique_read_bytes, 4196);
    assert_int_equal(in->latency_ns.n, 6);
    assert_int_equal(file_of(profile, "/data/out")->write_calls, 1); /* the other had no file */
    assert_int_equal(profile->n_io_files, 2);
    profile_free(profile);
}

static void copies_count_on_both_sides(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD FILE_3 FILE_4 "1 io 10 32 3 9000 9000 700 2 0 4\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.io_calls, 2);
    assert_int_equal(profile->totals.io_read_bytes, 9000);
    assert_int_equal(profile->totals.io_write_bytes, 9000);
    assert_int_equal(profile->n_io_sites, 1);
    assert_int_equal(profile->io_sites[0].calls, 1);
    assert_true(profile->io_sites[0].reads && profile->io_sites[0].writes);
    assert_int_equal(file_of(profile, "/data/in")->read_bytes, 9000);
    assert_int_equal(file_of(profile, "/data/in")->unique_read_bytes, 0); /* where is not known */
    assert_int_equal(file_of(profile, "/data/out")->write_bytes, 9000);
    profile_free(profile);
}

static void syncs_have_their_own_time(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD FILE_4 "1 io 10 16 4 10 10 100 2 0 0\n1 io 2000 40 4 0 0 1900 2 0 0\n"
                           "1 io 9000 42 -1 0 0 5000 3 0 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.fsync_count, 1); /* sync() is none of them */
    assert_int_equal(profile->totals.io_calls, 1);
    assert_true(profile->totals.io_seconds > 6999e-9 && profile->totals.io_seconds < 7001e-9);
    const struct io_file *const out = file_of(profile, "/data/out");
    assert_int_equal(out->fsyncs, 1);
    assert_true(out->sync_seconds > 1899e-9 && out->sync_seconds < 1901e-9);
    assert_true(out->seconds > 1999e-9 && out->seconds < 2001e-9);
    const struct io_site *const sync = site_of(profile, "fsync");
    assert_false(sync->reads || sync->writes);
    assert_int_equal(sync->empty, 0);
    assert_int_equal(profile->n_io_threads, 1);
    assert_int_equal(profile->io_threads[0].calls, 3);
    assert_true(profile->io_threads[0].sync_seconds > 6899e-9);
    assert_true(profile->io_threads[0].longest_seconds > 4999e-9);
    profile_free(profile);
}

static void patterns_follow_the_position(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        struct io_pattern pattern;
        uint64_t unique;
    } rows[] = {
        /* one after the other */
        {"1 io 10 1 3 100 100 1 2 0 0\n1 io 20 1 3 100 100 1 2 0 0\n", {2, 0, 0}, 200},
        /* a seek forward, then back to what was read */
        {"1 io 10 1 3 100 100 1 2 0 0\n1 io 20 48 3 0 500 1 2 0 0\n1 io 30 1 3 100 100 1 2 0 0\n"
         "1 io 40 48 3 0 0 1 2 0 0\n1 io 50 1 3 100 100 1 2 0 0\n",
         {1, 1, 1},
         200},
        /* positional reads leave the position alone */
        {"1 io 10 3 3 100 100 1 2 0 1000\n1 io 20 3 3 100 100 1 2 0 1100\n"
         "1 io 30 1 3 50 50 1 2 0 0\n",
         {1, 1, 1},
         250},
        /* what moved nothing has no place */
        {"1 io 10 1 3 100 0 1 2 0 0\n1 io 20 1 3 100 -11 1 2 0 0\n", {0, 0, 0}, 0},
        /* positions beyond all bounds */
        {"1 io 10 3 3 100 100 1 2 0 9223372036854775800\n"
         "1 io 20 48 3 0 9223372036854775807 1 2 0 0\n1 io 30 1 3 9 9 1 2 0 0\n"
         "1 io 40 1 3 9 9223372036854775807 1 2 0 0\n",
         {1, 1, 0},
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[4096];
        snprintf(script, sizeof script, "%s%s%s%s", SCRIPT_HEAD, FILE_3, rows[i].script,
                 SCRIPT_TAIL);
        struct profile *const profile = load_script(script);
        const struct io_file *const file = file_of(profile, "/data/in");
        assert_int_equal(file->pattern.consecutive, rows[i].pattern.consecutive);
        assert_int_equal(file->pattern.strided, rows[i].pattern.strided);
        assert_int_equal(file->pattern.random, rows[i].pattern.random);
        assert_int_equal(file->unique_read_bytes, rows[i].unique);
        profile_free(profile);
    }
}

static void appends_are_consecutive_and_sockets_have_no_places(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD SOCKET_5 "1 fd_is 8 6 /var/log 1 1025 500 1 79 500\n"
                             "1 io 10 16 6 10 10 1 2 0 0\n1 io 11 16 6 10 10 1 2 0 0\n"
                             "1 io 20 1 5 10 10 1 3 0 0\n1 io 21 16 5 10 10 1 3 0 0\n"
                             "1 io 22 1 5 10 10 1 3 0 0\n1 fd_is 30 7 /dev/zero 6 0 -1 6 4 0\n1 io "
                             "31 48 7 0 0 1 2 0 0\n1 io 32 1 7 9 9 1 2 0 0\n" SCRIPT_TAIL);
    assert_int_equal(file_of(profile, "/var/log")->pattern.consecutive, 2);
    const struct io_file *const socket = file_of(profile, "socket:[tcp,1]");
    assert_int_equal(socket->pattern.consecutive + socket->pattern.random, 0);
    assert_int_equal(socket->turns, 2);
    assert_int_equal(socket->unique_read_bytes, 0);
    const struct io_file *const zero = file_of(profile, "/dev/zero");
    assert_int_equal(zero->pattern.consecutive + zero->pattern.random, 0);
    assert_int_equal(zero->seeks, 1);
    profile_free(profile);
}

static void stdio_counts_the_calls_that_a_transfer_served(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD FILE_4
                    "1 stdio 10 16 4 4096 4096 1 2 0 128\n1 stdio 20 16 4 4096 4096 1 2 0 127\n"
                    "1 io 30 16 4 1 1 1 2 0 0\nstream_end 1 stdio_calls=300\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.stdio_calls, 300);
    assert_int_equal(profile->totals.io_write_calls, 3);
    assert_int_equal(profile->n_io_sites, 2); /* the same stack on two layers */
    uint64_t n_logical = 0;
    for (size_t i = 0; i < 2; i++) {
        n_logical += profile->io_sites[i].logical_calls;
        assert_int_equal(profile->io_sites[i].calls,
                         profile->io_sites[i].layer == IO_LAYER_STDIO ? 2 : 1);
    }
    assert_int_equal(n_logical, 255);
    profile_free(profile);
    struct profile *const cut =
        load_script(SCRIPT_HEAD FILE_4
                    "1 stdio 10 16 4 4096 4096 1 2 0 128\n1 stdio 20 16 4 4096 4096 1 2 0 -5\n");
    assert_int_equal(cut->totals.stdio_calls, 128);
    profile_free(cut);
}

static void seeks_and_questions_count(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD FILE_3 "1 io 10 48 3 0 100 1 2 0 0\n1 io 20 48 3 0 -29 1 2 0 0\n"
                                       "1 io 30 53 3 0 0 1 2 0 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.seek_count, 2);
    assert_int_equal(profile->totals.stat_count, 1);
    assert_int_equal(profile->totals.io_calls, 0);
    assert_int_equal(profile->totals.events, 3);
    assert_int_equal(profile->n_io_sites, 0);
    assert_int_equal(file_of(profile, "/data/in")->seeks, 2);
    assert_int_equal(file_of(profile, "/data/in")->stats, 1);
    profile_free(profile);
}

static void bytes_show_in_the_timeline(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD FILE_3 "1 io 10 1 3 100 100 1 2 0 0\n"
                                       "1 io 900000000 16 3 100 30 1 2 0 0\n" SCRIPT_TAIL);
    uint64_t read_bytes = 0, write_bytes = 0;
    for (size_t i = 0; i < profile->n_timeline; i++) {
        read_bytes += profile->timeline[i].io_read_bytes;
        write_bytes += profile->timeline[i].io_write_bytes;
    }
    assert_int_equal(profile->timeline[0].io_read_bytes, 100);
    assert_int_equal(read_bytes, 100);
    assert_int_equal(write_bytes, 30);
    profile_free(profile);
}

static void unexplained_descriptors_are_known_by_their_number(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 io 10 1 7 100 100 1 2 0 0\n1 io 20 1 -7 100 100 1 2 0 0\n"
                                "1 io 30 255 7 100 100 1 2 0 0\n1 io 35 53 8 0 0 1 2 0 0\n1 io 40 "
                                "1 2147483647 1 1 1 2 0 0\n" SCRIPT_TAIL);
    assert_int_equal(file_of(profile, "fd:[7]")->read_calls, 1);
    assert_int_equal(profile->totals.io_read_calls, 3); /* an unknown op is no read */
    assert_int_equal(profile->totals.events, 5);
    assert_int_equal(profile->n_io_files, 2); /* none of what was only asked about */
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_count_whatever_came_of_them),
        cmocka_unit_test(copies_count_on_both_sides),
        cmocka_unit_test(syncs_have_their_own_time),
        cmocka_unit_test(patterns_follow_the_position),
        cmocka_unit_test(appends_are_consecutive_and_sockets_have_no_places),
        cmocka_unit_test(stdio_counts_the_calls_that_a_transfer_served),
        cmocka_unit_test(seeks_and_questions_count),
        cmocka_unit_test(bytes_show_in_the_timeline),
        cmocka_unit_test(unexplained_descriptors_are_known_by_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
