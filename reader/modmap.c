/* SPDX-License-Identifier: MIT */
/* How a module is found: the one found last, else a search from the newest. A stack frame asks once
 * per stream and module change, so a search over some hundred modules does not matter. */
#include "reader/modmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reader/array.h"

static bool covers(const struct module *module, uint64_t address)
{
    return address >= module->start && address < module->end;
}

int modmap_add(struct modmap *map, const struct module *module)
{
    if (map->n_modules >= MODMAP_MAX_MODULES)
        return -E2BIG;
    struct module *const modules =
        array_room(map->modules, map->n_modules, &map->capacity, sizeof *modules);
    if (!modules)
        return -ENOMEM;
    map->modules = modules;
    bool takes_a_place = false;
    for (uint32_t i = 0; i < map->n_modules && !takes_a_place; i++)
        takes_a_place = modules[i].start < module->end && module->start < modules[i].end;
    map->generation += takes_a_place;
    map->last_hit = map->n_modules;
    modules[map->n_modules++] = *module;
    return 0;
}

const struct module *modmap_now(struct modmap *map, uint64_t address)
{
    /* Short cut only while no two modules overlap: then whichever covers it is the right one. */
    if (map->last_hit < map->n_modules && map->generation == 0 &&
        covers(&map->modules[map->last_hit], address))
        return &map->modules[map->last_hit];
    for (uint32_t i = map->n_modules; i > 0; i--) {
        if (!covers(&map->modules[i - 1], address))
            continue;
        map->last_hit = i - 1;
        return &map->modules[i - 1];
    }
    return NULL;
}

const struct module *modmap_later(const struct modmap *map, uint32_t n_modules, uint64_t address)
{
    for (uint32_t i = n_modules; i < map->n_modules; i++)
        if (covers(&map->modules[i], address))
            return &map->modules[i];
    return NULL;
}

void modmap_fini(struct modmap *map)
{
    free(map->modules);
    *map = (struct modmap){0};
}
