/* SPDX-License-Identifier: MIT */
/* How records reach the part of the model they are about. */
#include "reader/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "reader/account.h"
#include "reader/array.h"
#include "reader/freed_at.h"
#include "reader/io_events.h"
#include "reader/processes.h"
#include "reader/site_habits.h"

enum { DEFAULT_WIDTH_TICKS = 10 * 1000 * 1000 };

int model_init(struct model *model, struct storage *storage)
{
    *model = (struct model){.storage = storage, .texts = {.storage = storage}};
    model->scratch = calloc(TRACE_MAX_DEPTH, sizeof *model->scratch);
    model->streams = calloc(1, sizeof *model->streams);
    model->n_streams = model->streams_capacity = 1;
    return model->scratch && model->streams ? model_set_start(model, 0, DEFAULT_WIDTH_TICKS)
                                            : -ENOMEM;
}

int model_set_start(struct model *model, uint64_t start_ticks, uint64_t width_ticks)
{
    model->start_ticks = model->now_ticks = start_ticks;
    /* The run record names the root before the first clock record tells the time. */
    for (uint32_t i = 0; i < model->n_processes; i++) {
        struct model_process *process = &model->processes[i];
        process->first_ticks = process->last_ticks = process->rates.start_ticks = start_ticks;
        process->rates.end_ticks = 0; /* of a step, if there is one, not yet known */
    }
    const uint64_t live_bytes = model->timeline.live_bytes; /* not 0 only in a strange trace */
    timeline_fini(&model->timeline);
    const int error = timeline_init(&model->timeline, start_ticks, width_ticks);
    model->timeline.live_bytes = live_bytes;
    return error;
}

void model_site_fini(struct model_site *site)
{
    idmap_fini(&site->threads);
    histogram_fini(&site->sizes);
    histogram_fini(&site->lifetime_ticks);
    histogram_fini(&site->alloc_call_cycles);
    histogram_fini(&site->free_call_cycles);
}

void model_fini(struct model *model)
{
    site_habits_fini(&model->habits, model->n_sites);
    for (uint32_t i = 0; i < model->n_sites; i++)
        model_site_fini(&model->sites[i]);
    for (uint32_t i = 0; i < model->n_processes; i++)
        rates_fini(&model->processes[i].rates);
    for (uint32_t i = 0; i < model->n_images; i++)
        processes_free_image(model->images[i]);
    for (uint32_t i = 0; i < model->n_streams && model->streams; i++)
        free(model->streams[i].nodes);
    for (size_t i = 0; i < MODEL_N_OCTAVES; i++)
        histogram_fini(&model->octaves[i].lifetime_ticks);
    struct idmap *const maps[] = {&model->image_by_id, &model->process_by_pid,
                                  &model->thread_by_tid, &model->site_by_stack};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        idmap_fini(maps[i]);
    io_model_fini(&model->io);
    freed_at_fini(model);
    strtab_fini(&model->texts);
    stacks_fini(&model->stacks);
    timeline_fini(&model->timeline);
    free(model->sites);
    free(model->processes);
    free(model->images);
    free(model->streams);
    free(model->last_address);
    free(model->scratch);
    *model = (struct model){.n_sites = 0};
}

int model_remark(struct model *model, const char *line)
{
    const uint32_t id = strtab_add(&model->texts, line, strlen(line));
    const char *const text = strtab_text(&model->texts, id);
    if (id == 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < model->n_remarks; i++)
        if (model->remarks[i] == text)
            return 0;
    if (model->n_remarks < MODEL_MAX_REMARKS)
        model->remarks[model->n_remarks++] = text;
    return 0;
}

/* ---- streams and threads ---- */

