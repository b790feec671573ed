/* SPDX-License-Identifier: MIT */
/* What a small request gets is remembered where the allocator promises it. Here it is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/real.h"
#include "preload/usable.h"

struct real real;
static size_t next_usable; /* of the block asked of next */
static unsigned n_asked;
static bool mallocx_is_elsewhere;

static size_t class_of(size_t n_bytes)
{
    return (n_bytes + 31) / 32 * 32;
}

static size_t nallocx(size_t n_bytes, int flags)
{
    assert_true(n_bytes > 0 && flags == 0);
    return class_of(n_bytes);
}

static size_t ask(void *address)
{
    (void)address;
    n_asked++;
    return next_usable;
}

static void *mallocx(size_t n_bytes, int flags)
{
    (void)n_bytes;
    (void)flags;
    return NULL;
}

void *real_beside_malloc(const char *name)
{
    size_t (*const found)(size_t, int) = nallocx;
    void *address;
    memcpy(&address, &found, sizeof address);
    const bool is_mallocx = strcmp(name, "mallocx") == 0 && !mallocx_is_elsewhere;
    return is_mallocx || strcmp(name, "nallocx") == 0 ? address : NULL;
}

static int start(void **state)
{
    (void)state;
    real.malloc_usable_size = ask;
    real.mallocx = mallocx;
    n_asked = 0;
    mallocx_is_elsewhere = false;
    usable_start();
    return 0;
}

/* Those of a block for n_bytes that has `usable`. */
static size_t usable_bytes(size_t n_bytes, size_t usable)
{
    next_usable = usable;
    return usable_of(&next_usable, n_bytes);
}

static void each_eight_sizes_are_asked_of_once(void **state)
{
    (void)state;
    for (size_t n = 0; n <= USABLE_MOST_BYTES; n++)
        assert_int_equal(usable_bytes(n, class_of(n > 0 ? n : 1)), class_of(n > 0 ? n : 1));
    assert_int_equal(n_asked, USABLE_MOST_BYTES / USABLE_GRAIN + 1);
}

static void large_requests_are_not_remembered(void **state)
{
    (void)state;
    assert_int_equal(usable_bytes(USABLE_MOST_BYTES + 1, class_of(USABLE_MOST_BYTES + 1)), 0);
    assert_int_equal(usable_bytes(SIZE_MAX, 0), 0);
    assert_int_equal(n_asked, 0);
}

static void one_broken_promise_ends_it(void **state)
{
    (void)state;
    assert_int_equal(usable_bytes(64, 64), 64);
    assert_int_equal(usable_bytes(96, 128), 0);
    assert_int_equal(usable_bytes(64, 64), 0);
}

/* A rare block that is another, as a sampling allocator's. */
static void so_does_a_block_that_is_not_as_the_first(void **state)
{
    (void)state;
    assert_int_equal(usable_bytes(64, 64), 64);
    usable_check(&next_usable, 64);
    assert_int_equal(usable_bytes(64, 4096), 64);
    usable_check(&next_usable, 64);
    assert_int_equal(usable_bytes(64, 64), 0);
    assert_int_equal(usable_bytes(32, 32), 0);
}

static void another_allocator_promises_nothing(void **state)
{
    (void)state;
    assert_int_equal(usable_bytes(64, 64), 64);
    real.mallocx = NULL;
    usable_start();
    assert_int_equal(usable_bytes(64, 64), 0);
    real.mallocx = mallocx;
    mallocx_is_elsewhere = true;
    usable_start();
    assert_int_equal(usable_bytes(64, 64), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_eight_sizes_are_asked_of_once, start),
        cmocka_unit_test_setup(large_requests_are_not_remembered, start),
        cmocka_unit_test_setup(one_broken_promise_ends_it, start),
        cmocka_unit_test_setup(so_does_a_block_that_is_not_as_the_first, start),
        cmocka_unit_test_setup(another_allocator_promises_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
