/* SPDX-License-Identifier: MIT */
/* How events are applied: allocations and releases straight into the table of live blocks while nothing
 * is out of order; else the pairing decides what belongs together and calls back. */
#include "reader/events.h"

#include <errno.h>

#include "reader/account.h"
#include "reader/array.h"
#include "reader/freed_at.h"
#include "reader/growing.h"
#include "reader/processes.h"
#include "reader/site_habits.h"
#include "reader/sites.h"

enum {
    N_AHEAD = 16, /* events between the fetching of a block and its use: about a microsecond */
    N_SCENES = 8, /* a power of two; streams of more threads than run at once share places */
};

#define NO_STREAM UINT32_MAX /* no stream's number */

/* What every handler needs at hand; the same for all events of a stream until another record comes. */
struct scene {
    struct model *model;
    struct model_stream *stream;
    struct model_image *image;
    struct model_process *process;
    uint32_t stream_number;  /* NO_STREAM: nothing is set yet */
    bool shown, counts_live; /* as in an account of the process */
    const struct event *event;
};

/* ---- what the pairing found ---- */

static void drop(struct model *model, const struct block *block)
{
    const struct account account = account_of(model, block->site);
    account_drop(&account, block);
}

static int on_began(void *context, const struct block *block)
{
    struct model_image *const image = context;
    const struct account account = account_of(image->model, block->site);
    account_gain(&account, block);
    return 0;
}

/* What habits want to know of a block that was given back. */
static inline int note_freed(struct model_image *image, const struct block *block, uint64_t ticks,
                             struct pairing_releaser by)
{
    if (!image->model->habits.gathered)
        return 0;
    const int error = site_habits_freed(image, block, ticks, by.thread);
    return error ? error : freed_at_note(image->model, block->site, by.node);
}

static int on_ended(void *context, const struct block *block, uint64_t ticks,
                    struct pairing_releaser by)
{
    struct model_image *const image = context;
    const struct account account = account_of(image->model, block->site);
    const int error = account_free(&account, block, ticks);
    account_drop(&account, block);
    return error ? error : note_freed(image, block, ticks, by);
}

/* A resize's old block turned up after its begin. If the resize is over already, the new block was
 * counted without it, and nothing is left to do but to let the old one go. */
static int on_withdrawn(void *context, const struct block *block, uint64_t token)
{
    struct model_image *const image = context;
    struct model *const model = image->model;
    struct model_resize *const resize = &model->streams[token >> 32].resize;
    if (resize->active && resize->token == token && !resize->found) {
        resize->found = true;
        resize->block = *block;
    } else {
        drop(model, block);
    }
    return 0;
}

static int on_missed(void *context, const struct block *block)
{
    struct model_image *const image = context;
    struct model *const model = image->model;
    model_process(model, model_site(model, block->site)->process)->missed_releases++;
    if (model->habits.gathered)
        growing_take(image, block);
    drop(model, block);
    return 0;
}

static int on_unknown(void *context, uint64_t address, uint64_t token)
{
    const struct model_image *const image = context;
    (void)address;
    (void)token;
    model_process(image->model, image->process)->unknown_frees++;
    return 0;
}

struct pairing_sink events_pairing_sink(struct model_image *image)
{
    return (struct pairing_sink){.context = image,
                                 .began = on_began,
                                 .ended = on_ended,
                                 .withdrawn = on_withdrawn,
                                 .missed = on_missed,
                                 .unknown = on_unknown};
}

/* ---- allocations and releases ---- */

static uint64_t clamp_size(uint64_t size_bytes)
{
    return __builtin_expect(size_bytes >> 48, 0) ? LIVE_MAX_SIZE_BYTES : size_bytes;
}

/* Fill in the block that an allocation or a resize's end describes. */
static inline void make_block(const struct scene *scene, uint32_t site, uint64_t size_bytes,
                              struct block *block)
{
    const struct event *const event = scene->event;
    const uint64_t slack_bytes =
        event->slack_bytes < LIVE_MAX_SLACK_BYTES ? event->slack_bytes : LIVE_MAX_SLACK_BYTES;
    block->address = event->address;
    block->start_ticks = event->ticks;
    live_describe(block, size_bytes, slack_bytes, site, scene->stream->thread);
}

/* The account of a site of the scene's process: all blocks of an image are its process's. */
static inline struct account account_here(const struct scene *scene, uint32_t site)
{
    return (struct account){.model = scene->model,
                            .site = model_site(scene->model, site),
                            .process = scene->process,
                            .shown = scene->shown,
                            .counts_live = scene->counts_live};
}

