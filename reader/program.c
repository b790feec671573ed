/* SPDX-License-Identifier: MIT */
/* How events become calls: as events.c applies them, but a block's place for the time of its birth holds
 * the number the sink gave it, and nothing is added up. */
#include "reader/program.h"

#include <errno.h>

#include "reader/array.h"
#include "reader/model.h"
#include "reader/processes.h"
#include "reader/sites.h"
#include "trace/trace_format.h"

struct moment {
    struct model *model;
    struct program *program;
    struct model_stream *stream;
    struct model_image *image;
    bool is_ours; /* of the process asked for */
    const struct event *event;
};

enum { PAGE_LOG2 = 12 };

/* ---- what the pairing found ---- */

static bool is_ours(const struct model_image *image)
{
    return image->process == image->model->program->process_id;
}

static int give_release(struct program *program, const struct block *block,
                        struct pairing_releaser by, bool is_inferred)
{
    const struct program_release release = {.thread = by.thread,
                                            .is_main = by.thread == program->main_thread,
                                            .is_inferred = is_inferred};
    program->counts.releases += !is_inferred;
    program->counts.inferred_releases += is_inferred;
    return program->sink->release(program->sink->context, &release, block->start_ticks);
}

static void gain(struct program *program, const struct block *block)
{
    program->live_count++;
    program->live_bytes = add_capped(program->live_bytes, block->size_bytes);
    if (program->live_bytes <= program->counts.peak_bytes)
        return;
    program->counts.peak_bytes = program->live_bytes;
    program->counts.peak_count = program->live_count;
    program->sink->peaked(program->sink->context);
}

static void drop(struct program *program, const struct block *block)
{
    program->live_count = subtract_floored(program->live_count, 1);
    program->live_bytes = subtract_floored(program->live_bytes, block->size_bytes);
}

static int on_began(void *context, const struct block *block)
{
    const struct model_image *const image = context;
    if (is_ours(image))
        gain(image->model->program, block);
    return 0;
}

static int let_go(const struct model_image *image, const struct block *block,
                  struct pairing_releaser by)
{
    struct program *const program = image->model->program;
    if (!is_ours(image))
        return 0;
    drop(program, block);
    return give_release(program, block, by, false);
}

/* Nobody is known to have released it: whoever was seen last has to. */
static int lose(const struct model_image *image, const struct block *block)
{
    struct program *const program = image->model->program;
    const struct pairing_releaser by = {.thread = program->now.thread};
    if (!is_ours(image))
        return 0;
    drop(program, block);
    return give_release(program, block, by, true);
}

static int on_ended(void *context, const struct block *block, uint64_t ticks,
                    struct pairing_releaser by)
{
    (void)ticks;
    return let_go(context, block, by);
}

static int on_missed(void *context, const struct block *block)
{
    return lose(context, block);
}

/* As in events.c: a resize's old block turned up late; if the resize is over, it was given as new. */
static int on_withdrawn(void *context, const struct block *block, uint64_t token)
{
    const struct model_image *const image = context;
    struct model_resize *const resize = &image->model->streams[token >> 32].resize;
    if (!resize->active || resize->token != token || resize->found)
        return lose(image, block);
    resize->found = true;
    resize->block = *block;
    return 0;
}

static int on_unknown(void *context, uint64_t address, uint64_t token)
{
    const struct model_image *const image = context;
    (void)address;
    image->model->program->counts.unknown_releases += is_ours(image) && token == 0;
    return 0;
}

struct pairing_sink program_pairing_sink(struct model_image *image)
{
    return (struct pairing_sink){.context = image,
                                 .began = on_began,
                                 .ended = on_ended,
                                 .withdrawn = on_withdrawn,
                                 .missed = on_missed,
                                 .unknown = on_unknown};
}

/* ---- allocations and releases ---- */

static struct program_request make_request(const struct moment *moment, uint32_t site)
{
    const struct event *const event = moment->event;
    struct program_request request = {
        .size_bytes =
            event->size_bytes <= LIVE_MAX_SIZE_BYTES ? event->size_bytes : LIVE_MAX_SIZE_BYTES,
        .site = site,
        .thread = moment->stream->thread,
        .is_main = moment->program->now.is_main,
        .kind = event->tag == TRACE_CALLOC ? PROGRAM_CALLOC : PROGRAM_MALLOC,
        .alignment_log2 = event->alignment_bits ? event->alignment_bits - 1 : 0,
    };
    if (event->tag == TRACE_VALLOC || event->tag == TRACE_PVALLOC)
        request.alignment_log2 = PAGE_LOG2;
    if (request.alignment_log2)
        request.kind = PROGRAM_ALIGNED;
    return request;
}

