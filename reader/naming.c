/* SPDX-License-Identifier: MIT */
/* How names are kept: symbols by a hash of (object, offset), each a run of frames. */
#include "reader/naming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/hash.h"
#include "symbols/symbolizer.h"

static int add_string(struct naming *names, const struct record *record)
{
    const struct unpack_text text = record->string.text;
    const uint32_t id = strtab_add(names->texts, text.bytes, text.n_bytes);
    return id ? idmap_put(&names->strings, record->string.id, id) : -ENOMEM;
}

static int add_object(struct naming *names, const struct record *record)
{
    const struct unpack_text build_id = record->object.build_id;
    uint32_t path = idmap_get(&names->strings, record->object.path_string);
    if (path == 0)
        path = strtab_add(names->texts, "", 0);
    const uint32_t id = strtab_add_build_id(names->texts, build_id.bytes, build_id.n_bytes);
    const uint32_t object = path && id ? stacks_object(names->stacks, path, id) : 0;
    return object ? idmap_put(&names->objects, record->object.id, object) : -ENOMEM;
}

static int add_frame(struct naming *names, const struct naming_frame *frame)
{
    struct naming_frame *const frames =
        array_room(names->frames, names->n_frames, &names->capacity, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    names->frames = frames;
    frames[names->n_frames++] = *frame;
    return 0;
}

static int add_symbol(struct naming *names, const struct record *record)
{
    const uint32_t object = idmap_get(&names->objects, record->symbol.object);
    const uint64_t key = hash_pair(object, record->symbol.offset);
    if (object == 0 || record->symbol.n_frames == 0 || idmap_get(&names->symbols, key))
        return 0;
    const uint32_t first = names->n_frames;
    struct unpack_cursor cursor = record->symbol.frames;
    struct record_frame frame;
    for (uint32_t i = 0; i < record->symbol.n_frames && i < NAMING_MAX_INLINED; i++) {
        if (record_next_frame(&cursor, &frame))
            break;
        const struct naming_frame named = {.function = idmap_get(&names->strings, frame.function),
                                           .file = idmap_get(&names->strings, frame.file),
                                           .line = frame.line,
                                           .inlined = true};
        const int error = add_frame(names, &named);
        if (error)
            return error;
    }
    if (names->n_frames == first)
        return 0;
    names->frames[names->n_frames - 1].inlined = false; /* the run's end mark */
    return idmap_put(&names->symbols, key, first + 1);
}

int naming_add(struct naming *names, const struct record *record)
{
    switch (record->tag) {
    case TRACE_STRING: return add_string(names, record);
    case TRACE_OBJECT: return add_object(names, record);
    case TRACE_SYMBOL: return add_symbol(names, record);
    default: return 0;
    }
}

static uint32_t copy_run(const struct naming *names, uint32_t first,
                         struct naming_frame frames_out[NAMING_MAX_INLINED])
{
    uint32_t n = 0;
    do
        frames_out[n] = names->frames[first + n];
    while (frames_out[n++].inlined && n < NAMING_MAX_INLINED);
    return n;
}

/* Ask the files. Their strings belong to the symbolizer, so they are copied. */
static uint32_t look_up(struct naming *names, uint32_t object, uint64_t offset,
                        struct naming_frame frames_out[NAMING_MAX_INLINED])
{
    struct symbol_frame found[NAMING_MAX_INLINED];
    if (!names->symbolizer)
        names->symbolizer = symbolizer_new();
    if (!names->symbolizer)
        return 0;
    const struct stack_object *const module = &names->stacks->objects[object - 1];
    const size_t n = symbolizer_lookup(names->symbolizer, strtab_text(names->texts, module->path),
                                       strtab_text(names->texts, module->build_id), offset, found,
                                       NAMING_MAX_INLINED);
    for (size_t i = 0; i < n; i++)
        frames_out[i] = (struct naming_frame){
            .function = strtab_add(names->texts, found[i].function, strlen(found[i].function)),
            .file = strtab_add(names->texts, found[i].file, strlen(found[i].file)),
            .line = found[i].line,
            .inlined = found[i].inlined};
    return (uint32_t)n;
}

uint32_t naming_find(struct naming *names, uint32_t object, uint64_t offset,
                     struct naming_frame frames_out[NAMING_MAX_INLINED])
{
    const uint32_t first = object ? idmap_get(&names->symbols, hash_pair(object, offset)) : 0;
    uint32_t n = 0;
    if (first)
        n = copy_run(names, first - 1, frames_out);
    else if (object)
        n = look_up(names, object, offset, frames_out);
    if (n == 0)
        frames_out[n++] = (struct naming_frame){.function = 0};
    return n;
}

void naming_fini(struct naming *names)
{
    idmap_fini(&names->strings);
    idmap_fini(&names->objects);
    idmap_fini(&names->symbols);
    free(names->frames);
    symbolizer_free(names->symbolizer);
    *names = (struct naming){.n_frames = 0};
}