static uint32_t find_site(const struct scene *scene)
{
    return sites_find(scene->model, scene->image, scene->stream, scene->stream_number,
                      scene->event->stack);
}

static inline int on_allocation(const struct scene *scene)
{
    struct model *const model = scene->model;
    struct pairing *const pairing = &scene->image->pairing;
    const uint32_t number = find_site(scene);
    if (number == 0)
        return -ENOMEM;
    scene->stream->timed_sites[TRACE_TIMED_ACQUISITION] = number;
    const struct account account = account_here(scene, number);
    const uint64_t size_bytes = clamp_size(scene->event->size_bytes);
    const int error = account_request(&account, size_bytes, true);
    const uint64_t address = scene->event->address;
    if (error || address == 0)
        return error;
    model->last_address[scene->stream->thread & LIVE_THREAD_MASK] = address;
    struct block *const block =
        pairing_is_quiet(pairing) ? live_claim(&pairing->live, address) : NULL;
    if (!block) {
        struct block waiting;
        make_block(scene, number, size_bytes, &waiting);
        const int not_acquired = pairing_acquire(pairing, &waiting, scene->event->ticks);
        if (not_acquired)
            return not_acquired;
    } else {
        make_block(scene, number, size_bytes, block);
        account_gain(&account, block);
    }
    return model->habits.gathered
               ? site_habits_allocated(model, number, scene->stream->thread, scene->event)
               : 0;
}

/* Whether a release means a block from before the fork. Not while the child has a block of its own
 * at the address, which it could have only after giving the inherited one back. */
static bool take_inherited(struct model_image *image, uint64_t address)
{
    return image->inherited.n_used && !live_find(&image->pairing.live, address) &&
           addrset_take(&image->inherited, address);
}

/* Who the event's release is made by: where from, only if that was recorded and is asked for. */
static inline int find_releaser(const struct scene *scene, struct pairing_releaser *by_out)
{
    *by_out = (struct pairing_releaser){.thread = scene->stream->thread};
    return freed_at_find(scene->model, scene->event, &by_out->node);
}

static inline int on_release(const struct scene *scene)
{
    struct pairing *const pairing = &scene->image->pairing;
    const uint64_t address = scene->event->address, ticks = scene->event->ticks;
    uint32_t *const timed_site = &scene->stream->timed_sites[TRACE_TIMED_RELEASE];
    *timed_site = 0;
    scene->process->free_count++;
    scene->process->events++;
    if (take_inherited(scene->image, address)) {
        scene->process->inherited_frees++;
        return 0;
    }
    struct pairing_releaser by;
    int error = find_releaser(scene, &by);
    if (error)
        return error;
    struct block *const block =
        pairing_is_quiet(pairing) ? live_find(&pairing->live, address) : NULL;
    if (!block)
        return pairing_release(pairing, address, ticks, by);
    *timed_site = block->site;
    const struct account account = account_here(scene, block->site);
    error = account_free(&account, block, ticks);
    account_drop(&account, block);
    if (error == 0)
        error = note_freed(scene->image, block, ticks, by);
    live_remove(&pairing->live, block);
    return error;
}

/* A free is counted where its block came from; one whose block was not known at once is left out. */
static int on_call_time(const struct scene *scene)
{
    const uint32_t call = scene->event->call;
    const uint32_t site = call <= TRACE_TIMED_RELEASE ? scene->stream->timed_sites[call] : 0;
    if (site == 0)
        return 0;
    struct model_site *const at = model_site(scene->model, site);
    return histogram_add(call == TRACE_TIMED_RELEASE ? &at->free_call_cycles
                                                     : &at->alloc_call_cycles,
                         scene->event->size_bytes, 1);
}

/* ---- resizes ---- */

static int on_resize_begin(const struct scene *scene)
{
    const uint64_t address = scene->event->address;
    struct model_resize *const resize = &scene->stream->resize;
    /* A begin without an end before it: that block stays what it was, live. */
    scene->model->last_token = (scene->model->last_token + 1) & UINT32_MAX;
    *resize = (struct model_resize){
        .active = true,
        .address = address,
        .ticks = scene->event->ticks,
        .token = (uint64_t)scene->event->stream << 32 | scene->model->last_token,
    };
    resize->inherited = take_inherited(scene->image, address);
    const int error = resize->inherited
                          ? 0
                          : pairing_withdraw(&scene->image->pairing, address, scene->event->ticks,
                                             resize->token, &resize->block, &resize->found);
    if (scene->model->habits.gathered && error == 0)
        site_habits_resizing(scene->image, resize, scene->stream->thread);
    return error;
}

