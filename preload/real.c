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

static const struct {
    void *slot;
    const char *name, *version;
} allocation[] = {
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
enum { N_ALLOCATION = sizeof allocation / sizeof *allocation };

/* An executable at a fixed address has, where it takes a function's address, a stub of that name; the
 * stub of malloc leads to us. */
static bool is_stub(const void *address)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 || !symbol ||
           symbol->st_shndx == SHN_UNDEF;
}

/* The executable's own malloc is found first by everybody, ours by nobody. But a hook beside it that it
 * has no function for, reallocarray(), must take from the heap that its free() gives back to. */
static void adopt_own_allocator(const struct link_map *owner)
{
    for (size_t i = 0; i < N_ALLOCATION; i++) {
        void *const first = dlsym(RTLD_DEFAULT, allocation[i].name);
        if (module_of(first) == owner && !is_stub(first))
            *(void **)allocation[i].slot = first;
    }
}

static void find_allocator(void)
{
    const void *const first = dlsym(RTLD_DEFAULT, "malloc");
    const struct link_map *map = module_of(first);
    if (map == module_of(&real) || is_stub(first))
        map = module_of((const void *)(uintptr_t)real.malloc);
    else if (map && !map->l_prev) /* the executable comes first */
        adopt_own_allocator(map);
    if (map)
        allocator_path = map->l_name;
}

/* A program's references name a version, and so reach definitions that are not their name's default, which dlsym()
 * passes over: libc_malloc_debug has no others. Whoever defines a name without a version was found by dlsym(). */
static void resolve_versions(void)
{
    for (size_t i = 0; i < N_ALLOCATION; i++) {
        void **const slot = allocation[i].slot;
        void *const found = module_of(*slot) == libc_module()
                                ? dlvsym(RTLD_NEXT, allocation[i].name, allocation[i].version)
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

/* What glibc has: none of these look-ups fails. */
static void resolve_needed(void)
{
#define HOOK(kind, result, name, parameters) HOOK_##kind(name)
#define HOOK_NEEDED(name)                    resolve(&real.name, #name);
#define HOOK_JUMP(name)                      resolve(&real.name##_jump, #name);
#define HOOK_OPTIONAL(name)
#define HOOK_ALIAS(name)
#include "preload/hooks.def"
#undef HOOK_NEEDED
#undef HOOK_JUMP
#undef HOOK_OPTIONAL
}

/* Where a name is missing the loader allocates its error's text. A malloc of the program's own may call
 * anything then, jemalloc's readlink(), and comes out here: all that is needed must be known before. */
static void resolve_optional(void)
{
#define HOOK_NEEDED(name)
#define HOOK_JUMP(name)
#define HOOK_OPTIONAL(name) resolve(&real.name, #name);
#include "preload/hooks.def"
#undef HOOK
#undef HOOK_NEEDED
#undef HOOK_OPTIONAL
#undef HOOK_JUMP
#undef HOOK_ALIAS
}

void real_resolve(void)
{
    resolve_needed();
    resolve_versions();
    resolve_optional();
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

void *real_beside_malloc(const char *name)
{
    void *const found = dlsym(RTLD_NEXT, name);
    const struct link_map *const owner = module_of((const void *)(uintptr_t)real.malloc);
    return owner && module_of(found) == owner ? found : NULL;
}

const char *real_allocator_path(void)
{
    return allocator_path[0] ? allocator_path : image_executable();
}
