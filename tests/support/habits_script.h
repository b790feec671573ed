/* SPDX-License-Identifier: MIT */
/* How a test gets one figure of the habits of a scripted trace's I/O sites. */
#ifndef HEAPWISE_TESTS_HABITS_SCRIPT_H
#define HEAPWISE_TESTS_HABITS_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reader/habits.h"
#include "tests/support/load_script.h"

/* The profile, with habits, of a script between SCRIPT_HEAD and SCRIPT_TAIL. */
static inline struct profile *load_habits(const char *middle)
{
    static const struct profile_options options = {.habits = true};
    char script[65536];
    snprintf(script, sizeof script, SCRIPT_HEAD "%s" SCRIPT_TAIL, middle);
    return load_script_with(script, &options);
}

/* The first row of a kernel call; fails the test where there is none. */
static inline const struct io_site *site_of(const struct profile *profile, const char *op)
{
    for (size_t i = 0; i < profile->n_io_sites; i++)
        if (strcmp(profile->io_sites[i].op, op) == 0)
            return &profile->io_sites[i];
    fail_msg("no site of %s", op);
    return NULL;
}

/* A field that one row of calls is to give: of the site of a kernel call. */
struct expectation {
    const char *middle, *op;
    uint64_t value;
};

static inline void expect_field(const struct expectation *rows, size_t n, size_t offset)
{
    for (size_t i = 0; i < n; i++) {
        struct profile *const profile = load_habits(rows[i].middle);
        const struct io_habits *const habits = site_of(profile, rows[i].op)->habits;
        const uint64_t found = *(const uint64_t *)(const void *)((const char *)habits + offset);
        if (found != rows[i].value)
            fail_msg("row %zu: %llu, not %llu", i, (unsigned long long)found,
                     (unsigned long long)rows[i].value);
        profile_free(profile);
    }
}

#define EXPECT(rows, field)                                                                        \
    expect_field(rows, sizeof(rows) / sizeof *(rows), offsetof(struct io_habits, field))

#endif
