/* SPDX-License-Identifier: MIT */
/* Which frames the stacks are made of: each place in a module that a site's stack passes through, with
 * what was inlined there, becomes a run of profile.frames. A program has some thousand such places, its
 * stacks may have millions of nodes, so that whatever is asked of a frame is asked once a place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/classify.h"
#include "reader/lines.h"
#include "reader/hash.h"
#include "reader/idmap.h"
#include "reader/io_habits.h"

/* A node that no module covered when it was met belongs to the first one loaded there later. */
static struct analysis_place place_unresolved(const struct analysis *analysis,
                                              const struct stack_node *node)
{
    const struct stacks *const stacks = &analysis->model->stacks;
    const struct stack_unresolved *const row =
        &stacks->unresolved[node->object & ~STACK_UNRESOLVED];
    const struct model_image *const image = model_image(analysis->model, row->image);
    const struct module *const module = modmap_later(&image->modules, row->n_modules, node->offset);
    if (!module)
        return (struct analysis_place){.offset = node->offset};
    const struct stack_object *const object = &stacks->objects[module->object - 1];
    return (struct analysis_place){.object = module->object,
                                   .path = object->path,
                                   .build_id = object->build_id,
                                   .offset = node->offset - module->bias};
}

static struct analysis_place place_of(const struct analysis *analysis, uint32_t id)
{
    const struct stacks *const stacks = &analysis->model->stacks;
    const struct stack_node *const node = stacks_at(stacks, id);
    if (node->object & STACK_UNRESOLVED)
        return place_unresolved(analysis, node);
    const struct stack_object *const object = &stacks->objects[node->object - 1];
    return (struct analysis_place){.object = node->object,
                                   .path = object->path,
                                   .build_id = object->build_id,
                                   .offset = node->offset};
}

static int add_frame(struct analysis *analysis, const struct naming_frame *named,
                     const struct analysis_place *place)
{
    struct profile_frame *const frames = array_room(analysis->frames, analysis->n_frames,
                                                    &analysis->frames_capacity, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    const struct strtab *const texts = &analysis->model->texts;
    analysis->frames = frames;
    struct profile_frame *const frame = &frames[analysis->n_frames++];
    *frame = (struct profile_frame){
        .function = strtab_text(texts, named->function),
        .file = strtab_text(texts, named->file),
        .module = strtab_text(texts, place->path),
        .offset = place->offset,
        .line = named->line,
        .inlined = named->inlined,
    };
    frame->is_runtime = classify_is_runtime(frame);
    frame->is_hidden = analysis->options->habits && lines_hides(analysis->options, frame);
    return 0;
}

/* Name the frames of a place that was not met before. */
static int add_call(struct analysis *analysis, const struct analysis_place *place)
{
    struct naming_frame named[NAMING_MAX_INLINED];
    uint32_t n = 1;
    struct analysis_call *const calls =
        array_room(analysis->calls, analysis->n_calls, &analysis->calls_capacity, sizeof *calls);
    if (!calls)
        return -ENOMEM;
    analysis->calls = calls;
    if (analysis->options->no_symbols)
        named[0] = (struct naming_frame){.function = 0};
    else
        n = naming_find(analysis->names, place->object, place->offset, named);
    calls[analysis->n_calls++] =
        (struct analysis_call){.place = *place, .first_frame = analysis->n_frames, .n_frames = n};
    for (uint32_t i = 0; i < n; i++) {
        const int error = add_frame(analysis, &named[i], place);
        if (error)
            return error;
    }
    return 0;
}

static bool is_place(const struct analysis_call *call, const struct analysis_place *place)
{
    return call->place.object == place->object && call->place.offset == place->offset;
}

/* Find the number of a node's call, made if new. Two places of one hash are rare: the later one gets a
 * call for each of its nodes then. */
static int find_call(struct analysis *analysis, struct idmap *known, uint32_t id)
{
    const struct analysis_place place = place_of(analysis, id);
    const uint64_t key = hash_pair(place.object, place.offset);
    uint32_t number = idmap_get(known, key);
    int error = 0;
    if (number == 0 || !is_place(&analysis->calls[number - 1], &place)) {
        error = add_call(analysis, &place);
        if (error == 0 && number == 0)
            error = idmap_put(known, key, analysis->n_calls);
        number = analysis->n_calls;
    }
    analysis->call_of_node[id - 1] = number;
    return error;
}

/* The calls of a stack, if its process is asked for. */
static int find_calls_of(struct analysis *analysis, struct idmap *known, uint32_t process,
                         uint32_t node)
{
    int error = 0;
    if (!model_shows(analysis->model, process))
        return 0;
    for (uint32_t id = node; id && analysis->call_of_node[id - 1] == 0 && error == 0;
         id = stacks_at(&analysis->model->stacks, id)->parent)
        error = find_call(analysis, known, id);
    return error;
}

static int find_calls(struct analysis *analysis, struct idmap *known)
{
    struct model *const model = analysis->model;
    const struct model_io *const io = &model->io;
    int error = 0;
    for (uint32_t i = 1; i <= model->n_sites && error == 0; i++)
        error = find_calls_of(analysis, known, model_site(model, i)->process,
                              model_site(model, i)->node);
    for (uint32_t i = 1; i <= io->n_sites && error == 0; i++)
        error = find_calls_of(analysis, known, io_site(io, i)->process, io_site(io, i)->node);
    for (uint32_t i = 1; i <= io->n_openers && error == 0; i++)
        error = find_calls_of(analysis, known, io_opener(io, i)->process, io_opener(io, i)->node);
    for (uint32_t i = 0; i < model->freeings.n && error == 0; i++) {
        const struct model_freeing *const freeing = &model->freeings.rows[i];
        error = find_calls_of(analysis, known, model_site(model, freeing->site)->process,
                              freeing->node);
    }
    for (uint32_t i = 0; i < io->n_slow && error == 0; i++)
        error = find_calls_of(analysis, known, io->slow[i].process, io->slow[i].node);
    for (uint32_t i = 0; io->habits && i < io->habits->paths.n_sites && error == 0; i++)
        error = find_calls_of(analysis, known, io->habits->paths.sites[i].process,
                              io->habits->paths.sites[i].node);
    return error;
}

int frames_analyse(struct analysis *analysis)
{
    struct idmap known = {0};
    analysis->call_of_node =
        calloc(analysis->model->stacks.n_nodes + (size_t)1, sizeof *analysis->call_of_node);
    if (!analysis->call_of_node)
        return -ENOMEM;
    const int error = find_calls(analysis, &known);
    idmap_fini(&known);
    struct profile_frame *const frames =
        error ? NULL : storage_array(analysis->storage, analysis->n_frames, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    if (analysis->n_frames)
        memcpy(frames, analysis->frames, analysis->n_frames * sizeof *frames);
    analysis->profile->frames = frames;
    analysis->profile->n_frames = analysis->n_frames;
    return 0;
}
