/* SPDX-License-Identifier: MIT */
/* Which module is meant? Keeps each (path, build-id) open after its first look-up. */
#include "symbolizer.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/module.h"
#include "symbols/strpool.h"

struct opened {
    const char *path;     /* in the pool */
    const char *build_id; /* in the pool */
    struct module *module;
};

struct symbolizer {
    struct strpool pool;
    void *entries;             /* tsearch tree of struct opened */
    const struct opened *last; /* stacks name the same module many times in a row */
};

static int compare(const void *left, const void *right)
{
    const struct opened *a = left;
    const struct opened *b = right;
    const int by_path = strcmp(a->path, b->path);
    return by_path != 0 ? by_path : strcmp(a->build_id, b->build_id);
}

struct symbolizer *symbolizer_new(void)
{
    return calloc(1, sizeof(struct symbolizer));
}

static void free_entry(void *pointer)
{
    struct opened *entry = pointer;
    module_free(entry->module);
    free(entry);
}

void symbolizer_free(struct symbolizer *symbolizer)
{
    if (symbolizer == NULL) {
        return;
    }
    tdestroy(symbolizer->entries, free_entry);
    strpool_fini(&symbolizer->pool);
    free(symbolizer);
}

static struct opened *open_entry(struct symbolizer *symbolizer, const char *path,
                                 const char *build_id)
{
    struct opened *entry = malloc(sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    *entry =
        (struct opened){.path = strpool_keep(&symbolizer->pool, path, strlen(path)),
                        .build_id = strpool_keep(&symbolizer->pool, build_id, strlen(build_id)),
                        .module = module_open(path, build_id, &symbolizer->pool)};
    if (entry->module == NULL || tsearch(entry, &symbolizer->entries, compare) == NULL) {
        free_entry(entry);
        return NULL;
    }
    return entry;
}

static struct module *find_module(struct symbolizer *symbolizer, const char *path,
                                  const char *build_id)
{
    const struct opened key = {.path = path, .build_id = build_id};
    if (symbolizer->last == NULL || compare(&key, symbolizer->last) != 0) {
        struct opened *const *found = tfind(&key, &symbolizer->entries, compare);
        symbolizer->last = found != NULL ? *found : open_entry(symbolizer, path, build_id);
    }
    return symbolizer->last == NULL ? NULL : symbolizer->last->module;
}

size_t symbolizer_lookup(struct symbolizer *symbolizer, const char *path, const char *build_id,
                         uint64_t offset, struct symbol_frame *frames_out, size_t cap)
{
    struct module *module = find_module(symbolizer, path, build_id);
    if (module == NULL) {
        frames_out[0] = (struct symbol_frame){.function = "", .file = ""};
        return 1;
    }
    return module_lookup(module, offset, frames_out, cap);
}
