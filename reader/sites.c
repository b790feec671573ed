/* SPDX-License-Identifier: MIT */
/* How stacks become sites. A node stays resolved until a module takes another's place: then the same
 * return address may be another function. */
#include "reader/sites.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"
#include "reader/site_habits.h"

/* Ids come in order; where some are missing (their records were lost) the frames are unknown. A
 * greater leap is nonsense, and making room for it would let a few bytes claim megabytes. */
enum { MAX_MISSING_NODES = 16 };

int sites_add_node(struct model *model, const struct event *event)
{
    struct model_stream *const stream = &model->streams[event->stream];
    const uint32_t id = event->node;
    if (id <= stream->n_nodes || id - stream->n_nodes > MAX_MISSING_NODES)
        return 0;
    while (stream->n_nodes < id) {
        struct model_node *const nodes =
            array_room(stream->nodes, stream->n_nodes, &stream->capacity, sizeof *nodes);
        if (!nodes)
            return -ENOMEM;
        stream->nodes = nodes;
        nodes[stream->n_nodes++] = (struct model_node){.parent = 0};
    }
    stream->nodes[id - 1].parent = event->parent;
    stream->nodes[id - 1].return_address = event->return_address;
    return 0;
}

void sites_reset_tree(struct model *model, uint32_t stream)
{
    model->streams[stream].n_nodes = 0;
}

/* The common tree's node for a return address below `parent`; 0 when out of memory. */
static uint32_t place_frame(struct model *model, struct model_image *image, uint32_t parent,
                            uint64_t return_address)
{
    const uint64_t address = return_address - 1; /* inside the call */
    const struct module *const module = modmap_now(&image->modules, address);
    struct stack_node node = {.parent = parent, .offset = address};
    if (module) {
        node.object = module->object;
        node.offset = address - module->bias;
    } else {
        node.object = stacks_unresolved(&model->stacks, image->number, image->modules.n_modules);
        if (node.object == 0)
            return 0;
    }
    return stacks_node(&model->stacks, &node);
}

/* Resolve a stream's node and those callers of it that are not; 0 when out of memory. */
static uint32_t resolve(struct model *model, struct model_stream *stream, uint32_t stack)
{
    struct model_image *const image = model_image(model, stream->image);
    const uint32_t generation = image->modules.generation + 1;
    uint32_t n = 0, at = stack;
    while (at && stream->nodes[at - 1].generation != generation && n < TRACE_MAX_DEPTH) {
        model->scratch[n++] = at;
        at = stream->nodes[at - 1].parent;
    }
    uint32_t node = at && n < TRACE_MAX_DEPTH ? stream->nodes[at - 1].node : 0;
    while (n > 0) {
        struct model_node *const frame = &stream->nodes[model->scratch[--n] - 1];
        node = place_frame(model, image, node, frame->return_address);
        if (node == 0)
            return 0;
        frame->node = node;
        frame->site = 0;
        frame->generation = generation;
    }
    return node;
}

static uint32_t add_site(struct model *model, uint32_t process_number, uint32_t node)
{
    struct model_site *const sites =
        array_room(model->sites, model->n_sites, &model->sites_capacity, sizeof *sites);
    if (!sites)
        return 0;
    struct model_process *const process = model_process(model, process_number);
    model->sites = sites;
    if (site_habits_add_site(model))
        return 0;
    sites[model->n_sites++] = (struct model_site){.process = process_number,
                                                  .node = node,
                                                  .next_of_process = process->first_site,
                                                  .seen_serial = process->peak_serial};
    process->first_site = model->n_sites;
    const uint64_t key = (uint64_t)process_number << 32 | node;
    return idmap_put(&model->site_by_stack, key, model->n_sites) ? 0 : model->n_sites;
}

/* The site of a node of the common tree (0: no stack known) for a stream. */
static uint32_t site_of(struct model *model, const struct model_stream *stream, uint32_t node)
{
    const uint32_t process = model_image(model, stream->image)->process;
    uint32_t site = idmap_get(&model->site_by_stack, (uint64_t)process << 32 | node);
    if (site == 0)
        site = add_site(model, process, node);
    if (site && idmap_put(&model_site(model, site)->threads, stream->thread, 1))
        return 0;
    return site;
}

int sites_find_node(struct model *model, uint32_t stream_number, uint32_t stack, uint32_t *node_out)
{
    struct model_stream *const stream = &model->streams[stream_number];
    *node_out = 0;
    if (stack == 0 || stack > stream->n_nodes)
        return 0;
    const struct model_node *const frame = &stream->nodes[stack - 1];
    const uint32_t generation = model_image(model, stream->image)->modules.generation + 1;
    *node_out = frame->generation == generation ? frame->node : resolve(model, stream, stack);
    return *node_out ? 0 : -ENOMEM;
}

uint32_t sites_resolve(struct model *model, uint32_t stream_number, uint32_t stack)
{
    struct model_stream *const stream = &model->streams[stream_number];
    if (stack == 0 || stack > stream->n_nodes) {
        if (stream->unknown_site == 0)
            stream->unknown_site = site_of(model, stream, 0);
        return stream->unknown_site;
    }
    struct model_node *const frame = &stream->nodes[stack - 1];
    const uint32_t generation = model_image(model, stream->image)->modules.generation + 1;
    if (frame->generation == generation && frame->site)
        return frame->site;
    const uint32_t node =
        frame->generation == generation ? frame->node : resolve(model, stream, stack);
    if (node == 0)
        return 0;
    return frame->site = site_of(model, stream, node);
}
