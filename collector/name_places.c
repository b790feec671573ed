/* SPDX-License-Identifier: MIT */
/* How names are written: places come sorted by object, so each object's debug information is used
 * in one go; strings (functions, files, paths) are written once and then named by number. */
#include "collector/name_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/scribe.h"
#include "symbols/symbolizer.h"

enum { MAX_FRAMES = 32, MAX_STRINGS = 1 << 24 };

/* Strings already written: open addressing, at most half full; text NULL is an empty cell. */
struct string_cell {
    const char *text; /* the symbolizer's or the places' */
    uint32_t id;
};

struct names {
    struct compress *out;
    struct symbolizer *symbolizer;
    struct string_cell *cells;
    size_t n, capacity;
};

/* FNV-1a, 64 bits: names differ in their tails, and tables are small. */
static size_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

static struct string_cell *cell_of(const struct names *names, const char *text)
{
    for (size_t i = hash_text(text);; i++) {
        struct string_cell *const cell = &names->cells[i & (names->capacity - 1)];
        if (!cell->text || strcmp(cell->text, text) == 0)
            return cell;
    }
}

static int grow(struct names *names)
{
    struct names grown = *names;
    grown.capacity = names->capacity ? 2 * names->capacity : 1024;
    grown.cells = calloc(grown.capacity, sizeof *grown.cells);
    if (!grown.cells)
        return -ENOMEM;
    for (size_t i = 0; i < names->capacity; i++)
        if (names->cells[i].text)
            *cell_of(&grown, names->cells[i].text) = names->cells[i];
    free(names->cells);
    *names = grown;
    return 0;
}

/* The number of a string, writing it first if it is new; 0 for "". */
static int string_id(struct names *names, const char *text, uint32_t *id_out)
{
    if (!*text || names->n >= MAX_STRINGS) {
        *id_out = 0;
        return 0;
    }
    if (2 * (names->n + 1) > names->capacity && grow(names))
        return -ENOMEM;
    struct string_cell *const cell = cell_of(names, text);
    if (!cell->text) {
        const int error = scribe_string(names->out, (uint32_t)names->n + 1, text);
        if (error)
            return error;
        *cell = (struct string_cell){.text = text, .id = (uint32_t)++names->n};
    }
    *id_out = cell->id;
    return 0;
}

static int write_object(struct names *names, uint32_t id, const struct place_object *object)
{
    uint32_t path;
    const int error = string_id(names, object->path, &path);
    return error ? error : scribe_object(names->out, id, path, object->build_id);
}

static int write_place(struct names *names, const struct place *place,
                       const struct place_object *object)
{
    struct symbol_frame found[MAX_FRAMES];
    struct record_frame frames[MAX_FRAMES];
    const size_t n = symbolizer_lookup(names->symbolizer, object->path, object->build_id,
                                       place->offset, found, MAX_FRAMES);
    if (n == 0 || (n == 1 && !*found[0].function && !*found[0].file))
        return 0; /* nothing is known: nothing to say */
    for (size_t i = 0; i < n; i++) {
        frames[i] = (struct record_frame){.line = found[i].line, .inlined = found[i].inlined};
        int error;
        if ((error = string_id(names, found[i].function, &frames[i].function)) ||
            (error = string_id(names, found[i].file, &frames[i].file)))
            return error;
    }
    return scribe_symbol(names->out, place->object, place->offset, frames, n);
}

int name_places(struct places *places, struct compress *out)
{
    const struct place *all;
    const size_t n = places_all(places, &all);
    struct names names = {.out = out, .symbolizer = symbolizer_new()};
    int error = names.symbolizer ? 0 : -ENOMEM;
    uint32_t last_object = 0;
    for (size_t i = 0; i < n && error == 0; i++) {
        const struct place_object *const object = places_object(places, all[i].object);
        if (!object)
            continue;
        if (all[i].object != last_object)
            error = write_object(&names, all[i].object, object);
        last_object = all[i].object;
        if (error == 0)
            error = write_place(&names, &all[i], object);
    }
    free(names.cells);
    symbolizer_free(names.symbolizer);
    return error;
}
