/* SPDX-License-Identifier: MIT */
/* What opens, duplicates, forks, execs and closes make of descriptors and files. */
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

/* path_call: time op folder result took stack path; fd_new: time op fd other stack; ops: 52 stat, 70 open,
 * 80 socket, 84 dup, 91 io_uring. */
#define READ(time, fd, n) "1 io " time " 1 " fd " 100 " n " 1 2 0 0\n"

static const struct io_file *find_file(const struct profile *profile, const char *path)
{
    for (size_t i = 0; i < profile->n_io_files; i++)
        if (strcmp(profile->io_files[i].path, path) == 0)
            return &profile->io_files[i];
    return NULL;
}

static const struct io_file *file_of(const struct profile *profile, const char *path)
{
    const struct io_file *const file = find_file(profile, path);
    if (!file)
        fail_msg("no file %s", path);
    return file;
}

static struct profile *load_middle(const char *middle)
{
    char script[8192];
    snprintf(script, sizeof script, SCRIPT_HEAD "%s" SCRIPT_TAIL, middle);
    return load_script(script);
}

static void opens_count_where_the_descriptor_leads(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 folder 4 /srv/me\n"
        "1 path_call 10 70 -100 3 500 2 link\n1 fd_is 11 3 /data/in 1 0 0 1 77 9\n" READ(
            "12", "3",
            "9") "1 path_call 20 70 -100 -2 400 2 none\n1 path_call 21 52 -100 -2 400 2 none\n"
                 "1 path_call 30 70 -100 4 500 2 /tmp/x\n");
    assert_int_equal(profile->totals.open_count, 3);
    assert_int_equal(profile->totals.stat_count, 1);
    assert_int_equal(profile->totals.events, 5);
    assert_null(find_file(profile, "/srv/me/link"));
    assert_int_equal(file_of(profile, "/data/in")->opens, 1);
    assert_int_equal(file_of(profile, "/data/in")->read_bytes, 9);
    assert_int_equal(file_of(profile, "/srv/me/none")->opens, 0);
    assert_int_equal(file_of(profile, "/srv/me/none")->failed_opens, 1);
    assert_int_equal(file_of(profile, "/srv/me/none")->stats, 1);
    assert_string_equal(profile->io_openers[0].path, "/tmp/x");
    assert_true(profile->io_recorded);
    profile_free(profile);
}

static void openers_tell_what_is_open_at_the_end(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 path_call 10 70 -100 3 500 2 /a\n1 path_call 11 70 -100 4 500 2 /b\n"
        "1 path_call 12 70 -100 -13 500 2 /c\n1 fd_close 13 3 3\n1 path_call 14 70 -100 3 500 2 "
        "/d\n"
        "1 fd_new 20 80 9 -1 3\n1 fd_new 21 80 9 -1 3\n" /* the first one's close was not seen */
        "1 fd_new 30 84 1 9 1\n1 fd_new 31 84 1 1 1\n");
    assert_int_equal(profile->n_io_openers, 3);
    const struct io_opener *const files = &profile->io_openers[0];
    assert_string_equal(files->op, "openat");
    assert_int_equal(files->opens, 3);
    assert_int_equal(files->failed, 1);
    assert_int_equal(files->max_open, 2);
    assert_int_equal(files->open_at_end, 2);
    assert_string_equal(files->path, "/d");
    assert_int_equal(files->n_frames, 2);
    const struct io_opener *const sockets = &profile->io_openers[1];
    assert_int_equal(sockets->opens, 2);
    assert_int_equal(sockets->open_at_end, 1);
    assert_int_equal(profile->io_openers[2].opens, 1); /* dup2() to itself opens nothing */
    assert_int_equal(profile->totals.open_count, 4);
    profile_free(profile);
}

static void duplicates_share_their_position(void **state)
{
    (void)state;
    struct profile *const profile = load_middle("1 fd_is 5 3 /data/in 1 0 0 1 77 900\n" READ(
        "10", "3", "100") "1 fd_new 11 84 7 3 2\n" READ("12", "7",
                                                        "100") "1 fd_close 13 3 3\n" READ("14", "7",
                                                                                          "100"));
    assert_int_equal(file_of(profile, "/data/in")->pattern.consecutive, 3);
    assert_int_equal(file_of(profile, "/data/in")->unique_read_bytes, 300);
    profile_free(profile);
}

