/* SPDX-License-Identifier: MIT */
/* How I/O sites are found: by process and stack, then along the few that differ in call or layer only. */
#include "reader/io_sites.h"

#include <errno.h>

#include "reader/array.h"
#include "reader/sites.h"

static uint64_t key_of(const struct io_scene *scene, uint32_t node)
{
    return (uint64_t)scene->process_number << 32 | node;
}

static enum io_layer layer_of(const struct io_scene *scene)
{
    return scene->record->tag == TRACE_STDIO ? IO_LAYER_STDIO : IO_LAYER_SYSCALL;
}

static int add_site(const struct io_scene *scene, uint32_t node, uint8_t op, uint32_t *site_out)
{
    struct model_io *const io = scene->io;
    const uint64_t key = key_of(scene, node);
    struct model_io_site *const sites =
        array_room(io->sites, io->n_sites, &io->sites_capacity, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    io->sites = sites;
    sites[io->n_sites++] =
        (struct model_io_site){.process = scene->process_number,
                               .node = node,
                               .next_of_stack = idmap_get(&io->site_by_stack, key),
                               .op = op,
                               .layer = (uint8_t)layer_of(scene)};
    *site_out = io->n_sites;
    return idmap_put(&io->site_by_stack, key, io->n_sites);
}

/* Most sites use one file only, which needs no table. */
static int note_file(struct model_io_site *site, uint32_t file)
{
    if (file == 0 || file == site->file)
        return 0;
    if (site->file == 0) {
        site->file = file;
        return 0;
    }
    if (site->files.n_used == 0) {
        const int error = idmap_put(&site->files, site->file, 1);
        if (error)
            return error;
    }
    return site->files.n_used < MODEL_MAX_SITE_FILES ? idmap_put(&site->files, file, 1) : 0;
}

int io_sites_find(const struct io_scene *scene, uint32_t stack, uint8_t op, uint32_t file,
                  uint32_t *site_out)
{
    struct model_io *const io = scene->io;
    uint32_t node;
    int error = sites_find_node(scene->model, scene->stream, stack, &node);
    if (error)
        return error;
    uint32_t number = idmap_get(&io->site_by_stack, key_of(scene, node));
    while (number &&
           (io_site(io, number)->op != op || io_site(io, number)->layer != layer_of(scene)))
        number = io_site(io, number)->next_of_stack;
    if (number == 0 && (error = add_site(scene, node, op, &number)))
        return error;
    struct model_io_site *const site = io_site(io, number);
    *site_out = number;
    error = idmap_put(&site->threads, scene->thread_number, 1);
    return error ? error : note_file(site, file);
}

int io_sites_find_opener(const struct io_scene *scene, uint32_t stack, uint8_t op,
                         uint32_t *opener_out)
{
    struct model_io *const io = scene->io;
    uint32_t node;
    const int error = sites_find_node(scene->model, scene->stream, stack, &node);
    if (error)
        return error;
    const uint64_t key = key_of(scene, node);
    const uint32_t first = idmap_get(&io->opener_by_stack, key);
    uint32_t number = first;
    while (number && io_opener(io, number)->op != op)
        number = io_opener(io, number)->next_of_stack;
    *opener_out = number;
    if (number)
        return 0;
    struct model_io_opener *const openers =
        array_room(io->openers, io->n_openers, &io->openers_capacity, sizeof *openers);
    if (!openers)
        return -ENOMEM;
    io->openers = openers;
    openers[io->n_openers++] = (struct model_io_opener){
        .process = scene->process_number, .node = node, .next_of_stack = first, .op = op};
    *opener_out = io->n_openers;
    return idmap_put(&io->opener_by_stack, key, io->n_openers);
}

/* ---- the slowest calls ---- */

static void swap(struct model_io_slow *a, struct model_io_slow *b)
{
    const struct model_io_slow kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct model_io_slow *heap, uint32_t n)
{
    for (uint32_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && heap[child + 1].took_ticks < heap[child].took_ticks)
            child++;
        if (heap[at].took_ticks <= heap[child].took_ticks)
            return;
        swap(&heap[at], &heap[child]);
    }
}

static void sift_up(struct model_io_slow *heap, uint32_t at)
{
    for (; at && heap[at].took_ticks < heap[(at - 1) / 2].took_ticks; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
}

void io_sites_note_slow(const struct io_scene *scene, const struct io_call *call)
{
    struct model_io *const io = scene->io;
    const bool is_full = io->n_slow == PROFILE_SLOW_CALLS;
    if (!scene->is_shown || (is_full && call->took_ticks <= io->slow[0].took_ticks))
        return;
    const struct model_io_slow slow = {
        .start_ticks = subtract_floored(scene->record->ticks, call->took_ticks),
        .took_ticks = call->took_ticks,
        .bytes = call->bytes,
        .thread = scene->thread_number,
        .file = call->file,
        .node = call->node,
        .process = scene->process_number,
        .op = call->op,
    };
    if (is_full) {
        io->slow[0] = slow;
        sift_down(io->slow, io->n_slow);
    } else {
        io->slow[io->n_slow] = slow;
        sift_up(io->slow, io->n_slow++);
    }
}
