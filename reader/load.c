/* SPDX-License-Identifier: MIT */
/* How a trace becomes a profile: one thread decodes and merges its records, another takes them to the
 * model, the names or the run's facts; the analyses make the profile of those. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/belt.h"
#include "reader/decode.h"
#include "reader/events.h"
#include "reader/io_habits.h"
#include "reader/processes.h"
#include "reader/profile.h"
#include "reader/program.h"
#include "reader/runfacts.h"
#include "reader/sequence.h"

/* The profile a caller sees, and what its pointers lead to. */
struct loaded {
    struct profile profile;
    struct storage storage;
};

/* Two points that give ticks their length. */
struct clock_points {
    uint64_t n;
    uint64_t first_ticks, first_ns, last_ticks, last_ns;
};

struct loader {
    struct loaded *loaded;
    /* The filling thread's until it is done. */
    struct decoder *decoder;
    struct sequence_end end;
    struct trace_error error;
    /* The taking thread's. */
    struct model model;
    struct naming names;
    struct clock_points clock;
    struct runfacts facts;
};

/* Traces before version 1.2 had cycles for ticks. */
static uint64_t cycles_per_tick(const struct loader *loader)
{
    const uint64_t n = loader->facts.cycles_per_tick;
    return n ? n : 1;
}

static int add_clock(struct loader *loader, const struct record *record)
{
    struct clock_points *const clock = &loader->clock;
    if (clock->n++ == 0) {
        clock->first_ticks = record->ticks;
        clock->first_ns = record->clock.monotonic_ns;
        const uint64_t cycles = 25000000 / cycles_per_tick(loader); /* about 10 ms */
        const uint64_t width = loader->facts.ticks_are_ns ? 10000000 : cycles ? cycles : 1;
        return model_set_start(&loader->model, record->ticks, width);
    }
    clock->last_ticks = record->ticks;
    clock->last_ns = record->clock.monotonic_ns;
    return 0;
}

/* What a tick lasts. A trace that is cut before its second clock record cannot say where its ticks
 * are the processor's; then they pass for nanoseconds, and a remark tells. */
static double ns_per_tick(struct loader *loader)
{
    const struct clock_points *const clock = &loader->clock;
    if (clock->n >= 2 && clock->last_ticks > clock->first_ticks &&
        clock->last_ns > clock->first_ns) {
        const double scale = (double)(clock->last_ns - clock->first_ns) /
                             (double)(clock->last_ticks - clock->first_ticks);
        if (scale > 1e-6 && scale < 1e6)
            return scale;
    }
    if (!loader->facts.ticks_are_ns && loader->model.n_streams > 1)
        model_remark(&loader->model, "the trace does not say how long a clock tick is: times and "
                                     "rates count one tick as a nanosecond");
    return 1;
}

static bool key_is(const struct unpack_text *key, const char *name)
{
    return key->n_bytes == strlen(name) && memcmp(key->bytes, name, key->n_bytes) == 0;
}

static void take_stream_counters(struct model_image *image, const struct record *record)
{
    struct unpack_cursor cursor = record->stream_end.pairs;
    for (uint32_t i = 0; i < record->stream_end.n_pairs; i++) {
        struct unpack_text key;
        uint64_t value;
        if (unpack_text(&cursor, &key))
            return;
        struct unpack_cursor ahead = cursor;
        if (unpack_uint(&ahead, &value) == 0) {
            uint64_t *const counter = key_is(&key, "fast")          ? &image->n_fast
                                      : key_is(&key, "fallback")    ? &image->n_fallback
                                      : key_is(&key, "truncated")   ? &image->n_truncated
                                      : key_is(&key, "stdio_calls") ? &image->n_stdio_calls
                                                                    : NULL;
            if (counter)
                *counter = add_capped(*counter, value);
        }
        if (unpack_skip(&cursor, TRACE_MAX_NESTING))
            return;
    }
}

static int add_loss(struct loader *loader, uint32_t stream, const struct record *record)
{
    struct model *const model = &loader->model;
    uint64_t *const lost = stream ? &model_image(model, model->streams[stream].image)->n_lost
                                  : &model->n_lost_unplaced;
    uint64_t *const by_reason = &model->n_lost_by_reason[model_reason(record->lost.reason)];
    *lost = add_capped(*lost, record->lost.n_events);
    *by_reason = add_capped(*by_reason, record->lost.n_events);
    return 0;
}