static void make_block(const struct moment *moment, const struct program_request *request,
                       uint64_t number, struct block *block)
{
    block->address = moment->event->address;
    block->start_ticks = number;
    live_describe(block, request->size_bytes, 0, request->site, request->thread);
}

/* The block lives: at once where nothing is out of order, else when the pairing says so. */
static int begin_life(const struct moment *moment, const struct program_request *request,
                      uint64_t number)
{
    struct pairing *const pairing = &moment->image->pairing;
    struct block *const block =
        pairing_is_quiet(pairing) ? live_claim(&pairing->live, moment->event->address) : NULL;
    if (!block) {
        struct block waiting;
        make_block(moment, request, number, &waiting);
        return pairing_acquire(pairing, &waiting, moment->event->ticks);
    }
    make_block(moment, request, number, block);
    if (moment->is_ours)
        gain(moment->program, block);
    return 0;
}

static int acquire(const struct moment *moment, uint32_t site)
{
    struct program *const program = moment->program;
    const struct program_request request = make_request(moment, site);
    uint64_t number = 0;
    if (moment->event->address == 0)
        return 0;
    if (moment->is_ours) {
        const int error = program->sink->acquire(program->sink->context, &request, &number);
        if (error)
            return error;
        program->counts.acquisitions++;
    }
    return begin_life(moment, &request, number);
}

static uint32_t find_site(const struct moment *moment)
{
    return sites_find(moment->model, moment->image, moment->stream, moment->event->stream,
                      moment->event->stack);
}

static int on_allocation(const struct moment *moment)
{
    const uint32_t site = find_site(moment);
    return site ? acquire(moment, site) : -ENOMEM;
}

static bool take_inherited(struct model_image *image, uint64_t address)
{
    return image->inherited.n_used && !live_find(&image->pairing.live, address) &&
           addrset_take(&image->inherited, address);
}

static int on_release(const struct moment *moment)
{
    if (take_inherited(moment->image, moment->event->address)) {
        moment->program->counts.inherited_releases += moment->is_ours;
        return 0;
    }
    struct pairing *const pairing = &moment->image->pairing;
    const struct pairing_releaser by = {.thread = moment->stream->thread};
    struct block *const block =
        pairing_is_quiet(pairing) ? live_find(&pairing->live, moment->event->address) : NULL;
    if (!block)
        return pairing_release(pairing, moment->event->address, moment->event->ticks, by);
    const int error = let_go(moment->image, block, by);
    live_remove(&pairing->live, block);
    return error;
}

/* ---- resizes ---- */

static int on_resize_begin(const struct moment *moment)
{
    const uint64_t address = moment->event->address;
    struct model_resize *const resize = &moment->stream->resize;
    moment->model->last_token = (moment->model->last_token + 1) & UINT32_MAX;
    *resize = (struct model_resize){
        .active = true,
        .address = address,
        .token = (uint64_t)moment->event->stream << 32 | moment->model->last_token,
        .inherited = take_inherited(moment->image, address),
    };
    if (resize->inherited)
        return 0;
    return pairing_withdraw(&moment->image->pairing, address, moment->event->ticks, resize->token,
                            &resize->block, &resize->found);
}

static int on_resize_end(const struct moment *moment)
{
    struct program *const program = moment->program;
    const struct model_resize resize = moment->stream->resize;
    const uint32_t site = find_site(moment);
    moment->stream->resize.active = false;
    if (site == 0)
        return -ENOMEM;
    if (!resize.active || !resize.found || moment->event->address == 0) {
        program->counts.unknown_resizes += moment->is_ours;
        return acquire(moment, site);
    }
    const struct program_request request = make_request(moment, site);
    if (moment->is_ours) {
        const int error =
            program->sink->resize(program->sink->context, &request, resize.block.start_ticks);
        if (error)
            return error;
        program->counts.resizes++;
        drop(program, &resize.block);
    }
    return begin_life(moment, &request, resize.block.start_ticks);
}