/* A number for a new thread, with a place for its last allocation. */
static int add_thread(struct model *model, uint32_t *thread_out)
{
    if (model->n_threads <= LIVE_THREAD_MASK) {
        uint64_t *const last = array_room(model->last_address, model->n_threads,
                                          &model->threads_capacity, sizeof *last);
        if (!last)
            return -ENOMEM;
        model->last_address = last;
        last[model->n_threads] = 0;
    }
    const int error = site_habits_add_thread(model);
    if (error)
        return error;
    *thread_out = model->n_threads++;
    return 0;
}

/* A main ring is a new thread, even under a tid seen before; a signal ring joins its thread's. */
static int find_thread(struct model *model, struct model_image *image, const struct record *record,
                       uint32_t *thread_out)
{
    const uint64_t key = (uint64_t)image->number << 32 | (uint32_t)record->stream.tid;
    const uint32_t known = idmap_get(&model->thread_by_tid, key);
    if (known && record->stream.ring != 0) {
        *thread_out = known - 1;
        return 0;
    }
    const int error = add_thread(model, thread_out);
    if (error)
        return error;
    image->n_threads += record->stream.ring == 0;
    const int no_room = io_events_add_thread(model, image->number, record->stream.tid);
    if (no_room)
        return no_room;
    return idmap_put(&model->thread_by_tid, key, *thread_out + 1);
}

int model_add_stream(struct model *model, const struct record *record)
{
    struct model_stream *const streams =
        array_room(model->streams, model->n_streams, &model->streams_capacity, sizeof *streams);
    const uint32_t image = processes_image(model, record->stream.image_id, record->stream.pid);
    uint32_t thread;
    if (streams)
        model->streams = streams;
    if (!streams || image == 0 || find_thread(model, model_image(model, image), record, &thread))
        return -ENOMEM;
    streams[model->n_streams++] = (struct model_stream){.image = image, .thread = thread};
    return 0;
}

int model_stream_over(struct model *model, uint32_t number)
{
    struct model_stream *const stream = &model->streams[number];
    io_events_thread_over(model, stream->thread);
    free(stream->nodes);
    stream->nodes = NULL;
    stream->n_nodes = stream->capacity = 0;
    return 0;
}

/* ---- records about modules and processes ---- */

static int add_module(struct model *model, struct model_image *image, const struct record *record)
{
    const struct unpack_text build_id = record->module.build_id;
    const uint32_t path =
        strtab_add(&model->texts, record->module.path.bytes, record->module.path.n_bytes);
    const uint32_t id = strtab_add_build_id(&model->texts, build_id.bytes, build_id.n_bytes);
    const uint32_t object = path && id ? stacks_object(&model->stacks, path, id) : 0;
    if (object == 0)
        return -ENOMEM;
    const struct module module = {.start = record->module.start,
                                  .end = record->module.end,
                                  .bias = record->module.bias,
                                  .object = object};
    const int error = modmap_add(&image->modules, &module);
    return error == -E2BIG ? 0 : error;
}

static int add_mark(struct model *model, const struct record *record)
{
    const struct unpack_text text = record->remark.text;
    if (model->n_marks == MODEL_MAX_MARKS)
        return 0;
    const uint32_t id =
        strtab_add(&model->texts, text.bytes, text.n_bytes < 400 ? text.n_bytes : 400);
    if (id == 0)
        return -ENOMEM;
    model->marks[model->n_marks++] =
        (struct model_mark){.ticks = record->ticks, .text = strtab_text(&model->texts, id)};
    return 0;
}

static int add_remark(struct model *model, const struct record *record)
{
    static const char *const lines[] = {
        [0] = "remark: %.*s",
        [TRACE_REMARK_DEEPBIND] =
            "%.*s was opened with RTLD_DEEPBIND: what it allocates is not seen",
        [TRACE_REMARK_OWN_MALLOC] = "the program's malloc is that of %.*s: it is not seen",
        [TRACE_REMARK_USER_CHANGED] = "the program changed its user to %.*s",
        [TRACE_REMARK_STDIO_UNSEEN] = "what stdio reads and writes is not seen: %.*s",
    };
    const uint32_t what = record->remark.what;
    if (what == TRACE_REMARK_MARK)
        return add_mark(model, record);
    const char *const format = lines[what < sizeof lines / sizeof *lines ? what : 0];
    const struct unpack_text text = record->remark.text;
    char line[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, format, text.n_bytes < 400 ? (int)text.n_bytes : 400, text.bytes);
#pragma GCC diagnostic pop
    return model_remark(model, line);
}

