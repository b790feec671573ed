/* SPDX-License-Identifier: MIT */
/* How paths are counted by site: a table that is thinned out when it gets too large. */
#include "reader/path_sites.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reader/array.h"
#include "reader/hash.h"
#include "reader/io_habits.h"
#include "reader/sites.h"

/* ---- the paths of a site ---- */

/* The upper bits: the tables use the lower ones. */
static bool is_followed(uint32_t file, uint8_t n_zeros)
{
    return n_zeros == 0 || hash_mix(file) >> (64 - n_zeros) == 0;
}

int path_sites_thin(struct path_sites_site *site, uint8_t n_zeros)
{
    struct idmap kept = {.n_used = 0};
    int error = 0;
    for (size_t i = 0; i < site->paths.n_slots && error == 0; i++) {
        const struct idmap_entry *const entry = &site->paths.entries[i];
        if (entry->value && is_followed((uint32_t)entry->key, n_zeros))
            error = idmap_put(&kept, entry->key, entry->value);
    }
    if (error) {
        idmap_fini(&kept);
        return error;
    }
    idmap_fini(&site->paths);
    site->paths = kept;
    site->n_zeros = n_zeros;
    return 0;
}

static void prefer(struct path_sites_site *site, uint32_t file, uint64_t n)
{
    if (n <= site->favourite_calls)
        return;
    site->favourite = file;
    site->favourite_calls = n;
}

/* The favourite goes on counting even when the table has lost it. */
int path_sites_count(struct path_sites_site *site, uint32_t file, uint64_t n)
{
    if (!is_followed(file, site->n_zeros)) {
        if (file == site->favourite)
            prefer(site, file, add_capped(site->favourite_calls, n));
        return 0;
    }
    const uint64_t sum = add_capped(idmap_get(&site->paths, file), n);
    const uint32_t count = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    prefer(site, file, count);
    return idmap_put(&site->paths, file, count);
}

uint64_t path_sites_n_paths(const struct path_sites_site *site)
{
    return (uint64_t)site->paths.n_used << site->n_zeros;
}

static int make_room(struct path_sites *paths, struct path_sites_site *site)
{
    int error = 0;
    while (site->paths.n_used >= PATH_SITES_MAX_OF_SITE && error == 0) {
        paths->n_paths -= site->paths.n_used;
        error = path_sites_thin(site, (uint8_t)(site->n_zeros + 1));
        paths->n_paths += site->paths.n_used;
    }
    return error;
}

static int follow(struct path_sites *paths, struct path_sites_site *site, uint32_t file)
{
    const bool is_known = idmap_get(&site->paths, file) != 0;
    int error = is_known ? 0 : make_room(paths, site);
    if (error)
        return error;
    if (!is_known && paths->n_paths >= PATH_SITES_MAX_PATHS && file != site->favourite) {
        site->n_unfollowed++;
        return 0;
    }
    const size_t n_before = site->paths.n_used;
    error = path_sites_count(site, file, 1);
    paths->n_paths += site->paths.n_used - n_before;
    return error;
}

/* ---- the sites ---- */

static int find_site(const struct io_scene *scene, struct path_sites_site **site_out)
{
    struct path_sites *const paths = &scene->io->habits->paths;
    const struct record_path_call *const call = &scene->record->path_call;
    uint32_t node;
    const int error = sites_find_node(scene->model, scene->stream, call->stack, &node);
    if (error)
        return error;
    const uint64_t key = (uint64_t)scene->process_number << 32 | node;
    const uint32_t first = idmap_get(&paths->by_stack, key);
    uint32_t number = first;
    while (number && paths->sites[number - 1].op != call->op)
        number = paths->sites[number - 1].next_of_stack;
    if (number) {
        *site_out = &paths->sites[number - 1];
        return 0;
    }
    struct path_sites_site *const sites =
        array_room(paths->sites, paths->n_sites, &paths->capacity, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    paths->sites = sites;
    sites[paths->n_sites++] = (struct path_sites_site){
        .process = scene->process_number, .node = node, .next_of_stack = first, .op = call->op};
    *site_out = &sites[paths->n_sites - 1];
    return idmap_put(&paths->by_stack, key, paths->n_sites);
}

int path_sites_note(const struct io_scene *scene, uint32_t file)
{
    const struct record_path_call *const call = &scene->record->path_call;
    struct path_sites_site *site;
    if (!scene->io->habits || !scene->is_shown)
        return 0;
    const int error = find_site(scene, &site);
    if (error)
        return error;
    site->calls++;
    site->failed += call->result < 0;
    site->ticks = add_capped(site->ticks, call->took_ticks);
    if (file == 0 || file == scene->io->other_files) {
        site->n_unfollowed++;
        return 0;
    }
    return follow(&scene->io->habits->paths, site, file);
}

void path_sites_fini(struct path_sites *paths)
{
    for (uint32_t i = 0; i < paths->n_sites; i++)
        idmap_fini(&paths->sites[i].paths);
    idmap_fini(&paths->by_stack);
    free(paths->sites);
    *paths = (struct path_sites){.n_sites = 0};
}
