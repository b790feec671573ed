/* SPDX-License-Identifier: MIT */
/* Which small id belongs to a 64-bit key: open addressing, linear probing, at most half full. */
#ifndef HEAPWISE_READER_IDMAP_H
#define HEAPWISE_READER_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* Zero it to begin. An entry whose value is 0 is empty. */
struct idmap {
    struct idmap_entry {
        uint64_t key;
        uint32_t value;
    } * entries;
    size_t n_slots; /* power of two, or 0 */
    size_t n_used;
};

/* The key's value, 0 where it has none. */
uint32_t idmap_get(const struct idmap *map, uint64_t key);

/* Set the key's value, which is not 0. Returns 0 or -ENOMEM. */
int idmap_put(struct idmap *map, uint64_t key, uint32_t value);

/* Let the map have all keys of another one, with the value 1: a set of them. Returns 0 or -ENOMEM. */
int idmap_join(struct idmap *map, const struct idmap *other);

void idmap_fini(struct idmap *map);

#endif
