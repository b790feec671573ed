/* SPDX-License-Identifier: MIT */
/* Lists that grow side by side in one file keep their ops, however long they become. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "replay/ops_writer.h"

enum { N_LISTS = 5, N_OPS = 30000 };

/* Ops of list `number` carry it as their slot, and count up. */
static void check_list(const struct ops_writer *writer, const struct ops_list *list,
                       uint32_t number, uint64_t n_ops)
{
    uint64_t at = list->first_at, n_seen = 0;
    uint32_t n_left = list->n_first;
    while (n_seen < n_ops) {
        assert_true(n_left > 0);
        const struct ops_op *const op = ops_writer_op(writer, at);
        at += sizeof *op;
        n_left--;
        if (op->kind == OPS_JUMP) {
            assert_int_equal(n_left, 0);
            at = op->bytes;
            n_left = op->slot;
            continue;
        }
        assert_int_equal(op->slot, number);
        assert_int_equal(op->bytes, n_seen++);
    }
}

static void lists_keep_their_ops(void **state)
{
    struct ops_writer writer;
    struct ops_list lists[N_LISTS] = {{.at = 0}};
    uint64_t n_ops[N_LISTS] = {0};
    (void)state;
    assert_int_equal(ops_writer_open(&writer), 0);
    for (uint32_t i = 0; i < N_OPS; i++) {
        const uint32_t which = i % 7 < N_LISTS ? i % 7 : 0;
        const struct ops_op op = {.slot = which, .bytes = n_ops[which]++};
        uint64_t at;
        assert_int_equal(ops_writer_add(&writer, &lists[which], &op, &at), 0);
        assert_memory_equal(ops_writer_op(&writer, at), &op, sizeof op);
    }
    for (uint32_t i = 0; i < N_LISTS; i++)
        check_list(&writer, &lists[i], i, n_ops[i]);
    ops_writer_close(&writer);
}

static void bytes_of_no_list_stand_apart(void **state)
{
    static const char text[] = "seventeen letters";
    struct ops_writer writer;
    uint64_t first, second;
    (void)state;
    assert_int_equal(ops_writer_open(&writer), 0);
    assert_int_equal(ops_writer_put(&writer, text, sizeof text, &first), 0);
    assert_int_equal(ops_writer_put(&writer, NULL, 0, &second), 0);
    assert_true(first >= sizeof(struct ops_head));
    assert_true(second >= first + sizeof text);
    assert_int_equal(second % sizeof(struct ops_op), 0);
    assert_string_equal(writer.bytes + first, text);
    ops_writer_close(&writer);
}

static void a_limit_of_file_sizes_is_an_error(void **state)
{
    struct ops_writer writer;
    struct ops_list list = {.at = 0};
    struct rlimit before, limit;
    uint64_t at;
    int error = 0;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(ops_writer_open(&writer), 0);
    for (uint32_t i = 0; i < 1 << 17 && error == 0; i++) {
        const struct ops_op op = {.bytes = i};
        error = ops_writer_add(&writer, &list, &op, &at);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(error, -EFBIG);
    ops_writer_close(&writer);
}

static void the_file_has_no_name_and_is_ours(void **state)
{
    struct ops_writer writer;
    struct stat status;
    (void)state;
    setenv("TMPDIR", "/nowhere", 1); /* then another place is found */
    assert_int_equal(ops_writer_open(&writer), 0);
    assert_int_equal(fstat(writer.fd, &status), 0);
    assert_int_equal(status.st_nlink, 0);
    ops_writer_close(&writer);
    assert_int_equal(writer.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_keep_their_ops),
        cmocka_unit_test(bytes_of_no_list_stand_apart),
        cmocka_unit_test(a_limit_of_file_sizes_is_an_error),
        cmocka_unit_test(the_file_has_no_name_and_is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