static int on_child_exit(struct model *model, const struct record *record)
{
    const int32_t status = record->exit.wait_status;
    if (!record->exit.has_status || !(WIFEXITED(status) || WIFSIGNALED(status)))
        return 0;
    return processes_end(model, record->exit.pid, &status);
}

static int apply_ring_record(struct model *model, uint32_t number, const struct record *record)
{
    struct model_image *const image = model_image(model, model->streams[number].image);
    switch (record->tag) {
    case TRACE_MODULE: return add_module(model, image, record);
    case TRACE_FORK: return processes_fork(model, image, record->fork.id);
    case TRACE_FORK_FAIL: processes_fork_failed(image, record->fork.id); return 0;
    case TRACE_CHILD_EXIT: return on_child_exit(model, record);
    case TRACE_REMARK: return add_remark(model, record);
    default: return io_events_apply(model, number, record);
    }
}

/* ---- the collector's own records ---- */

static int set_rss(struct model *model, int32_t pid, uint64_t bytes)
{
    const uint32_t number = idmap_get(&model->process_by_pid, (uint32_t)pid);
    if (number == 0 || !model_shows(model, number))
        return 0;
    struct model_process *const process = model_process(model, number);
    if (process->ended && bytes)
        return 0;
    model->rss_bytes = add_capped(subtract_floored(model->rss_bytes, process->rss_bytes), bytes);
    process->rss_bytes = bytes;
    if (model->rss_bytes > model->peak_rss_bytes)
        model->peak_rss_bytes = model->rss_bytes;
    timeline_set_rss(&model->timeline, model->rss_bytes);
    return 0;
}

static int apply_file_record(struct model *model, const struct record *record)
{
    switch (record->tag) {
    case TRACE_RSS: return set_rss(model, record->rss.pid, record->rss.bytes);
    case TRACE_PROCESS_END:
        set_rss(model, record->exit.pid, 0);
        return processes_end(model, record->exit.pid,
                             record->exit.has_status ? &record->exit.wait_status : NULL);
    case TRACE_UNATTACHED:
        model->n_unattached_by_reason[model_reason(record->unattached.reason)]++;
        return 0;
    case TRACE_PROCESS_IO: io_events_process_io(model, &record->kernel_io); return 0;
    case TRACE_STOPPED:
        model->stopped = true;
        model->stop_reason = record->stopped.reason;
        model->stopped_ticks = record->ticks;
        return 0;
    default: return 0;
    }
}

int model_record(struct model *model, uint32_t number, const struct record *record)
{
    model_advance(model, record->ticks);
    if (number == 0)
        return apply_file_record(model, record);
    struct model_image *const image = model_image(model, model->streams[number].image);
    int error = 0;
    if (record->tag == TRACE_IMAGE)
        error = processes_attach(model, image->number, &record->image);
    else if (!image->process)
        error = processes_attach(model, image->number, NULL);
    if (error)
        return error;
    model_process_alive(model_process(model, image->process), record->ticks);
    return apply_ring_record(model, number, record);
}

int model_finish(struct model *model)
{
    int error = 0;
    for (uint32_t i = 1; i <= model->n_images && error == 0; i++)
        error = pairing_expire(&model_image(model, i)->pairing, UINT64_MAX);
    for (uint32_t i = 1; i <= model->n_images; i++)
        io_joins_close(model_image(model, i));
    if (model->habits.gathered && error == 0)
        error = site_habits_finish(model);
    const int not_summed = account_sum_sites(model);
    return error ? error : not_summed;
}