static int take_run(struct loader *loader, const struct record *record)
{
    struct model *const model = &loader->model;
    const int error = runfacts_take_run(&loader->facts, record);
    const char *const folder = loader->facts.folder;
    if (error == 0 && folder && model->io.first_folder == 0)
        model->io.first_folder = strtab_add(&model->texts, folder, strlen(folder));
    model->io.is_off = loader->facts.no_io;
    return error ? error : processes_expect_root(&loader->model, loader->facts.root_pid);
}

/* ---- from the first record to the last ---- */

static int take_file_record(struct loader *loader, uint32_t stream, const struct record *record)
{
    struct model *const model = &loader->model;
    switch (record->tag) {
    case TRACE_HEADER: return runfacts_take_header(&loader->facts, record);
    case TRACE_RUN: return take_run(loader, record);
    case TRACE_CLOCK: return add_clock(loader, record);
    case TRACE_STREAM: return model_add_stream(model, record);
    case TRACE_STREAM_END:
        take_stream_counters(model_image(model, model->streams[stream].image), record);
        return 0;
    case TRACE_LOST: return add_loss(loader, stream, record);
    case TRACE_STRING:
    case TRACE_OBJECT:
    case TRACE_SYMBOL: return naming_add(&loader->names, record);
    case TRACE_END: runfacts_take_end(&loader->facts, record); return 0;
    default: return 0;
    }
}

static int take_record(struct loader *loader, const struct batch *batch, const struct event *event)
{
    struct record record;
    if (loader->model.program && !program_needs(&loader->model, event))
        return 0;
    if (event->kind == EVENT_OVER)
        return model_stream_over(&loader->model, event->stream);
    const int error = batch_decode(batch, event, &record);
    if (error)
        return error;
    return event->kind == EVENT_FILE ? take_file_record(loader, event->stream, &record)
                                     : model_record(&loader->model, event->stream, &record);
}

static int take_batch(void *context, const struct batch *batch)
{
    struct loader *const loader = context;
    struct model *const model = &loader->model;
    int (*const apply)(struct model *, const struct event *, uint32_t, uint32_t *) =
        model->program ? program_apply : events_apply;
    int error = 0;
    for (uint32_t i = 0, n; i < batch->n_events && error == 0; i += n) {
        error = apply(model, &batch->events[i], batch->n_events - i, &n);
        if (n == 0 && error == 0) {
            error = take_record(loader, batch, &batch->events[i]);
            n = 1;
        }
    }
    return error;
}

static int fill_batches(void *context, struct outlet *outlet)
{
    struct loader *const loader = context;
    return sequence_send(loader->decoder, outlet, &loader->end, &loader->error);
}

static int fail_memory(struct trace_error *error)
{
    error->offset_bytes = 0;
    error->record = "";
    snprintf(error->reason, sizeof error->reason, "%s", strerror(ENOMEM));
    return -ENOMEM;
}

/* Read all records. */
static int read_records(struct loader *loader, struct trace_error *error_out)
{
    const struct belt_work work = {.context = loader, .fill = fill_batches, .take = take_batch};
    int error = belt_run(&work, belt_is_worth_a_thread());
    if (error == 0)
        error = model_finish(&loader->model);
    if (error && error != -ENOMEM && loader->error.reason[0]) {
        *error_out = loader->error;
        return error;
    }
    if (error)
        return fail_memory(error_out);
    loader->loaded->profile.truncated = loader->end.truncated;
    loader->loaded->profile.cut = loader->end.cut;
    return 0;
}

static void fill_run(struct loader *loader, double scale)
{
    static const char *const reasons[] = {
        [0] = "recording stopped",
        [TRACE_STOP_MAX_SIZE] = "the size limit was reached",
        [TRACE_STOP_NO_SPACE] = "no space left on the disk",
        [TRACE_STOP_FILE_LIMIT] = "the file size limit was reached",
        [TRACE_STOP_IO_ERROR] = "the trace could not be written further",
    };
    struct profile *const profile = &loader->loaded->profile;
    const struct model *const model = &loader->model;
    profile->stopped = model->stopped;
    if (model->stopped) {
        const uint32_t reason = model->stop_reason;
        profile->stop_reason = reasons[reason < sizeof reasons / sizeof *reasons ? reason : 0];
        profile->stopped_seconds =
            (double)subtract_floored(model->stopped_ticks, model->start_ticks) * scale / 1e9;
    }
    const struct model_process *const root = model->n_processes ? model_process(model, 1) : NULL;
    if (root && root->has_status && !profile->has_status) {
        profile->has_status = true;
        profile->wait_status = root->wait_status;
    }
    for (uint32_t i = 0; i < profile->n_processes && !*profile->allocator; i++)
        profile->allocator = profile->processes[i].allocator;
}