static int on_resize_end(const struct scene *scene)
{
    const struct model_resize resize = scene->stream->resize;
    scene->stream->resize.active = false;
    const uint32_t number = find_site(scene);
    if (number == 0)
        return -ENOMEM;
    struct block block;
    make_block(scene, number, clamp_size(scene->event->size_bytes), &block);
    const struct account account = account_of(scene->model, number);
    const int error = account_request(&account, block.size_bytes, false);
    if (error)
        return error;
    scene->stream->timed_sites[TRACE_TIMED_ACQUISITION] = number;
    scene->process->inherited_frees += resize.active && resize.inherited;
    if (resize.active && resize.found) {
        const uint64_t old_bytes = resize.block.size_bytes, new_bytes = block.size_bytes;
        const uint64_t copied = old_bytes < new_bytes ? old_bytes : new_bytes;
        if (block.address != resize.address) {
            account.site->copied_bytes += copied;
            scene->process->copied_bytes += copied;
            io_joins_move(&scene->image->joins, resize.address, block.address);
        }
        block.start_ticks = resize.block.start_ticks;
        drop(scene->model, &resize.block);
    }
    scene->model->last_address[block.thread] = 0; /* resized blocks are never temporary */
    if (block.address == 0)
        return 0;
    const int not_acquired = pairing_acquire(&scene->image->pairing, &block, scene->event->ticks);
    return not_acquired || !scene->model->habits.gathered
               ? not_acquired
               : site_habits_resized(scene->image, &resize, &block, scene->event);
}

static int on_resize_fail(const struct scene *scene)
{
    const struct model_resize resize = scene->stream->resize;
    scene->stream->resize.active = false;
    if (!resize.active)
        return 0;
    if (resize.inherited)
        return resize.address ? addrset_add(&scene->image->inherited, resize.address) : 0;
    const int error = resize.found ? pairing_restore(&scene->image->pairing, &resize.block) : 0;
    return error || resize.steps == 0 ? error : growing_restored(scene->image, &resize);
}

static int on_resize_freed(const struct scene *scene)
{
    const struct model_resize resize = scene->stream->resize;
    scene->stream->resize.active = false;
    scene->process->free_count++;
    scene->process->events++;
    scene->process->inherited_frees += resize.active && resize.inherited;
    if (!resize.active)
        scene->process->unknown_frees++;
    struct pairing_releaser by;
    int error = find_releaser(scene, &by);
    if (error || !resize.active || !resize.found)
        return error;
    if (resize.steps)
        error = growing_resize_freed(scene->model, &resize);
    return error ? error : on_ended(scene->image, &resize.block, resize.ticks, by);
}

/* ---- mappings ---- */

static void note_mapped(const struct scene *scene, uint64_t gained_bytes)
{
    struct model_process *const process = scene->process;
    process->mapped_bytes = add_capped(process->mapped_bytes, gained_bytes);
    if (scene->image->mapped.total_bytes > process->mapped_peak_bytes)
        process->mapped_peak_bytes = scene->image->mapped.total_bytes;
}

static int on_mmap(const struct scene *scene)
{
    const struct event *const map = scene->event;
    scene->process->events++;
    const int error = mapped_add(&scene->image->mapped, map->address, map->size_bytes);
    note_mapped(scene, map->size_bytes);
    return error;
}

static int cut_mapping(const struct scene *scene)
{
    const struct event *const map = scene->event;
    scene->stream->cut_bytes = map->size_bytes;
    return mapped_cut(&scene->image->mapped, map->address, map->size_bytes, &scene->stream->cut);
}

static int on_munmap(const struct scene *scene)
{
    scene->process->events++;
    return cut_mapping(scene);
}

/* A remap of something that was not followed (mapped before the shim, or not anonymous) is left out. */
static int on_remap_end(const struct scene *scene)
{
    const struct event *const map = scene->event;
    struct model_stream *const stream = scene->stream;
    scene->process->events++;
    if (stream->cut.bytes == 0)
        return 0;
    const int error = mapped_add(&scene->image->mapped, map->address, map->size_bytes);
    note_mapped(scene, subtract_floored(map->size_bytes, stream->cut_bytes));
    stream->cut = (struct mapped_cut){.n_pieces = 0};
    return error;
}

static int on_map_fail(const struct scene *scene)
{
    const int error = mapped_restore(&scene->image->mapped, &scene->stream->cut);
    scene->stream->cut = (struct mapped_cut){.n_pieces = 0};
    return error;
}

