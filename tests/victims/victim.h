/* SPDX-License-Identifier: MIT */
/* What a victim says about itself: counters in a shared file that survive any death.
 *
 * A victim is a small program that does one thing to its heap and states exactly what. It counts
 * each operation right after it completed, in a row {site, metric, relation}; the test reads the
 * rows once everything is over and compares them with the report of the recorded run. A site is
 * the name of a function: the row speaks of all call stacks that go through it. An empty site
 * speaks of the whole run (a key of `totals` or of `coverage`).
 *
 * The file is named by the environment variable VICTIM_EXPECT and mapped shared, so a victim
 * may be killed, forked or jailed; no descriptor stays open. Without the variable the rows go
 * nowhere. Nothing in here allocates, and nothing runs before the first call. */
#ifndef HEAPWISE_TESTS_VICTIM_H
#define HEAPWISE_TESTS_VICTIM_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* A function to be found by name in recorded stacks. */
#define SITE __attribute__((noinline, noclone))

enum relation { EXACTLY, AT_LEAST, AT_MOST };

typedef _Atomic uint64_t counter;

struct tally_row {
    char site[40];
    char metric[32];
    uint64_t relation;
    counter value;
};

struct tally {
    _Atomic uint64_t lock;
    uint64_t n;
    struct tally_row rows[40];
};

static struct tally *tally_get(void)
{
    static struct tally *tally;
    const char *path = getenv("VICTIM_EXPECT");

    if (tally)
        return tally;
    if (path) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

        if (fd < 0 || ftruncate(fd, sizeof *tally) != 0)
            _exit(99);
        tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    } else {
        tally =
            mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    if (tally == MAP_FAILED)
        _exit(99);
    return tally;
}

/* The counter of a row, made at its first use with value 0; to be added to with tally_add. */
__attribute__((unused)) static counter *expect_row(const char *site, const char *metric,
                                                   enum relation relation)
{
    struct tally *tally = tally_get();
    struct tally_row *row = tally->rows;

    while (atomic_exchange(&tally->lock, 1))
        ;
    while (row < tally->rows + tally->n &&
           (strcmp(row->site, site) != 0 || strcmp(row->metric, metric) != 0))
        row++;
    if (row == tally->rows + tally->n) {
        if (row == tally->rows + sizeof tally->rows / sizeof *row)
            _exit(99);
        strcpy(row->site, site);
        strcpy(row->metric, metric);
        row->relation = relation;
        tally->n++;
    }
    atomic_store(&tally->lock, 0);
    return &row->value;
}

__attribute__((unused)) static void tally_add(counter *row, uint64_t n)
{
    atomic_fetch_add_explicit(row, n, memory_order_relaxed);
}

__attribute__((unused)) static void tally_max(counter *row, uint64_t n)
{
    uint64_t old = atomic_load(row);

    while (n > old && !atomic_compare_exchange_weak(row, &old, n))
        ;
}

/* Add n to a row that must be met exactly. */
__attribute__((unused)) static void expect(const char *site, const char *metric, uint64_t n)
{
    tally_add(expect_row(site, metric, EXACTLY), n);
}

/* All that is known of blocks which one site allocated and which were all freed again. */
__attribute__((unused)) static void expect_freed(const char *site, uint64_t count, uint64_t bytes)
{
    expect(site, "alloc_count", count);
    expect(site, "alloc_bytes", bytes);
    expect(site, "free_count", count);
    expect(site, "leaked_count", 0);
}

__attribute__((unused)) static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* xorshift64*: a repeatable sequence without libc's state. Source: Vigna 2014. */
__attribute__((unused)) static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
