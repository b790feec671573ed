/* SPDX-License-Identifier: MIT */
/* Which module an address of one process image lies in, at a moment of its life.
 *
 * Modules are added in the order of their loading. The current answer is the last loaded one that
 * covers the address, unloaded or not (nothing else can have been there since); an address that
 * none covers yet belongs to the first one loaded later that does. */
#ifndef HEAPWISE_READER_MODMAP_H
#define HEAPWISE_READER_MODMAP_H

#include <stdint.h>

enum { MODMAP_MAX_MODULES = 65536 }; /* the kernel's default vm.max_map_count */

struct module {
    uint64_t start, end; /* addresses */
    uint64_t bias;       /* address less this is the ELF virtual address */
    uint32_t object;     /* stacks_object() */
};

/* Zero it to begin. */
struct modmap {
    struct module *modules; /* in order of loading */
    uint32_t n_modules, capacity;
    uint32_t generation; /* moves on when a module takes the place of an earlier one */
    uint32_t last_hit;
};

/* Add the next loaded module. Returns 0, -ENOMEM, or -E2BIG (then it was left out). */
int modmap_add(struct modmap *map, const struct module *module);

/* The module that covers `address` now; NULL where none does. */
const struct module *modmap_now(struct modmap *map, uint64_t address);

/* The first module loaded as number `n_modules` or later (from 0) that covers `address`, or NULL. */
const struct module *modmap_later(const struct modmap *map, uint32_t n_modules, uint64_t address);

void modmap_fini(struct modmap *map);

#endif
