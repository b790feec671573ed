/* SPDX-License-Identifier: MIT */
/* What descriptors lead to after opens, duplicates, forks and closes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/fds.h"

static uint32_t open_as(struct fds *fds, struct fds_pool *pool, int32_t fd)
{
    uint32_t description;
    assert_int_equal(fds_open(fds, pool, fd, (uint32_t)fd + 100, &description), 0);
    return description;
}

static unsigned close_range_of(struct fds *fds, struct fds_pool *pool, uint32_t first,
                               uint32_t last)
{
    struct fds_slot closed;
    unsigned n = 0;
    for (uint32_t at = 0; fds_close_next(fds, pool, first, last, &at, &closed); n++)
        assert_true(closed.key - 1 >= first && closed.key - 1 <= last);
    return n;
}

static void duplicates_share_a_description_until_the_last_is_closed(void **state)
{
    (void)state;
    struct fds fds = {0};
    struct fds_pool pool = {0};
    const uint32_t three = open_as(&fds, &pool, 3);
    const struct fds_slot with = *fds_find(&fds, 3);
    assert_int_equal(fds_share(&fds, &pool, 9, &with), 0);
    fds_description(&pool, three)->offset_bytes = 77;
    assert_int_equal(close_range_of(&fds, &pool, 3, 3), 1);
    assert_null(fds_find(&fds, 3));
    assert_int_equal(fds_description(&pool, fds_find(&fds, 9)->description)->offset_bytes, 77);
    assert_int_equal(close_range_of(&fds, &pool, 9, 9), 1);
    const uint64_t serial = fds_description(&pool, three)->serial;
    assert_int_equal(open_as(&fds, &pool, 4), three); /* its place is used again */
    assert_int_not_equal(fds_description(&pool, three)->serial, serial);
    fds_fini(&fds, &pool);
    fds_pool_fini(&pool);
}

static void children_share_what_their_parent_had_open(void **state)
{
    (void)state;
    struct fds parent = {0}, child = {0}, nothing = {0};
    struct fds_pool pool = {0};
    const uint32_t three = open_as(&parent, &pool, 3);
    assert_int_equal(fds_copy(&child, &pool, &parent), 0);
    assert_int_equal(fds_find(&child, 3)->description, three);
    assert_int_equal(fds_find(&child, 3)->opener, 0);
    assert_int_equal(fds_find(&parent, 3)->opener, 103);
    fds_fini(&parent, &pool);
    assert_int_equal(fds_description(&pool, three)->n_slots, 1);
    assert_int_equal(fds_copy(&nothing, &pool, &parent), 0);
    fds_fini(&child, &pool);
    fds_pool_fini(&pool);
}

static void ranges_close_what_lies_in_them(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, last;
        unsigned n_closed;
    } rows[] = {{3, 3, 1},
                {3, 2, 0},
                {0, UINT32_MAX, 1000},
                {10, 19, 10},
                {500, 600, 101},
                {990, UINT32_MAX, 10},
                {UINT32_MAX, UINT32_MAX, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fds fds = {0};
        struct fds_pool pool = {0};
        for (int32_t fd = 0; fd < 1000; fd++)
            open_as(&fds, &pool, fd);
        assert_int_equal(close_range_of(&fds, &pool, rows[i].first, rows[i].last),
                         rows[i].n_closed);
        assert_int_equal(fds.n_used, 1000 - rows[i].n_closed);
        for (uint32_t fd = 0; fd < 1000; fd++)
            assert_int_equal(fds_find(&fds, (int32_t)fd) == NULL,
                             fd >= rows[i].first && fd <= rows[i].last);
        fds_fini(&fds, &pool);
        fds_pool_fini(&pool);
    }
}

static void impossible_descriptors_are_left_out(void **state)
{
    (void)state;
    struct fds fds = {0};
    struct fds_pool pool = {0};
    struct fds_slot closed;
    uint32_t at = 0;
    assert_int_equal(open_as(&fds, &pool, -1), 0);
    assert_int_equal(open_as(&fds, &pool, INT32_MIN), 0);
    assert_int_equal(open_as(&fds, &pool, INT32_MAX), 0);
    assert_null(fds_find(&fds, -1));
    assert_false(fds_close_next(&fds, &pool, 0, UINT32_MAX, &at, &closed));
    assert_int_not_equal(open_as(&fds, &pool, INT32_MAX - 1), 0);
    assert_int_equal(fds.n_used, 1);
    fds_fini(&fds, &pool);
    fds_pool_fini(&pool);
}

static void many_opens_and_closes_leave_nothing_behind(void **state)
{
    (void)state;
    struct fds fds = {0};
    struct fds_pool pool = {0};
    uint64_t seed = 1;
    bool open[256] = {false};
    for (unsigned i = 0; i < 100000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const int32_t fd = (int32_t)(seed >> 33 & 255);
        assert_int_equal(fds_find(&fds, fd) != NULL, open[fd]);
        if (open[fd])
            assert_int_equal(close_range_of(&fds, &pool, (uint32_t)fd, (uint32_t)fd), 1);
        else
            open_as(&fds, &pool, fd);
        open[fd] = !open[fd];
    }
    assert_true(pool.n <= 257);
    fds_fini(&fds, &pool);
    fds_pool_fini(&pool);
}

/* A small trace of a million descriptors and as many closings, or forks, would take hours. */
static void effort_in_vain_is_bounded(void **state)
{
    (void)state;
    struct fds fds = {0}, child = {0};
    struct fds_pool pool = {0};
    for (int32_t fd = 0; fd < 1000; fd++)
        open_as(&fds, &pool, fd);
    assert_int_equal(close_range_of(&fds, &pool, 5000, UINT32_MAX), 0);
    assert_true(pool.effort >= 1000);
    pool.effort = FDS_MAX_EFFORT - 1;
    assert_int_equal(fds_copy(&child, &pool, &fds), 0);
    assert_null(fds_find(&child, 3));
    assert_int_equal(close_range_of(&fds, &pool, 5000, 9000), 0);
    assert_int_equal(pool.effort, FDS_MAX_EFFORT);
    assert_int_equal(close_range_of(&fds, &pool, 3, UINT32_MAX), 0);
    assert_int_equal(close_range_of(&fds, &pool, 3, 3), 1);
    assert_int_equal(close_range_of(&fds, &pool, 3, 3), 0);
    assert_int_equal(open_as(&fds, &pool, 3) > 0, 1);
    fds_fini(&fds, &pool);
    fds_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicates_share_a_description_until_the_last_is_closed),
        cmocka_unit_test(children_share_what_their_parent_had_open),
        cmocka_unit_test(ranges_close_what_lies_in_them),
        cmocka_unit_test(impossible_descriptors_are_left_out),
        cmocka_unit_test(many_opens_and_closes_leave_nothing_behind),
        cmocka_unit_test(effort_in_vain_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
