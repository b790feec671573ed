/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/io_vector.h"

static const struct iovec *const bad = (const struct iovec *)16;

static void the_pieces_are_summed(void **state)
{
    const struct iovec vector[] = {{(void *)8, 10}, {NULL, 0}, {(void *)24, 7}};
    const struct iovec huge[] = {{NULL, SIZE_MAX}, {NULL, 1}};
    (void)state;
    assert_int_equal(io_vector_bytes(vector, 3, 17), 17);
    assert_ptr_equal(io_vector_buffer(vector, 3, 17), (void *)8);
    assert_int_equal(io_vector_bytes(vector, 0, 0), 0);
    assert_true(io_vector_bytes(huge, 2, 0) == UINT64_MAX);
}

static void a_vector_the_kernel_did_not_read_is_not_read(void **state)
{
    static const int errors[] = {EFAULT, EINVAL, EBADF, ENOSYS, EPERM, ENOMEM};
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        errno = errors[i];
        assert_int_equal(io_vector_bytes(bad, 2, -1), 0);
        assert_null(io_vector_buffer(bad, 2, -1));
    }
    assert_int_equal(io_vector_bytes(bad, (size_t)-1, 0), 0);
    assert_int_equal(io_vector_bytes(bad, IOV_MAX + 1, 0), 0);
    assert_int_equal(io_vector_bytes(NULL, 1, 0), 0);
}

static void a_refusal_of_the_file_comes_later(void **state)
{
    const struct iovec vector[] = {{(void *)8, 10}};
    (void)state;
    errno = EAGAIN;
    assert_int_equal(io_vector_bytes(vector, 1, -1), 10);
    errno = ENOSPC;
    assert_ptr_equal(io_vector_buffer(vector, 1, -1), (void *)8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pieces_are_summed),
        cmocka_unit_test(a_vector_the_kernel_did_not_read_is_not_read),
        cmocka_unit_test(a_refusal_of_the_file_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
