/* SPDX-License-Identifier: MIT */
/* Whether mapped ranges are cut, joined and replaced as the kernel does it. */
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

#include "reader/mapped.h"

/* One step: + map, - unmap, u undo the last unmap; then the bytes mapped. */
struct step {
    char what;
    uint64_t start, n_bytes, total_bytes;
    uint32_t n_ranges;
};

static void ranges_follow_every_step(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {'+', 0x1000, 0x1000, 0x1000, 1},
        {'+', 0x3000, 0x1000, 0x2000, 2},
        {'+', 0x2000, 0x1000, 0x3000, 1}, /* joins both */
        {'-', 0x1800, 0x1000, 0x2000, 2}, /* a hole in the middle */
        {'u', 0, 0, 0x3000, 1},
        {'+', 0x2000, 0x400, 0x3000, 1},  /* over what is there */
        {'-', 0x1000, 0x800, 0x2800, 1},  /* from the front */
        {'-', 0x3800, 0x9000, 0x2000, 1}, /* beyond the end */
        {'-', 0x8000, 0x1000, 0x2000, 1}, /* nothing there */
        {'u', 0, 0, 0x2000, 1},
        {'+', 0x10000, 0x1000, 0x3000, 2},
        {'+', 0x12000, 0x1000, 0x4000, 3},
        {'+', 0x14000, 0x1000, 0x5000, 4},
        {'-', 0x10800, 0x4000, 0x3000, 3}, /* two cut, one gone */
        {'u', 0, 0, 0x5000, 4},
        {'-', 0, UINT64_MAX, 0, 0},
        {'+', 0x1000, 0, 0, 0},
        {'+', UINT64_MAX - 0xfff, 0x5000, 0xfff, 1}, /* stops at the top */
    };
    struct mapped mapped = {0};
    struct mapped_cut cut = {.n_pieces = 0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct step *const step = &steps[i];
        int error = 0;
        if (step->what == '+')
            error = mapped_add(&mapped, step->start, step->n_bytes);
        else if (step->what == '-')
            error = mapped_cut(&mapped, step->start, step->n_bytes, &cut);
        else
            error = mapped_restore(&mapped, &cut);
        assert_int_equal(error, 0);
        if (mapped.total_bytes != step->total_bytes || mapped.n_ranges != step->n_ranges)
            fail_msg("step %zu: %zx bytes in %u ranges", i, (size_t)mapped.total_bytes,
                     mapped.n_ranges);
    }
    mapped_fini(&mapped);
}

/* Against a map of bytes, page by page. */
static void random_steps_agree_with_a_page_table(void **state)
{
    (void)state;
    enum { N = 256 };
    bool pages[N] = {false};
    struct mapped mapped = {0};
    uint64_t seed = 7;
    for (unsigned round = 0; round < 20000; round++) {
        seed = seed * UINT64_C(6364136223846793005) + 1;
        const size_t first = seed >> 40 & (N - 1), n = seed >> 50 & 15, kind = seed >> 60 & 1;
        struct mapped_cut cut;
        uint64_t total = 0;
        for (size_t i = first; i < first + n && i < N; i++)
            pages[i] = kind;
        const uint64_t bytes = (first + n < N ? n : N - first) * 4096;
        if (kind)
            assert_int_equal(mapped_add(&mapped, first * 4096, bytes), 0);
        else
            assert_int_equal(mapped_cut(&mapped, first * 4096, bytes, &cut), 0);
        for (size_t i = 0; i < N; i++)
            total += pages[i] ? 4096 : 0;
        assert_int_equal(mapped.total_bytes, total);
        for (uint32_t i = 1; i < mapped.n_ranges; i++)
            assert_true(mapped.ranges[i - 1].end < mapped.ranges[i].start);
    }
    mapped_fini(&mapped);
}

static void ranges_are_bounded(void **state)
{
    (void)state;
    struct mapped mapped = {0};
    for (uint64_t i = 0; i < MAPPED_MAX_RANGES + 10; i++)
        assert_int_equal(mapped_add(&mapped, i * 8192, 4096), 0);
    assert_int_equal(mapped.n_ranges, MAPPED_MAX_RANGES);
    assert_int_equal(mapped.total_bytes, (uint64_t)MAPPED_MAX_RANGES * 4096);
    struct mapped_cut cut;
    assert_int_equal(mapped_cut(&mapped, 1024, 1024, &cut), 0);
    assert_int_equal(mapped.total_bytes, (uint64_t)MAPPED_MAX_RANGES * 4096 - 3072);
    mapped_fini(&mapped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_follow_every_step),
        cmocka_unit_test(random_steps_agree_with_a_page_table),
        cmocka_unit_test(ranges_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
