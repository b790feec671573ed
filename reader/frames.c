/* SPDX-License-Identifier: MIT */
/* Which frames the stacks are made of: each node of the tree that a site needs, with what was inlined
 * there, becomes a run of profile.frames. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"

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

struct analysis_place analysis_place(const struct analysis *analysis, uint32_t id)
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
    frames[analysis->n_frames++] = (struct profile_frame){
        .function = strtab_text(texts, named->function),
        .file = strtab_text(texts, named->file),
        .module = strtab_text(texts, place->path),
        .offset = place->offset,
        .line = named->line,
        .inlined = named->inlined,
    };
    return 0;
}

static int expand(struct analysis *analysis, uint32_t id)
{
    struct naming_frame named[NAMING_MAX_INLINED];
    const struct analysis_place place = analysis_place(analysis, id);
    uint32_t n = 1;
    if (analysis->options->no_symbols)
        named[0] = (struct naming_frame){.function = 0};
    else
        n = naming_find(analysis->names, place.object, place.offset, named);
    struct analysis_node *const node = &analysis->nodes[id - 1];
    node->first_frame = analysis->n_frames;
    for (uint32_t i = 0; i < n; i++) {
        const int error = add_frame(analysis, &named[i], &place);
        if (error)
            return error;
        node->n_frames++;
    }
    return 0;
}

int frames_analyse(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    analysis->nodes = calloc(model->stacks.n_nodes + (size_t)1, sizeof *analysis->nodes);
    if (!analysis->nodes)
        return -ENOMEM;
    for (uint32_t i = 1; i <= model->n_sites; i++) {
        if (!model_shows(model, model_site(model, i)->process))
            continue;
        uint32_t id = model_site(model, i)->node;
        for (; id && analysis->nodes[id - 1].n_frames == 0;
             id = stacks_at(&model->stacks, id)->parent) {
            const int error = expand(analysis, id);
            if (error)
                return error;
        }
    }
    struct profile_frame *const frames =
        storage_array(analysis->storage, analysis->n_frames, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    if (analysis->n_frames)
        memcpy(frames, analysis->frames, analysis->n_frames * sizeof *frames);
    analysis->profile->frames = frames;
    analysis->profile->n_frames = analysis->n_frames;
    return 0;
}
