/* SPDX-License-Identifier: MIT */
/* How places are collected: one open-addressing set of addresses per living image, one of
 * (object, offset) for the whole run, and the modules of every image, since a forked child's
 * addresses lie in modules that only its parent announced. */
#include "collector/places.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum places_limits {
    N_BUCKETS = 4096,
    MAX_IMAGES = 1 << 20,
    MAX_MODULES = 1 << 14, /* per image; a dlopen loop reuses objects, not rows */
    MAX_OBJECTS = 1 << 16,
    MAX_PLACES = 1 << 22,
    MAX_ADDRESSES = 1 << 21, /* per image */
    MAX_GENERATIONS = 64,    /* forks of forks that are asked for a module */
};

/* Two-word keys; {0, 0} is an empty cell. */
struct key {
    uint64_t object, value;
};

struct key_set {
    struct key *cells;
    size_t n, capacity; /* capacity is 0 or a power of two, at most half full */
};

struct module {
    uint64_t start, end, bias;
    uint32_t object;
};

struct image {
    struct image *next;
    uint32_t id, parent;
    uint32_t n_open; /* streams */
    struct key_set addresses;
    struct module *modules;
    size_t n_modules, modules_capacity;
};

struct places {
    struct image *buckets[N_BUCKETS];
    size_t n_images;
    struct place_object *objects;
    size_t n_objects, objects_capacity;
    struct key_set found;
};

static size_t hash_key(struct key key)
{
    uint64_t hash = (key.value ^ key.object << 48) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash ^ hash >> 29);
}

static struct key *key_set_cell(const struct key_set *set, struct key key)
{
    for (size_t i = hash_key(key);; i++) {
        struct key *const cell = &set->cells[i & (set->capacity - 1)];
        if ((cell->value == key.value && cell->object == key.object) ||
            (cell->value == 0 && cell->object == 0))
            return cell;
    }
}

static bool key_set_grow(struct key_set *set)
{
    const size_t capacity = set->capacity ? 2 * set->capacity : 256;
    struct key_set grown = {calloc(capacity, sizeof *grown.cells), set->n, capacity};
    if (!grown.cells)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->cells[i].value || set->cells[i].object)
            *key_set_cell(&grown, set->cells[i]) = set->cells[i];
    free(set->cells);
    *set = grown;
    return true;
}

static void key_set_add(struct key_set *set, struct key key, size_t n_max)
{
    if ((key.value == 0 && key.object == 0) || set->n >= n_max)
        return;
    if (2 * (set->n + 1) > set->capacity && !key_set_grow(set))
        return;
    struct key *const cell = key_set_cell(set, key);
    if (cell->value == 0 && cell->object == 0) {
        *cell = key;
        set->n++;
    }
}

/* Room for one more row of `array`, doubling. Returns the array, NULL without memory. */
static void *grow_rows(void *array, size_t n, size_t *capacity, size_t row_bytes)
{
    if (n < *capacity)
        return array;
    const size_t capacity_new = *capacity ? 2 * *capacity : 16;
    void *const grown = realloc(array, capacity_new * row_bytes);
    if (grown)
        *capacity = capacity_new;
    return grown;
}

struct places *places_new(void)
{
    return calloc(1, sizeof(struct places));
}

void places_free(struct places *places)
{
    if (!places)
        return;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        for (struct image *image = places->buckets[i]; image;) {
            struct image *const next = image->next;
            free(image->addresses.cells);
            free(image->modules);
            free(image);
            image = next;
        }
    }
    for (size_t i = 0; i < places->n_objects; i++) {
        free((char *)places->objects[i].path);
        free((char *)places->objects[i].build_id);
    }
    free(places->objects);
    free(places->found.cells);
    free(places);
}

static struct image *find_image(const struct places *places, uint32_t id)
{
    struct image *image = places->buckets[id % N_BUCKETS];
    while (image && image->id != id)
        image = image->next;
    return image;
}

static struct image *have_image(struct places *places, uint32_t id)
{
    struct image *image = find_image(places, id);
    if (image || places->n_images >= MAX_IMAGES)
        return image;
    image = calloc(1, sizeof *image);
    if (!image)
        return NULL;
    image->id = id;
    image->next = places->buckets[id % N_BUCKETS];
    places->buckets[id % N_BUCKETS] = image;
    places->n_images++;
    return image;
}

static bool text_is(const char *text, const struct unpack_text *other)
{
    return strlen(text) == other->n_bytes && memcmp(text, other->bytes, other->n_bytes) == 0;
}

static char *copy_text(const struct unpack_text *text)
{
    return strndup(text->bytes ? text->bytes : "", text->n_bytes);
}