static int (*const rare_handlers[TRACE_NODE])(const struct scene *scene) = {
    [TRACE_REALLOC_BEGIN] = on_resize_begin,
    [TRACE_REALLOC_END] = on_resize_end,
    [TRACE_REALLOC_FAIL] = on_resize_fail,
    [TRACE_REALLOC_FREED] = on_resize_freed,
    [TRACE_MMAP] = on_mmap,
    [TRACE_MUNMAP] = on_munmap,
    [TRACE_REMAP_BEGIN] = cut_mapping,
    [TRACE_REMAP_END] = on_remap_end,
    [TRACE_MAP_FAIL] = on_map_fail,
    [TRACE_CALL_TIME] = on_call_time,
};

static int apply_node(struct model *model, const struct event *event)
{
    if (event->tag == TRACE_NODE)
        return sites_add_node(model, event);
    sites_reset_tree(model, event->stream);
    return 0;
}

/* The scenes of streams that take turns: an event of another stream than the one before it finds its own
 * ready, without a branch that would be guessed wrong each other time. */
struct stage {
    struct model *model;
    bool far; /* one of them has a table whose slots are worth fetching */
    struct scene
        *scenes[N_SCENES]; /* into `room`; gcc 12 works out a scene's address at each use else */
    struct scene room[N_SCENES];
};

static void clear(struct stage *stage)
{
    for (unsigned i = 0; i < N_SCENES; i++) {
        stage->scenes[i] = &stage->room[i];
        stage->room[i].stream_number = NO_STREAM;
    }
}

/* Set the scene of a stream; its image gets a process with its first event, which may move or end others. */
static int set_scene(struct stage *stage, struct scene *scene, uint32_t stream_number)
{
    struct model *const model = stage->model;
    struct model_stream *const stream = &model->streams[stream_number];
    struct model_image *const image = model_image(model, stream->image);
    if (image->process == 0) {
        const int error = processes_attach(model, image->number, NULL);
        if (error)
            return error;
        clear(stage);
    }
    struct model_process *const process = model_process(model, image->process);
    const bool shown = model_shows(model, image->process);
    *scene = (struct scene){.model = model,
                            .stream = stream,
                            .image = image,
                            .process = process,
                            .stream_number = stream_number,
                            .shown = shown,
                            .counts_live = shown && !process->ended};
    stage->far |= live_is_far(&image->pairing.live);
    return 0;
}

static inline int apply(struct stage *stage, const struct event *event)
{
    if (event->tag >= TRACE_NODE)
        return apply_node(stage->model, event);
    struct scene *const scene = stage->scenes[event->stream % N_SCENES];
    model_advance(stage->model, event->ticks);
    const int error =
        event->stream == scene->stream_number ? 0 : set_scene(stage, scene, event->stream);
    if (error)
        return error;
    scene->event = event;
    model_process_alive(scene->process, event->ticks);
    if (record_is_allocation(event->tag))
        return on_allocation(scene);
    if (record_is_release(event->tag))
        return on_release(scene);
    return rare_handlers[event->tag] ? rare_handlers[event->tag](scene) : 0;
}

/* Begin to fetch the place of the event's block; not of a stream whose scene is yet to be set. Inlined by
 * force: gcc 12 takes a function that does nothing but prefetch for one without effect, and drops its calls. */
static inline __attribute__((always_inline)) void fetch(const struct stage *stage,
                                                        const struct event *event)
{
    const struct scene *const scene = stage->scenes[event->stream % N_SCENES];
    if (event->stream != scene->stream_number || event->kind != EVENT_SHORT)
        return;
    if (event->tag <= TRACE_SDALLOCX && scene->image->pairing.live.n_slots)
        live_prefetch(&scene->image->pairing.live, event->address);
}

int events_apply(struct model *model, const struct event *events, uint32_t n, uint32_t *n_done_out)
{
    struct stage stage = {.model = model};
    const struct event *const end = events + n, *const last = n > N_AHEAD ? end - N_AHEAD : events;
    const struct event *event = events;
    int error = 0;
    *n_done_out = 0;
    if (n == 0 || event->kind != EVENT_SHORT)
        return 0;
    clear(&stage);
    for (; event < end && event->kind == EVENT_SHORT && error == 0; event++) {
        if (stage.far && event < last)
            fetch(&stage, event + N_AHEAD);
        error = apply(&stage, event);
    }
    *n_done_out = (uint32_t)(event - events);
    return error;
}
