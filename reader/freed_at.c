/* SPDX-License-Identifier: MIT */
/* How freeing stacks are counted and listed: a row for each pair of site and stack, found again by a hash,
 * chained by site. */
#include "reader/freed_at.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"
#include "reader/keysort.h"
#include "reader/lines.h"
#include "reader/rowstack.h"

/* Stacks of one id, and how often they freed. */
struct place {
    uint64_t count;
    struct rowstack stack;
};

static bool has_room(const struct model *model)
{
    return model->freeings.n < FREED_AT_LEAST + FREED_AT_PER_NODE * (uint64_t)model->stacks.n_nodes;
}

static int add_row(struct model *model, uint64_t key, const struct model_freeing *row)
{
    struct model_freeings *const all = &model->freeings;
    struct model_site *const site = model_site(model, row->site);
    struct model_freeing *const rows = array_room(all->rows, all->n, &all->capacity, sizeof *rows);
    if (!rows)
        return -ENOMEM;
    all->rows = rows;
    rows[all->n++] = *row;
    rows[all->n - 1].next_of_site = site->first_freeing;
    site->first_freeing = all->n;
    return idmap_put(&all->by_pair, key, all->n);
}

int freed_at_count(struct model *model, uint32_t site, uint32_t node)
{
    const uint64_t key = (uint64_t)site << 32 | node;
    const uint32_t known = idmap_get(&model->freeings.by_pair, key);
    model_site(model, site)->freed_seen_count++;
    if (known) {
        model->freeings.rows[known - 1].count++;
        return 0;
    }
    const struct model_freeing row = {.site = site, .node = node, .count = 1};
    return has_room(model) ? add_row(model, key, &row) : 0;
}

void freed_at_join(struct model *model, uint32_t to, uint32_t from)
{
    struct model_site *const site = model_site(model, to), *const other = model_site(model, from);
    uint32_t *last = &other->first_freeing;
    while (*last)
        last = &model->freeings.rows[*last - 1].next_of_site;
    *last = site->first_freeing;
    site->first_freeing = other->first_freeing;
    other->first_freeing = 0;
    site->freed_seen_count += other->freed_seen_count;
    other->freed_seen_count = 0;
}

/* ---- what is listed ---- */

/* One item for each row of a site, by the id of its stack; the caller frees them, also on failure. */
static int list_rows(const struct analysis *analysis, uint32_t site,
                     struct keysort_item **items_out, size_t *n_out)
{
    struct model *const model = analysis->model;
    const struct model_freeing *const rows = model->freeings.rows;
    size_t n = 0;
    for (uint32_t i = model_site(model, site)->first_freeing; i; i = rows[i - 1].next_of_site)
        n++;
    struct keysort_item *const items = calloc(n + 1, sizeof *items);
    if (!items)
        return -ENOMEM;
    *n_out = n;
    for (uint32_t i = model_site(model, site)->first_freeing; i; i = rows[i - 1].next_of_site) {
        const uint32_t process = model_site(model, rows[i - 1].site)->process;
        const struct rowstack stack =
            rowstacks_strip(analysis->rowstacks, process, rows[i - 1].node);
        items[--n] = (struct keysort_item){.key = rowstacks_id(analysis->rowstacks, stack.node),
                                           .value = i - 1};
    }
    *items_out = items;
    return keysort(items, *n_out);
}

/* Put a place where it belongs among the most frequent ones so far, by count, then as they come. */
static uint32_t rank(struct place *places, uint32_t n, const struct place *place)
{
    uint32_t at = n;
    while (at > 0 && places[at - 1].count < place->count)
        at--;
    if (at == HABITS_FREED_AT)
        return n;
    const uint32_t n_kept = n < HABITS_FREED_AT ? n : HABITS_FREED_AT - 1;
    for (uint32_t i = n_kept; i > at; i--)
        places[i] = places[i - 1];
    places[at] = *place;
    return n_kept + 1;
}

/* The most frequent places of sorted items. */
static uint32_t choose(const struct analysis *analysis, const struct keysort_item *items, size_t n,
                       struct place places_out[HABITS_FREED_AT])
{
    const struct model *const model = analysis->model;
    uint32_t n_places = 0;
    for (size_t i = 0, end; i < n; i = end) {
        const struct model_freeing *const first = &model->freeings.rows[items[i].value];
        struct place place = {.count = 0};
        for (end = i; end < n && items[end].key == items[i].key; end++)
            place.count = add_capped(place.count, model->freeings.rows[items[end].value].count);
        place.stack = rowstacks_strip(
            analysis->rowstacks, model_site(analysis->model, first->site)->process, first->node);
        n_places = rank(places_out, n_places, &place);
    }
    return n_places;
}

static int write_places(const struct analysis *analysis, const struct place *places, uint32_t n,
                        struct site_habits *habits)
{
    struct freed_at *const list = storage_array(analysis->storage, n, sizeof *list);
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct rowstack_frames stack;
        const int error = rowstacks_list(analysis->rowstacks, &places[i].stack, &stack);
        if (error)
            return error;
        list[i] = (struct freed_at){
            .n_frames = stack.n_frames,
            .frames = stack.frames,
            .place = lines_place(analysis, stack.frames, stack.n_frames, stack.place),
            .count = places[i].count};
    }
    habits->freed_at = list;
    habits->n_freed_at = n;
    return 0;
}

int freed_at_fill(const struct analysis *analysis, uint32_t site, struct site_habits *habits)
{
    struct keysort_item *items = NULL;
    struct place places[HABITS_FREED_AT];
    size_t n = 0;
    habits->freed_seen_count = model_site(analysis->model, site)->freed_seen_count;
    if (model_site(analysis->model, site)->first_freeing == 0)
        return 0;
    int error = list_rows(analysis, site, &items, &n);
    if (error == 0)
        error = write_places(analysis, places, choose(analysis, items, n, places), habits);
    free(items);
    return error;
}

void freed_at_fini(struct model *model)
{
    free(model->freeings.rows);
    idmap_fini(&model->freeings.by_pair);
    model->freeings = (struct model_freeings){.n = 0};
}
