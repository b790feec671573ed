/* SPDX-License-Identifier: MIT */
/* Which file a path means, and what happens where there are too many. */
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

#include "reader/io_model.h"
#include "tests/support/load_script.h"

/* path_call: time op folder result took stack path; 52 stat. */
static void paths_become_absolute_where_the_folder_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *path;
    } rows[] = {
        {"1 path_call 10 52 -100 0 1 2 /a/b\n", "/a/b"},
        {"1 path_call 10 52 -100 0 1 2 a/b\n", "a/b"},
        {"1 folder 5 /srv\n1 path_call 10 52 -100 0 1 2 a/b\n", "/srv/a/b"},
        {"1 folder 5 /srv\n1 folder 6 sub\n1 path_call 10 52 -100 0 1 2 a\n", "/srv/sub/a"},
        {"1 folder 5 /\n1 path_call 10 52 -100 0 1 2 a\n", "/a"},
        {"1 folder 5 /\n1 path_call 10 52 -100 0 1 2 .\n", "/"},
        {"1 folder 5 /srv\n1 path_call 10 52 -100 0 1 2 .//./a/./\n", "/srv/a"},
        {"1 folder 5 /srv\n1 path_call 10 52 -100 0 1 2 ../a\n", "/srv/../a"},
        {"1 path_call 5 70 -100 7 1 2 /etc\n1 path_call 10 52 7 0 1 2 conf\n", "/etc/conf"},
        {"1 path_call 10 52 7 0 1 2 conf\n", "conf"},
        {"1 fd_is 5 7 pipe:[9] 3 0 -1 1 9 0\n1 path_call 10 52 7 0 1 2 x\n", "x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[4096];
        snprintf(script, sizeof script, SCRIPT_HEAD "%s" SCRIPT_TAIL, rows[i].script);
        struct profile *const profile = load_script(script);
        bool found = false;
        for (size_t j = 0; j < profile->n_io_files; j++)
            if (profile->io_files[j].stats == 1)
                found = strcmp(profile->io_files[j].path, rows[i].path) == 0;
        if (!found)
            fail_msg("no %s", rows[i].path);
        profile_free(profile);
    }
}

static void relative_paths_begin_where_the_command_did(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script("run root_pid=100 folder=/srv/work\nclock 0 0 0\nstream 1 1 100 100 0\n"
                    "1 image 1 image=1 pid=100 start=7\n"
                    "1 path_call 10 52 -100 0 1 0 a\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_io_files, 1);
    assert_string_equal(profile->io_files[0].path, "/srv/work/a");
    profile_free(profile);
}

/* The profile of `n` questions about as many files. */
static struct profile *load_many(const char *folder, unsigned n)
{
    const size_t n_bytes = 64 * (size_t)n + 8192;
    char *const script = malloc(n_bytes);
    size_t at = (size_t)snprintf(script, n_bytes, SCRIPT_HEAD "1 folder 5 %s\n", folder);
    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(script + at, n_bytes - at, "1 path_call %u 52 -100 0 1 0 %u\n",
                               10 + i, i);
    snprintf(script + at, n_bytes - at, SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    free(script);
    return profile;
}

/* The row that files beyond a limit share has `n_rest` of the stats. */
static void check_rest(const struct profile *profile, unsigned n, uint64_t n_rest)
{
    uint64_t n_stats = 0;
    for (size_t i = 0; i < profile->n_io_files; i++) {
        n_stats += profile->io_files[i].stats;
        if (strcmp(profile->io_files[i].path, "(more files)") == 0)
            assert_int_equal(profile->io_files[i].stats, n_rest);
        else
            assert_int_equal(profile->io_files[i].stats, 1);
    }
    assert_int_equal(profile->n_io_files, n - n_rest + 1);
    assert_int_equal(n_stats, n);
    assert_int_equal(profile->totals.stat_count, n);
}

static void files_beyond_the_limit_share_a_row(void **state)
{
    (void)state;
    const unsigned n = MODEL_MAX_IO_FILES + 100;
    struct profile *const profile = load_many("/f", n);
    check_rest(profile, n, 100);
    profile_free(profile);
}

static void long_names_do_not_fill_the_memory(void **state)
{
    (void)state;
    enum { FOLDER_BYTES = 4000, N_FILES = 20000 };
    char folder[FOLDER_BYTES + 1];
    memset(folder, 'x', FOLDER_BYTES);
    folder[0] = '/';
    folder[FOLDER_BYTES] = 0;
    struct profile *const profile = load_many(folder, N_FILES);
    const uint64_t n_kept = profile->n_io_files - 1;
    assert_true(n_kept > 16000 && n_kept * FOLDER_BYTES <= MODEL_MAX_IO_NAME_BYTES);
    check_rest(profile, N_FILES, N_FILES - n_kept);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_absolute_where_the_folder_is_known),
        cmocka_unit_test(relative_paths_begin_where_the_command_did),
        cmocka_unit_test(files_beyond_the_limit_share_a_row),
        cmocka_unit_test(long_names_do_not_fill_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