/* The id of an object, 0 when it cannot be kept. */
static uint32_t intern_object(struct places *places, const struct unpack_text *path,
                              const struct unpack_text *build_id)
{
    for (size_t i = 0; i < places->n_objects; i++)
        if (text_is(places->objects[i].path, path) &&
            text_is(places->objects[i].build_id, build_id))
            return (uint32_t)i + 1;
    if (places->n_objects >= MAX_OBJECTS)
        return 0;
    void *const grown = grow_rows(places->objects, places->n_objects, &places->objects_capacity,
                                  sizeof *places->objects);
    if (!grown)
        return 0;
    places->objects = grown;
    const struct place_object object = {copy_text(path), copy_text(build_id)};
    if (!object.path || !object.build_id) {
        free((char *)object.path);
        free((char *)object.build_id);
        return 0;
    }
    places->objects[places->n_objects++] = object;
    return (uint32_t)places->n_objects;
}

static void add_place(struct places *places, const struct module *module, uint64_t address)
{
    const struct key key = {module->object, address - module->bias};
    key_set_add(&places->found, key, MAX_PLACES);
}

static bool resolve_in(struct places *places, const struct image *image, uint64_t address)
{
    bool found = false;
    for (size_t i = 0; i < image->n_modules; i++) {
        const struct module *const module = &image->modules[i];
        if (address >= module->start && address < module->end) {
            add_place(places, module, address);
            found = true;
        }
    }
    return found;
}

static void resolve_address(struct places *places, const struct image *image, uint64_t address)
{
    for (unsigned i = 0; image && i < MAX_GENERATIONS; i++) {
        if (resolve_in(places, image, address))
            return;
        image = image->parent ? find_image(places, image->parent) : NULL;
    }
}

static void resolve_image(struct places *places, struct image *image)
{
    for (size_t i = 0; i < image->addresses.capacity; i++)
        if (image->addresses.cells[i].value)
            resolve_address(places, image, image->addresses.cells[i].value);
    free(image->addresses.cells);
    image->addresses = (struct key_set){0};
}

void places_open_image(struct places *places, uint32_t image_id)
{
    struct image *const image = have_image(places, image_id);
    if (image)
        image->n_open++;
}

void places_close_image(struct places *places, uint32_t image_id)
{
    struct image *const image = find_image(places, image_id);
    if (image && image->n_open > 0 && --image->n_open == 0)
        resolve_image(places, image);
}

void places_inherit(struct places *places, uint32_t image_id, uint32_t parent_image)
{
    struct image *const image = have_image(places, image_id);
    if (image && parent_image != image_id)
        image->parent = parent_image;
}

void places_add_module(struct places *places, uint32_t image_id, const struct record *record)
{
    struct image *const image = have_image(places, image_id);
    if (!image || image->n_modules >= MAX_MODULES)
        return;
    const struct module module = {
        .start = record->module.start,
        .end = record->module.end,
        .bias = record->module.bias,
        .object = intern_object(places, &record->module.path, &record->module.build_id),
    };
    for (size_t i = 0; i < image->n_modules; i++) /* a dlopen loop at one address */
        if (image->modules[i].start == module.start && image->modules[i].end == module.end &&
            image->modules[i].bias == module.bias && image->modules[i].object == module.object)
            return;
    void *const grown = grow_rows(image->modules, image->n_modules, &image->modules_capacity,
                                  sizeof *image->modules);
    if (!grown || module.object == 0)
        return;
    image->modules = grown;
    image->modules[image->n_modules++] = module;
}

void places_add_address(struct places *places, uint32_t image_id, uint64_t return_address)
{
    struct image *const image = have_image(places, image_id);
    if (image)
        key_set_add(&image->addresses, (struct key){0, return_address - 1}, MAX_ADDRESSES);
}

static int compare_places(const void *left, const void *right)
{
    const struct place *const a = left;
    const struct place *const b = right;
    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

size_t places_all(struct places *places, const struct place **places_out)
{
    for (size_t i = 0; i < N_BUCKETS; i++)
        for (struct image *image = places->buckets[i]; image; image = image->next)
            resolve_image(places, image);
    /* A cell and a place are the same two words: pack them to the front, in place. */
    struct place *const all = (struct place *)(void *)places->found.cells;
    size_t n = 0;
    for (size_t i = 0; i < places->found.capacity; i++) {
        const struct key key = places->found.cells[i];
        if (key.object)
            all[n++] = (struct place){.object = (uint32_t)key.object, .offset = key.value};
    }
    if (n)
        qsort(all, n, sizeof *all, compare_places);
    places->found = (struct key_set){.cells = (struct key *)(void *)all};
    *places_out = all;
    return n;
}

const struct place_object *places_object(const struct places *places, uint32_t id)
{
    return id && id <= places->n_objects ? &places->objects[id - 1] : NULL;
}