static int analyse(struct loader *loader, const struct profile_options *options,
                   struct trace_error *error_out)
{
    struct suppressions user = {0}, runtime = {0};
    int error = 0;
    if (options->suppressions)
        error = suppress_read(&user, options->suppressions, error_out);
    if (error == 0 && !options->no_builtin_suppressions && suppress_add_runtime(&runtime))
        error = fail_memory(error_out);
    const double scale = ns_per_tick(loader);
    struct analysis analysis = {.model = &loader->model,
                                .names = &loader->names,
                                .storage = &loader->loaded->storage,
                                .options = options,
                                .suppressions = &user,
                                .runtime = &runtime,
                                .ns_per_tick = scale,
                                .ns_per_cycle = scale / (double)cycles_per_tick(loader),
                                .profile = &loader->loaded->profile};
    if (error == 0 && analysis_run(&analysis))
        error = fail_memory(error_out);
    if (error == 0)
        fill_run(loader, scale);
    suppress_fini(&user);
    suppress_fini(&runtime);
    return error;
}

static int begin(struct loader *loader, const char *path, const struct profile_options *options,
                 struct trace_error *error_out)
{
    const int error = decode_open(path, &loader->decoder, error_out);
    if (error)
        return error;
    struct loaded *const loaded = loader->loaded = calloc(1, sizeof *loaded);
    if (!loaded || model_init(&loader->model, &loaded->storage))
        return fail_memory(error_out);
    loader->names.texts = &loader->model.texts;
    loader->names.stacks = &loader->model.stacks;
    loader->model.only_process = options->process_id;
    loader->model.habits.gathered = options->habits;
    if (options->habits && io_habits_begin(&loader->model.io))
        return fail_memory(error_out);
    loader->facts = (struct runfacts){.profile = &loaded->profile, .storage = &loaded->storage};
    struct profile *const profile = &loaded->profile;
    profile->started = profile->kernel = profile->libc = profile->cpu = profile->allocator =
        profile->tool_version = "";
    profile->stop_reason = profile->cut.record = "";
    profile->trace_name = storage_text(&loaded->storage, path, strlen(path));
    return profile->trace_name ? 0 : fail_memory(error_out);
}

static int load(struct loader *loader, const char *path, const struct profile_options *options,
                struct trace_error *error_out)
{
    int error = begin(loader, path, options, error_out);
    if (error == 0)
        error = read_records(loader, error_out);
    if (error)
        return error;
    if (options->process_id > loader->model.n_processes) {
        *error_out = (struct trace_error){.record = "process"};
        snprintf(error_out->reason, sizeof error_out->reason, "process %u is not in the trace",
                 options->process_id);
        return -ENOENT;
    }
    return analyse(loader, options, error_out);
}

static void end(struct loader *loader)
{
    naming_fini(&loader->names);
    model_fini(&loader->model);
    decode_close(loader->decoder);
}

int profile_load(const char *path, const struct profile_options *options,
                 struct profile **profile_out, struct trace_error *error_out)
{
    static const struct profile_options defaults = {0};
    struct loader loader = {0};
    *error_out = (struct trace_error){.record = ""};
    const int error = load(&loader, path, options ? options : &defaults, error_out);
    end(&loader);
    if (error) {
        if (loader.loaded)
            profile_free(&loader.loaded->profile);
        return error;
    }
    *profile_out = &loader.loaded->profile;
    return 0;
}

int program_load(const char *path, struct program *program, bool *truncated_out,
                 struct trace_error *error_out)
{
    static const struct profile_options defaults = {0};
    struct loader loader = {0};
    *error_out = (struct trace_error){.record = ""};
    int error = begin(&loader, path, &defaults, error_out);
    loader.model.program = program;
    if (error == 0)
        error = read_records(&loader, error_out);
    if (error == 0)
        *truncated_out = loader.loaded->profile.truncated;
    end(&loader);
    if (loader.loaded)
        profile_free(&loader.loaded->profile);
    return error;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    struct loaded *const loaded = (struct loaded *)(void *)profile; /* its first member */
    storage_fini(&loaded->storage);
    free(loaded);
}
