/* SPDX-License-Identifier: MIT */
/* How a trace becomes a profile: its records go to the merge, the names or the run's facts; the merge
 * feeds the model; the analyses make the profile of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/decode.h"
#include "reader/merge.h"
#include "reader/processes.h"
#include "reader/profile.h"
#include "reader/runfacts.h"

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
    struct decoder *decoder;
    struct merge *merge;
    struct model model;
    struct naming names;
    struct idmap streams; /* the trace's stream id -> merge's number */
    struct clock_points clock;
    struct runfacts facts;
    bool ended; /* TRACE_END was there */
};

static int add_stream(struct loader *loader, const struct record *record)
{
    uint32_t number;
    if (idmap_get(&loader->streams, record->stream.id))
        return 0; /* named twice */
    int error = model_add_stream(&loader->model, record);
    if (error == 0)
        error = merge_add_stream(loader->merge, &number);
    return error ? error : idmap_put(&loader->streams, record->stream.id, number);
}

static int add_chunk(struct loader *loader, struct decode_item *item)
{
    const uint32_t number = idmap_get(&loader->streams, item->record.chunk.stream);
    const struct merge_chunk_head head = {.base = item->record.chunk.base,
                                          .offset = item->payload_offset,
                                          .cut = item->payload_bytes < item->record.chunk.n_bytes};
    if (number == 0) { /* of a stream never named: whose it is is not known */
        free(item->payload);
        return 0;
    }
    return merge_add_chunk(loader->merge, number, &head, item->payload, item->payload_bytes);
}

/* The collector's stamped records take part in the merge as stream 0, by their own bytes. */
static int add_own(struct loader *loader, const struct decode_item *item)
{
    const struct merge_chunk_head head = {.offset = item->offset};
    uint8_t *const copy = malloc(item->n_bytes);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, item->bytes, item->n_bytes);
    return merge_add_chunk(loader->merge, 0, &head, copy, item->n_bytes);
}

static int add_clock(struct loader *loader, const struct record *record)
{
    struct clock_points *const clock = &loader->clock;
    if (clock->n++ == 0) {
        clock->first_ticks = record->ticks;
        clock->first_ns = record->clock.monotonic_ns;
        const uint64_t width = loader->facts.ticks_are_ns ? 10000000 : 25000000; /* about 10 ms */
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
            uint64_t *const counter = key_is(&key, "fast")        ? &image->n_fast
                                      : key_is(&key, "fallback")  ? &image->n_fallback
                                      : key_is(&key, "truncated") ? &image->n_truncated
                                                                  : NULL;
            if (counter)
                *counter = add_capped(*counter, value);
        }
        if (unpack_skip(&cursor, TRACE_MAX_NESTING))
            return;
    }
}

static int end_stream(struct loader *loader, const struct record *record)
{
    const uint32_t number = idmap_get(&loader->streams, record->stream_end.stream);
    if (number == 0)
        return 0;
    take_stream_counters(model_image(&loader->model, loader->model.streams[number].image), record);
    return merge_end_stream(loader->merge, number);
}

static int add_loss(struct loader *loader, const struct record *record)
{
    struct model *const model = &loader->model;
    const uint32_t number = idmap_get(&loader->streams, record->lost.stream);
    uint64_t *const lost = number ? &model_image(model, model->streams[number].image)->n_lost
                                  : &model->n_lost_unplaced;
    uint64_t *const by_reason = &model->n_lost_by_reason[model_reason(record->lost.reason)];
    *lost = add_capped(*lost, record->lost.n_events);
    *by_reason = add_capped(*by_reason, record->lost.n_events);
    return 0;
}

static int take_run(struct loader *loader, const struct record *record)
{
    const int error = runfacts_take_run(&loader->facts, record);
    return error ? error : processes_expect_root(&loader->model, loader->facts.root_pid);
}

static int take_end(struct loader *loader, const struct record *record)
{
    loader->ended = true;
    runfacts_take_end(&loader->facts, record);
    return 0;
}

/* ---- from the first record to the last ---- */

static int take_item(struct loader *loader, struct decode_item *item)
{
    const struct record *const record = &item->record;
    if (!record->known)
        return 0;
    switch (record->tag) {
    case TRACE_HEADER: return runfacts_take_header(&loader->facts, record);
    case TRACE_RUN: return take_run(loader, record);
    case TRACE_CLOCK: return add_clock(loader, record);
    case TRACE_STREAM: return add_stream(loader, record);
    case TRACE_CHUNK: return add_chunk(loader, item);
    case TRACE_WATERMARK: return merge_up_to(loader->merge, record->ticks);
    case TRACE_STREAM_END: return end_stream(loader, record);
    case TRACE_LOST: return add_loss(loader, record);
    case TRACE_RSS:
    case TRACE_PROCESS_END:
    case TRACE_UNATTACHED:
    case TRACE_STOPPED: return add_own(loader, item);
    case TRACE_STRING:
    case TRACE_OBJECT:
    case TRACE_SYMBOL: return naming_add(&loader->names, record);
    case TRACE_END: return take_end(loader, record);
    default: return 0;
    }
}

