/* SPDX-License-Identifier: MIT */
/* How keys find their ids: the slot a hash names, else the next free one. */
#include "reader/idmap.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/hash.h"

/* Most maps are those of the threads of a site, which is one or two. */
enum { FIRST_SLOTS = 4 };

/* The slot that holds `key`, or the empty one where it belongs. */
static struct idmap_entry *find(const struct idmap *map, uint64_t key)
{
    const size_t mask = map->n_slots - 1;
    size_t at = hash_mix(key) & mask;
    while (map->entries[at].value && map->entries[at].key != key)
        at = (at + 1) & mask;
    return &map->entries[at];
}

static int grow(struct idmap *map)
{
    const size_t n_slots = map->n_slots ? 2 * map->n_slots : FIRST_SLOTS;
    struct idmap wider = {.entries = calloc(n_slots, sizeof *wider.entries),
                          .n_slots = n_slots,
                          .n_used = map->n_used};
    if (!wider.entries)
        return -ENOMEM;
    for (size_t i = 0; i < map->n_slots; i++)
        if (map->entries[i].value)
            *find(&wider, map->entries[i].key) = map->entries[i];
    free(map->entries);
    *map = wider;
    return 0;
}

uint32_t idmap_get(const struct idmap *map, uint64_t key)
{
    return map->n_slots ? find(map, key)->value : 0;
}

int idmap_put(struct idmap *map, uint64_t key, uint32_t value)
{
    if (2 * (map->n_used + 1) > map->n_slots) {
        const int error = grow(map);
        if (error)
            return error;
    }
    struct idmap_entry *const entry = find(map, key);
    if (!entry->value)
        map->n_used++;
    *entry = (struct idmap_entry){.key = key, .value = value};
    return 0;
}

int idmap_join(struct idmap *map, const struct idmap *other)
{
    int error = 0;
    for (size_t i = 0; i < other->n_slots && error == 0; i++)
        if (other->entries[i].value)
            error = idmap_put(map, other->entries[i].key, 1);
    return error;
}

void idmap_fini(struct idmap *map)
{
    free(map->entries);
    *map = (struct idmap){0};
}
