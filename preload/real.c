/* SPDX-License-Identifier: MIT */
/* How the real functions are found: RTLD_NEXT, always; libc's handle would pass over an allocator or
 * another shim that the user preloads behind us. */
#include "preload/real.h"

#include <link.h>
#include <stdint.h>

#include "preload/image.h"

struct real real;
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

/* The executable's own malloc is found first by everybody, ours by nobody. */
static void find_allocator(void)
{
    const struct link_map *map = module_of(dlsym(RTLD_DEFAULT, "malloc"));
    if (map == module_of(&real))
        map = module_of((const void *)(uintptr_t)real.malloc);
    if (map)
        allocator_path = map->l_name;
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
    find_allocator();
}

const char *real_allocator_path(void)
{
    return allocator_path[0] ? allocator_path : image_executable();
}