static void forked_children_share_their_parents_position(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 folder 4 /srv\n1 path_call 5 70 -100 3 1 2 in\n1 fd_is 6 3 /srv/in 1 0 0 1 77 "
        "900\n" READ(
            "10", "3",
            "100") "1 fork 11 1\n1 fd_close 12 0 4294967295\n1 folder 13 /\n"
                   "stream 2 2 101 101 0\n2 image 20 image=2 pid=101 parent_pid=100 parent_image=1 "
                   "fork_id=1 "
                   "start=8\n2 io 30 1 3 100 100 1 0 0 0\n2 path_call 31 52 -100 0 1 0 there\n");
    assert_int_equal(file_of(profile, "/srv/in")->read_calls, 2);
    assert_int_equal(file_of(profile, "/srv/in")->pattern.consecutive, 2);
    assert_int_equal(file_of(profile, "/srv/there")->stats, 1);
    assert_int_equal(profile->n_io_openers, 1);
    assert_int_equal(profile->io_openers[0].open_at_end, 0); /* the child opened none */
    profile_free(profile);
}

static void an_exec_keeps_what_it_is_said_to_keep(void **state)
{
    (void)state;
    struct profile *const profile = load_middle(
        "1 folder 4 /srv\n1 path_call 5 70 -100 3 1 2 in\n1 fd_is 6 3 /srv/in 1 0 0 1 77 900\n"
        "1 path_call 7 70 -100 4 1 2 other\n" READ(
            "10", "3", "100") "1 exec 11 /bin/x\n"
                              "stream 2 2 100 100 0\n2 image 20 image=2 pid=100 start=7\n"
                              "2 fd_is 21 3 /srv/in 1 0 100 1 77 900\n2 io 30 1 3 100 100 1 0 0 0\n"
                              "2 io 31 1 4 100 100 1 0 0 0\n2 path_call 32 52 -100 0 1 0 there\n");
    assert_int_equal(file_of(profile, "/srv/in")->pattern.consecutive, 2);
    assert_int_equal(file_of(profile, "fd:[4]")->read_calls, 1);
    assert_int_equal(file_of(profile, "/srv/there")->stats, 1);
    assert_int_equal(profile->io_openers[0].open_at_end, 0);
    assert_int_equal(profile->n_io_threads, 1); /* the thread that called exec lives on */
    assert_int_equal(profile->io_threads[0].calls, 3);
    profile_free(profile);
}

static void another_file_of_the_same_name_is_read_anew(void **state)
{
    (void)state;
    struct profile *const profile = load_middle("1 fd_is 5 3 /tmp/x 1 0 0 1 77 900\n" READ(
        "10", "3", "100") "1 fd_close 11 3 3\n"
                          "1 fd_is 12 3 /tmp/x 1 0 0 1 88 900\n" READ(
                              "13", "3",
                              "100") "1 fd_close 14 3 3\n"
                                     "1 fd_is 15 3 /tmp/x 1 0 0 1 88 900\n" READ("16", "3", "100"));
    assert_int_equal(file_of(profile, "/tmp/x")->read_bytes, 300);
    assert_int_equal(file_of(profile, "/tmp/x")->unique_read_bytes, 200);
    profile_free(profile);
}

static void slow_calls_and_threads_have_names(void **state)
{
    (void)state;
    char script[8192];
    size_t n = (size_t)snprintf(script, sizeof script,
                                SCRIPT_HEAD "1 thread 4 100 worker\n"
                                            "1 fd_is 5 3 /data/in 1 0 0 1 77 900\n");
    for (unsigned i = 1; i <= 30; i++) /* 7 is prime to 31: no order at all */
        n += (size_t)snprintf(script + n, sizeof script - n, "1 io %u 1 3 9 9 %u 2 0 0\n", 1000 * i,
                              i * 7 % 31 * 10);
    snprintf(script + n, sizeof script - n,
             "1 path_call 40000 70 -100 4 305 2 /slow/open\n" SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->n_io_slow_calls, PROFILE_SLOW_CALLS);
    assert_string_equal(profile->io_slow_calls[0].path, "/slow/open");
    assert_int_equal(profile->io_slow_calls[0].n_frames, 2);
    for (size_t i = 1; i < PROFILE_SLOW_CALLS; i++) {
        assert_true(profile->io_slow_calls[i].seconds <= profile->io_slow_calls[i - 1].seconds);
        assert_int_equal((int)(profile->io_slow_calls[i].seconds * 1e9 + 0.5), 310 - 10 * (int)i);
        assert_int_equal(profile->io_slow_calls[i].tid, 100);
        assert_int_equal(profile->io_slow_calls[i].bytes, 9);
        assert_string_equal(profile->io_slow_calls[i].op, "read");
    }
    assert_int_equal(profile->n_io_threads, 1);
    assert_string_equal(profile->io_threads[0].name, "worker");
    assert_int_equal(profile->io_threads[0].calls, 30);
    assert_true(profile->io_threads[0].alive_seconds > 0.9);
    profile_free(profile);
}