static int fail_memory(struct trace_error *error)
{
    error->offset_bytes = 0;
    error->record = "";
    snprintf(error->reason, sizeof error->reason, "%s", strerror(ENOMEM));
    return -ENOMEM;
}

/* Tell whether the file, too, ends at the end mark: a last frame without its checksum is a cut, and
 * what stands before it was not verified. */
static bool is_whole(struct loader *loader, struct trace_error *cut_out)
{
    struct decode_item after = {0};
    const int found = decode_next(loader->decoder, &after, cut_out);
    if (found > 0)
        free(after.payload);
    return found >= 0;
}

/* Read all records. A cut or broken trace is no failure: the profile says where. */
static int read_records(struct loader *loader, struct trace_error *error_out)
{
    struct profile *const profile = &loader->loaded->profile;
    struct decode_item item;
    int found, error = 0;
    while (!loader->ended && !merge_is_broken(loader->merge, &profile->cut) &&
           (found = decode_next(loader->decoder, &item, &profile->cut)) != 0) {
        if (found < 0 && found != -EBADMSG) {
            *error_out = profile->cut;
            return found;
        }
        if (found < 0)
            break;
        if ((error = take_item(loader, &item)))
            return fail_memory(error_out);
    }
    if ((error = merge_finish(loader->merge)) || (error = model_finish(&loader->model)))
        return fail_memory(error_out);
    const bool broken = merge_is_broken(loader->merge, &profile->cut);
    profile->truncated = broken || !loader->ended || !is_whole(loader, &profile->cut);
    if (!profile->truncated)
        profile->cut = (struct trace_error){.record = ""};
    else if (!profile->cut.reason[0])
        snprintf(profile->cut.reason, sizeof profile->cut.reason, "the end mark is missing");
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
                                .profile = &loader->loaded->profile};
    if (error == 0 && analysis_run(&analysis))
        error = fail_memory(error_out);
    if (error == 0)
        fill_run(loader, scale);
    suppress_fini(&user);
    suppress_fini(&runtime);
    return error;
}

static int load(struct loader *loader, const char *path, const struct profile_options *options,
                struct trace_error *error_out)
{
    int error = decode_open(path, &loader->decoder, error_out);
    if (error)
        return error;
    struct loaded *const loaded = loader->loaded = calloc(1, sizeof *loaded);
    if (!loaded || model_init(&loader->model, &loaded->storage))
        return fail_memory(error_out);
    const struct merge_sink sink = {.context = &loader->model,
                                    .record = model_record,
                                    .ended = model_stream_ended,
                                    .coming = model_record_coming};
    loader->merge = merge_new(&sink);
    loader->names.texts = &loader->model.texts;
    loader->names.stacks = &loader->model.stacks;
    loader->model.only_process = options->process_id;
    loader->facts = (struct runfacts){.profile = &loaded->profile, .storage = &loaded->storage};
    struct profile *const profile = &loaded->profile;
    profile->started = profile->kernel = profile->libc = profile->cpu = profile->allocator =
        profile->tool_version = "";
    profile->stop_reason = profile->cut.record = "";
    profile->trace_name = storage_text(&loaded->storage, path, strlen(path));
    if (!loader->merge || !profile->trace_name)
        return fail_memory(error_out);
    if ((error = read_records(loader, error_out)))
        return error;
    if (options->process_id > loader->model.n_processes) {
        *error_out = (struct trace_error){.record = "process"};
        snprintf(error_out->reason, sizeof error_out->reason, "process %u is not in the trace",
                 options->process_id);
        return -ENOENT;
    }
    return analyse(loader, options, error_out);
}

int profile_load(const char *path, const struct profile_options *options,
                 struct profile **profile_out, struct trace_error *error_out)
{
    static const struct profile_options defaults = {0};
    struct loader loader = {0};
    *error_out = (struct trace_error){.record = ""};
    const int error = load(&loader, path, options ? options : &defaults, error_out);
    merge_free(loader.merge);
    naming_fini(&loader.names);
    idmap_fini(&loader.streams);
    model_fini(&loader.model);
    decode_close(loader.decoder);
    if (error) {
        if (loader.loaded)
            profile_free(&loader.loaded->profile);
        return error;
    }
    *profile_out = &loader.loaded->profile;
    return 0;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    struct loaded *const loaded = (struct loaded *)(void *)profile; /* its first member */
    storage_fini(&loaded->storage);
    free(loaded);
}
