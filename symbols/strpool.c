/* SPDX-License-Identifier: MIT */
/* Which copy of a string do all callers share? A hash table of the strings themselves. */
#include "strpool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 };

/* FNV-1a: names are short, and nothing here depends on the order. */
static uint64_t hash_of(const char *text, size_t n_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n_bytes; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
    return hash ^ (hash >> 32);
}

static size_t slot_of(const struct strpool *pool, const char *text, size_t n_bytes)
{
    size_t slot = hash_of(text, n_bytes) & (pool->n_slots - 1);
    while (pool->slots[slot] != NULL &&
           (strncmp(pool->slots[slot], text, n_bytes) != 0 || pool->slots[slot][n_bytes] != '\0')) {
        slot = (slot + 1) & (pool->n_slots - 1);
    }
    return slot;
}

static int grow(struct strpool *pool)
{
    struct strpool wider = {.n_slots = pool->n_slots == 0 ? FIRST_SLOTS : 2 * pool->n_slots,
                            .n_used = pool->n_used};
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (wider.slots == NULL) {
        return -1;
    }
    for (size_t i = 0; i < pool->n_slots; i++) {
        char *text = pool->slots[i];
        if (text != NULL) {
            wider.slots[slot_of(&wider, text, strlen(text))] = text;
        }
    }
    free(pool->slots);
    *pool = wider;
    return 0;
}

const char *strpool_keep(struct strpool *pool, const char *text, size_t n_bytes)
{
    n_bytes = strnlen(text, n_bytes);
    if (n_bytes == 0 || (2 * (pool->n_used + 1) > pool->n_slots && grow(pool) != 0)) {
        return "";
    }
    size_t slot = slot_of(pool, text, n_bytes);
    if (pool->slots[slot] == NULL) {
        char *copy = strndup(text, n_bytes);
        if (copy == NULL) {
            return "";
        }
        pool->slots[slot] = copy;
        pool->n_used++;
    }
    return pool->slots[slot];
}

void strpool_fini(struct strpool *pool)
{
    for (size_t i = 0; i < pool->n_slots; i++) {
        free(pool->slots[i]);
    }
    free(pool->slots);
    *pool = (struct strpool){0};
}
