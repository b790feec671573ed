/* SPDX-License-Identifier: MIT */
/* When a block is said to hold a whole file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/habits_script.h"

/* io: time op fd requested result took stack buffer detail; 1 reads, 3 is pread64. fd_is: time fd name kind flags
 * offset device inode size. */
/* A block holds a file once its parts lie there as in the file: three reads of 100,000 bytes each. */
#define BIG_8 "1 fd_is 5 8 /data/big 1 0 0 1 80 300000\n"

static void files_held_whole_in_a_block_are_told(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {BIG_8
         "1 malloc 9 0x100000 300000 2\n1 io 10 1 8 100000 100000 1 2 0x100000 0\n"
         "1 io 11 1 8 100000 100000 1 2 0x1186a0 0\n1 io 12 1 8 100000 100000 1 2 0x130d40 0\n"
         "1 io 13 1 8 100000 0 1 2 0x130d40 0\n",
         "read", 3},
        /* one that moves while it grows, behind a header of its own */
        {BIG_8 "1 malloc 8 0x100000 150032 2\n1 io 10 1 8 150000 150000 1 2 0x100020 0\n"
               "1 realloc_begin 11 0x100000 0\n1 realloc_end 12 0x800000 300032 2\n"
               "1 io 13 1 8 150000 150000 1 2 0x824a10 0\n",
         "read", 2},
        /* the same memory for each part */
        {BIG_8 "1 malloc 9 0x100000 100000 2\n1 io 10 1 8 100000 100000 1 2 0x100000 0\n"
               "1 io 11 1 8 100000 100000 1 2 0x100000 0\n"
               "1 io 12 1 8 100000 100000 1 2 0x100000 0\n",
         "read", 0},
        /* not from its begin on; too small a file; no block */
        {BIG_8 "1 malloc 9 0x100000 300000 2\n1 io 10 3 8 200000 200000 1 2 0x100000 100000\n"
               "1 fd_is 11 9 /data/small 1 0 0 1 81 200000\n"
               "1 io 12 3 9 200000 200000 1 2 0x100000 0\n"
               "1 io 13 3 8 300000 300000 1 2 0x900000 0\n",
         "pread64", 0},
        /* memory that would end before the file does */
        {BIG_8 "1 malloc 9 0x100000 200000 2\n1 io 10 1 8 300000 300000 1 2 0x100000 0\n", "read",
         0},
    };
    EXPECT(rows, whole_file_calls);
    struct profile *const profile = load_habits(rows[0].middle);
    assert_int_equal(site_of(profile, "read")->habits->whole_file_bytes, 300000);
    profile_free(profile);
}

/* fread() takes whole pages to where they belong, and the rest through the stream's buffer. */
static void what_stdio_leaves_to_its_buffer_is_held_as_well(void **state)
{
    (void)state;
    static const struct expectation rows[] = {
        {BIG_8
         "1 malloc 9 0x100000 300000 2\n1 malloc 9 0x200000 4096 2\n"
         "1 stdio 10 1 8 299008 299008 1 2 0x100000 1\n1 stdio 11 1 8 4096 992 1 2 0x200000 0\n",
         "read", 1},
        {BIG_8 "1 malloc 9 0x100000 300000 2\n1 io 10 1 8 299008 299008 1 2 0x100000 0\n", "read",
         0},
    };
    EXPECT(rows, whole_file_calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_held_whole_in_a_block_are_told),
        cmocka_unit_test(what_stdio_leaves_to_its_buffer_is_held_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