static int on_resize_fail(const struct moment *moment)
{
    const struct model_resize resize = moment->stream->resize;
    moment->stream->resize.active = false;
    if (!resize.active)
        return 0;
    moment->program->counts.failed_resizes += moment->is_ours;
    if (resize.inherited)
        return resize.address ? addrset_add(&moment->image->inherited, resize.address) : 0;
    return resize.found ? pairing_restore(&moment->image->pairing, &resize.block) : 0;
}

static int on_resize_freed(const struct moment *moment)
{
    const struct model_resize resize = moment->stream->resize;
    struct program_counts *const counts = &moment->program->counts;
    const struct pairing_releaser by = {.thread = moment->stream->thread};
    moment->stream->resize.active = false;
    if (resize.active && resize.found)
        return let_go(moment->image, &resize.block, by);
    counts->inherited_releases += moment->is_ours && resize.active && resize.inherited;
    counts->unknown_releases += moment->is_ours && !(resize.active && resize.inherited);
    return 0;
}

static int (*const handlers[TRACE_NODE])(const struct moment *moment) = {
    [TRACE_REALLOC_BEGIN] = on_resize_begin,
    [TRACE_REALLOC_END] = on_resize_end,
    [TRACE_REALLOC_FAIL] = on_resize_fail,
    [TRACE_REALLOC_FREED] = on_resize_freed,
};

/* ---- events ---- */

/* The first event of the process's next image. */
static int replace(struct program *program, uint32_t image)
{
    const bool is_first = program->image == 0;
    program->image = image;
    if (is_first)
        return 0;
    program->counts.inferred_releases += program->live_count;
    program->live_count = program->live_bytes = 0;
    return program->sink->replaced(program->sink->context, &program->now);
}

static int turn_to(struct moment *moment, uint32_t stream_number)
{
    struct model *const model = moment->model;
    struct program *const program = moment->program;
    moment->stream = &model->streams[stream_number];
    moment->image = model_image(model, moment->stream->image);
    const int error =
        moment->image->process ? 0 : processes_attach(model, moment->image->number, NULL);
    if (error)
        return error;
    moment->is_ours = is_ours(moment->image);
    if (!moment->is_ours)
        return 0;
    const uint64_t main_key = (uint64_t)moment->image->number << 32 | (uint32_t)moment->image->pid;
    program->main_thread = idmap_get(&model->thread_by_tid, main_key) - 1;
    program->now =
        (struct program_release){.thread = moment->stream->thread,
                                 .is_main = moment->stream->thread == program->main_thread};
    return moment->image->number == program->image ? 0 : replace(program, moment->image->number);
}

static int apply(struct moment *moment, const struct event *event)
{
    if (event->tag == TRACE_NODE)
        return sites_add_node(moment->model, event);
    if (event->tag > TRACE_NODE) {
        sites_reset_tree(moment->model, event->stream);
        return 0;
    }
    if (!moment->event || moment->event->stream != event->stream) {
        const int error = turn_to(moment, event->stream);
        if (error)
            return error;
    }
    moment->event = event;
    if (event->ticks > moment->model->now_ticks)
        moment->model->now_ticks = event->ticks;
    if (record_is_allocation(event->tag))
        return on_allocation(moment);
    if (record_is_release(event->tag))
        return on_release(moment);
    return handlers[event->tag] ? handlers[event->tag](moment) : 0;
}

int program_apply(struct model *model, const struct event *events, uint32_t n, uint32_t *n_done_out)
{
    struct moment moment = {.model = model, .program = model->program};
    uint32_t i = 0;
    int error = 0;
    for (; i < n && events[i].kind == EVENT_SHORT && error == 0; i++)
        error = apply(&moment, &events[i]);
    *n_done_out = i;
    return error;
}

bool program_needs(const struct model *model, const struct event *event)
{
    if (event->kind == EVENT_OVER)
        return true;
    if (event->kind == EVENT_FILE)
        return event->tag < TRACE_STRING || event->tag == TRACE_END;
    if (event->tag < TRACE_IO || event->tag >= TRACE_TAG_FILE || event->stream == 0)
        return true;
    /* Any record may be the first of its image. */
    return model_image(model, model->streams[event->stream].image)->process == 0;
}