static void one_process_can_be_asked_for(void **state)
{
    (void)state;
    const struct profile_options options = {.process_id = 2};
    struct profile *const profile = load_script_with(
        SCRIPT_HEAD "1 path_call 5 70 -100 3 1 2 /a\n" READ(
            "10", "3", "100") "1 fork 11 1\n"
                              "stream 2 2 101 101 0\n2 image 20 image=2 pid=101 parent_pid=100 "
                              "parent_image=1 fork_id=1 "
                              "start=8\n2 io 30 1 3 100 10 1 0 0 0\n2 fd_is 31 3 /b 1 0 10 1 7 99\n"
                              "2 io 32 16 3 100 20 1 0 0 0\n" SCRIPT_TAIL,
        &options);
    assert_int_equal(profile->totals.io_read_bytes, 10);
    assert_int_equal(profile->totals.open_count, 0);
    assert_int_equal(file_of(profile, "/a")->read_bytes, 10);
    assert_int_equal(file_of(profile, "/a")->opens, 0);
    assert_int_equal(file_of(profile, "/b")->opens, 0);
    assert_int_equal(profile->n_io_openers, 0);
    assert_int_equal(profile->n_io_sites, 2);
    assert_int_equal(profile->n_io_threads, 1);
    assert_int_equal(profile->n_io_slow_calls, 2);
    profile_free(profile);
}

static void odd_records_do_no_harm(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "1 fd_close 5 7 3\n1 fd_close 6 0 4294967295\n1 fd_close 7 4294967295 4294967295\n",
        "1 fd_new 5 84 3 99 2\n1 fd_new 6 84 -5 -9 2\n1 fd_new 7 255 3 3 9999\n",
        "1 fd_is 5 -3 /x 9 4294967295 -9 1 2 3\n1 fd_is 6 3 . 1 0 9223372036854775807 1 2 3\n"
        "1 io 7 1 3 1 9223372036854775807 1 2 0 0\n1 io 8 16 3 1 1 18446744073709551615 2 0 0\n"
        "1 io 9 16 3 1 1 18446744073709551615 2 0 0\n",
        "1 path_call 5 70 -100 9223372036854775807 1 2 /x\n1 path_call 6 52 3 0 1 2 relative\n"
        "1 path_call 7 255 -1 0 1 2 ../../x\n1 path_call 8 70 7 -9223372036854775808 1 2 y\n",
        "1 folder 5 relative\n1 folder 6 /\n1 folder 7 ..\n1 path_call 8 52 -100 0 1 2 ./a//b/.\n",
        "1 kernel_io 5 7 18446744073709551615 1 1 1\n1 kernel_io 6 1 18446744073709551615 1 1 1\n"
        "1 kernel_io 7 0 1 1 1 1\nprocess_io 8 -1 1 1 1 1\nprocess_io 9 77 1 1 1 1\n",
        "1 io 5 32 3 1 1 1 2 0 9223372036854775807\n1 io 6 33 3 1 1 1 2 0 -9223372036854775808\n"
        "1 io 7 32 3 10 10 1 2 0 3\n1 io 8 32 2147483647 10 10 1 2 0 3\n",
        "process_end 5 100 0\n1 io 6 1 3 1 1 1 2 0 0\n1 path_call 7 70 -100 3 1 2 /x\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        profile_free(load_middle(scripts[i]));
    struct profile *const dots = load_middle(scripts[4]);
    assert_non_null(find_file(dots, "/../a/b")); /* what is before ".." may be a link */
    profile_free(dots);
}

/* Numbers that sums, positions and tables might not expect. */
static const char *pick(uint64_t *seed)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "2",
                                          "3",
                                          "4",
                                          "-1",
                                          "-11",
                                          "100",
                                          "4096",
                                          "255",
                                          "2147483647",
                                          "4294967295",
                                          "-2147483648",
                                          "9223372036854775807",
                                          "9223372036854775800"};
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return numbers[(*seed >> 40) % (sizeof numbers / sizeof *numbers)];
}

static const char *pick_unsigned(uint64_t *seed, const char *most)
{
    const char *number;
    do
        number = pick(seed);
    while (number[0] == '-' || strtoull(number, NULL, 10) > strtoull(most, NULL, 10));
    return number;
}

