/* SPDX-License-Identifier: MIT */
/* How the real functions are found: RTLD_NEXT, always; libc's handle would pass over an allocator or
 * another shim that the user preloads behind us. */
#include "preload/real.h"

#include <gnu/libc-version.h>
#include <link.h>
#include <stdint.h>

#include "preload/image.h"

enum { N_TRIALS = 64 };

struct real real;
_Atomic uint32_t real_blocks;
static _Atomic uint32_t n_trials; /* blocks whose word was right */
static const char *allocator_path = "";

/* Why every cast goes through memcpy's cousin: ISO C has no conversion from void * to a function. */
static void resolve(void *slot, const char *name)
{
    *(void **)slot = dlsym(RTLD_NEXT, name);
}

static const struct link_map *module_of(const void *address)
{
    struct dl_find_object found;
    return address && _dl_find_object((void *)(uintptr_t)address, &found) == 0 ? found.dlfo_link_map
                                                                               : NULL;
}

static const struct link_map *libc_module(void)
{
    return module_of((const void *)(uintptr_t)gnu_get_libc_version);
}

/* The executable's own malloc is found first by everybody, ours by nobody. */
static void find_allocator(void)
{
    const struct link_map *map = module_of(dlsym(RTLD_DEFAULT, "malloc"));
    if (map == module_of(&real))
        map = module_of((const void *)(uintptr_t)real.malloc);
    if (map)
        allocator_path = map->l_name;
}

/* A program's references name a version, and so reach definitions that are not their name's default, which dlsym()
 * passes over: libc_malloc_debug has no others. Whoever defines a name without a version was found by dlsym(). */
static void resolve_versions(void)
{
    static const struct {
        void *slot;
        const char *name, *version;
    } names[] = {
        {&real.malloc, "malloc", "GLIBC_2.2.5"},
        {&real.calloc, "calloc", "GLIBC_2.2.5"},
        {&real.realloc, "realloc", "GLIBC_2.2.5"},
        {&real.free, "free", "GLIBC_2.2.5"},
        {&real.posix_memalign, "posix_memalign", "GLIBC_2.2.5"},
        {&real.aligned_alloc, "aligned_alloc", "GLIBC_2.16"},
        {&real.memalign, "memalign", "GLIBC_2.2.5"},
        {&real.valloc, "valloc", "GLIBC_2.2.5"},
        {&real.pvalloc, "pvalloc", "GLIBC_2.2.5"},
        {&real.malloc_usable_size, "malloc_usable_size", "GLIBC_2.2.5"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void **const slot = names[i].slot;
        void *const found = module_of(*slot) == libc_module()
                                ? dlvsym(RTLD_NEXT, names[i].name, names[i].version)
                                : NULL;
        if (found)
            *slot = found;
    }
}

/* Only libc's own blocks can be trusted to have a word before them at all. */
static bool allocates_as_glibc(void)
{
    const struct link_map *const libc = libc_module();
    return libc && module_of((const void *)(uintptr_t)real.malloc) == libc &&
           module_of((const void *)(uintptr_t)real.malloc_usable_size) == libc;
}

void real_resolve(void)
{
#define HOOK(kind, result, name, parameters) HOOK_##kind(name)
#define HOOK_NEEDED(name)                    resolve(&real.name, #name);
#define HOOK_OPTIONAL(name)                  resolve(&real.name, #name);
#define HOOK_JUMP(name)                      resolve(&real.name##_jump, #name);
#define HOOK_ALIAS(name)
#include "preload/hooks.def"
#undef HOOK
#undef HOOK_NEEDED
#undef HOOK_OPTIONAL
#undef HOOK_JUMP
#undef HOOK_ALIAS
    resolve_versions();
    find_allocator();
    atomic_store(&n_trials, 0);
    atomic_store(&real_blocks, allocates_as_glibc() ? REAL_BLOCKS_TRIED : REAL_BLOCKS_FOREIGN);
}

/* Blocks of the program's are tried, not blocks of our own: these would change its heap. */
static void try_word(const void *address, size_t usable)
{
    const uint64_t word = real_block_word(address);
    uint32_t tried = REAL_BLOCKS_TRIED;
    if (word & REAL_BLOCK_MAPPED)
        return;
    if ((word & ~(uint64_t)REAL_BLOCK_BITS) != usable + REAL_BLOCK_WORD)
        atomic_store(&real_blocks, REAL_BLOCKS_FOREIGN);
    else if (atomic_fetch_add(&n_trials, 1) + 1 >= N_TRIALS)
        atomic_compare_exchange_strong(&real_blocks, &tried, REAL_BLOCKS_KNOWN);
}

size_t real_usable_bytes(const void *address)
{
    const uint32_t known = atomic_load_explicit(&real_blocks, memory_order_relaxed);
    if (known == REAL_BLOCKS_KNOWN && !(real_block_word(address) & REAL_BLOCK_MAPPED))
        return (real_block_word(address) & ~(uint64_t)REAL_BLOCK_BITS) - REAL_BLOCK_WORD;
    const size_t usable = real.malloc_usable_size((void *)(uintptr_t)address);
    if (known == REAL_BLOCKS_TRIED)
        try_word(address, usable);
    return usable;
}

const char *real_allocator_path(void)
{
    return allocator_path[0] ? allocator_path : image_executable();
}
