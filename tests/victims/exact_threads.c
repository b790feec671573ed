/* SPDX-License-Identifier: MIT */
/* THREADS (8) threads do OPERATIONS (1,000,000) operations each on one table of blocks: malloc,
 * calloc, aligned_alloc, realloc or free of whatever lies in a random place, so most blocks are
 * freed by another thread than their maker. Each block is stamped with its present owner (the
 * site that made or last resized it), its size and its birth; at the release the stamp says whose
 * free_count grows. Every counter must be met exactly; a pairing confused by the reuse of an
 * address would charge a free to the wrong site or give a lifetime longer than any. */
#include "victim.h"

#include <pthread.h>

enum owner { BY_MALLOC, BY_CALLOC, BY_ALIGNED, BY_REALLOC, N_OWNERS };
enum { N_PLACES = 4096, MAX_THREADS = 64 };

struct block {
    uint64_t owner;
    uint64_t size;
    uint64_t born_ns;
};

struct counts {
    uint64_t made, resized, freed, bytes, longest_ns;
};

static const char *const owner_names[N_OWNERS] = {"by_malloc", "by_calloc", "by_aligned",
                                                  "by_realloc"};
static struct block *_Atomic places[N_PLACES];
static struct counts counted[MAX_THREADS][N_OWNERS];
static uint64_t n_operations = 1000000;

SITE static void *by_malloc(size_t size)
{
    return malloc(size);
}

SITE static void *by_calloc(size_t size)
{
    return calloc(1, size);
}

SITE static void *by_aligned(size_t size)
{
    return aligned_alloc(64, size);
}

SITE static void *by_realloc(void *block, size_t size)
{
    return realloc(block, size);
}

static struct block *make(struct counts *counts, uint64_t random)
{
    static void *(*const makers[])(size_t) = {by_malloc, by_calloc, by_aligned};
    enum owner owner = random % 3;
    size_t size = sizeof(struct block) + (random >> 8) % 40 * ((random >> 16) % 8 ? 4 : 400);
    uint64_t born_ns = clock_ns();
    struct block *block;

    if (owner == BY_ALIGNED)
        size = (size + 63) & ~(size_t)63;
    block = makers[owner](size);
    *block = (struct block){.owner = owner, .size = size, .born_ns = born_ns};
    counts[owner].made++;
    counts[owner].bytes += size;
    return block;
}

static struct block *resize(struct counts *counts, struct block *block, uint64_t random)
{
    size_t size = sizeof *block + (random >> 20) % 600;

    block = by_realloc(block, size);
    block->owner = BY_REALLOC;
    block->size = size;
    counts[BY_REALLOC].resized++;
    counts[BY_REALLOC].bytes += size;
    return block;
}

static void release(struct counts *counts, struct block *block)
{
    struct counts *owner = &counts[block->owner];
    uint64_t born_ns = block->born_ns, age_ns;

    free(block);
    age_ns = clock_ns() - born_ns;
    owner->freed++;
    if (age_ns > owner->longest_ns)
        owner->longest_ns = age_ns;
}

static void *work(void *argument)
{
    struct counts *counts = argument;
    uint64_t random = 88172645463325252u + (uint64_t)(counts - counted[0]);

    for (uint64_t i = 0; i < n_operations; i++) {
        uint64_t draw = random_next(&random);
        struct block *_Atomic *place = &places[(draw >> 32) % N_PLACES];
        struct block *block = atomic_exchange(place, NULL);

        if (!block)
            block = make(counts, draw);
        else if (draw % 4 == 0)
            block = resize(counts, block, draw);
        else {
            release(counts, block);
            continue;
        }
        block = atomic_exchange(place, block);
        if (block)
            release(counts, block);
    }
    return NULL;
}

static void tell(unsigned n_threads)
{
    for (int owner = 0; owner < N_OWNERS; owner++) {
        const char *name = owner_names[owner];

        for (unsigned i = 0; i < n_threads; i++) {
            const struct counts *counts = &counted[i][owner];

            expect(name, "alloc_count", counts->made);
            expect(name, "realloc_count", counts->resized);
            expect(name, "free_count", counts->freed);
            expect(name, "alloc_bytes", counts->bytes);
            tally_max(expect_row(name, "lifetime_ns.max", AT_MOST), counts->longest_ns);
        }
        expect(name, "leaked_count", 0);
        expect(name, "leaked_bytes", 0);
    }
    for (unsigned i = 0; i < N_PLACES; i++) {
        if (!places[i])
            continue;
        expect(owner_names[places[i]->owner], "leaked_count", 1);
        expect(owner_names[places[i]->owner], "leaked_bytes", places[i]->size);
    }
    expect("", "threads", n_threads + 1);
}

int main(int argc, char **argv)
{
    unsigned n_threads = argc > 1 ? (unsigned)atoi(argv[1]) : 8;
    pthread_t threads[MAX_THREADS];

    if (argc > 2)
        n_operations = strtoull(argv[2], NULL, 10);
    if (n_threads > MAX_THREADS)
        return 2;
    for (unsigned i = 0; i < n_threads; i++)
        pthread_create(&threads[i], NULL, work, counted[i]);
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    tell(n_threads);
    return 0;
}