static const char *pick_int(uint64_t *seed)
{
    const char *number;
    do
        number = pick(seed);
    while (strtoll(number, NULL, 10) > INT32_MAX || strtoll(number, NULL, 10) < INT32_MIN);
    return number;
}

static int write_random(char *line, size_t n_bytes, unsigned time, uint64_t *seed)
{
    static const char *const names[] = {"/a", "b", "..", "pipe:[1]", "/a//./b", "."};
    static const char *const ops[] = {"1",  "3",  "16", "18", "32", "33",
                                      "40", "48", "53", "9",  "60"};
    const char *const name = names[(*seed >> 33) % 6], *const op = ops[(*seed >> 37) % 11];
    const unsigned stream = 1 + (*seed >> 50) % 2;
    const char *const fd = pick_int(seed);
    switch ((*seed >> 45) % 12) {
    case 0:
        return snprintf(line, n_bytes, "%u path_call %u %s %s %s 5 %s %s\n", stream, time,
                        time % 3 ? "70" : "52", fd, pick(seed), time % 2 ? "2" : "0", name);
    case 1:
        return snprintf(line, n_bytes, "%u fd_new %u %s %s %s 1\n", stream, time,
                        time % 3 ? "84" : "83", fd, pick_int(seed));
    case 2:
    case 3: {
        const char *const offset = pick(seed), *const inode = pick_unsigned(seed, "4294967295");
        return snprintf(line, n_bytes, "%u fd_is %u %s %s %u %u %s 1 %s 9\n", stream, time, fd,
                        name, time % 9, time % 2 * 1024, offset, inode);
    }
    case 4: {
        const char *const first = pick_unsigned(seed, "4294967295");
        return snprintf(line, n_bytes, "%u fd_close %u %s %s\n", stream, time, first,
                        pick_unsigned(seed, "4294967295"));
    }
    case 5: return snprintf(line, n_bytes, "%u folder %u %s\n", stream, time, name);
    case 6:
        return snprintf(line, n_bytes, "%u kernel_io %u %u %s 1 2 3\n", stream, time, time % 3,
                        pick_unsigned(seed, "9223372036854775807"));
    case 7:
        return snprintf(line, n_bytes, time % 2 ? "%u fork %u 1\n" : "%u fork_fail %u 1\n", stream,
                        time);
    case 8:
        return snprintf(line, n_bytes,
                        time % 2 ? "%u malloc %u 0x1000 4096 2\n" : "%u free %u 0x1000\n", stream,
                        time);
    default: {
        const char *const asked = pick_unsigned(seed, "9223372036854775807");
        const char *const result = pick(seed), *const took =
                                                   pick_unsigned(seed, "9223372036854775807");
        return snprintf(line, n_bytes, "%u %s %u %s %s %s %s %s %u 0x1010 %s\n", stream,
                        time % 4 ? "io" : "stdio", time, op, fd, asked, result, took, time % 4,
                        pick(seed));
    }
    }
}

static void random_records_do_no_harm(void **state)
{
    (void)state;
    enum { SCRIPT_BYTES = 1 << 18 };
    char *const script = malloc(SCRIPT_BYTES);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        size_t n =
            (size_t)snprintf(script, SCRIPT_BYTES,
                             SCRIPT_HEAD "stream 2 2 101 101 0\n2 image 5 image=2 pid=101 "
                                         "parent_image=1 fork_id=1 start=8\n2 node 1 0 0x400101\n");
        for (unsigned i = 10; i < 1010; i++)
            n += (size_t)write_random(script + n, SCRIPT_BYTES - n, i, &random);
        snprintf(script + n, SCRIPT_BYTES - n, SCRIPT_TAIL);
        struct profile *const profile = load_script(script);
        uint64_t n_calls = 0;
        for (size_t i = 0; i < profile->n_io_sites; i++)
            n_calls += profile->io_sites[i].calls *
                       (profile->io_sites[i].reads + profile->io_sites[i].writes);
        assert_int_equal(n_calls, profile->totals.io_calls);
        profile_free(profile);
    }
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_count_where_the_descriptor_leads),
        cmocka_unit_test(openers_tell_what_is_open_at_the_end),
        cmocka_unit_test(duplicates_share_their_position),
        cmocka_unit_test(forked_children_share_their_parents_position),
        cmocka_unit_test(an_exec_keeps_what_it_is_said_to_keep),
        cmocka_unit_test(another_file_of_the_same_name_is_read_anew),
        cmocka_unit_test(slow_calls_and_threads_have_names),
        cmocka_unit_test(one_process_can_be_asked_for),
        cmocka_unit_test(odd_records_do_no_harm),
        cmocka_unit_test(random_records_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
