/* SPDX-License-Identifier: MIT */
/* What each process did, and all of them together. */
#include <errno.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/array.h"
#include "reader/io_reconcile.h"
#include "reader/members.h"

static double seconds(const struct analysis *analysis, uint64_t ticks)
{
    return (double)ticks * analysis->ns_per_tick / 1e9;
}

static double per_second(uint64_t n, double duration_seconds)
{
    return duration_seconds > 0 ? (double)n / duration_seconds : 0;
}

static void set_rates(const struct analysis *analysis, struct metrics *metrics,
                      const struct rates *rates)
{
    uint64_t count, bytes;
    rates_peak(rates, 1e9 / analysis->ns_per_tick, &count, &bytes);
    metrics->alloc_rate = per_second(metrics->alloc_count, metrics->duration_seconds);
    metrics->alloc_byte_rate = per_second(metrics->alloc_bytes, metrics->duration_seconds);
    metrics->peak_alloc_rate = (double)count;
    metrics->peak_alloc_byte_rate = (double)bytes;
}

static struct metrics process_metrics(const struct analysis *analysis,
                                      const struct model_process *process)
{
    struct metrics metrics = {
        .alloc_count = process->alloc_count,
        .realloc_count = process->realloc_count,
        .free_count = process->free_count,
        .alloc_bytes = process->alloc_bytes,
        .peak_bytes = process->peak_bytes,
        .peak_count = process->peak_count,
        .leaked_count = process->live_count,
        .leaked_bytes = process->live_bytes,
        .temporary_count = process->temporary_count,
        .slack_bytes = process->peak_slack_bytes,
        .copied_bytes = process->copied_bytes,
        .mapped_bytes = process->mapped_bytes,
        .mapped_peak_bytes = process->mapped_peak_bytes,
        .io_calls = add_capped(process->io.read_calls, process->io.write_calls),
        .io_read_calls = process->io.read_calls,
        .io_write_calls = process->io.write_calls,
        .io_read_bytes = process->io.read_bytes,
        .io_write_bytes = process->io.write_bytes,
        .io_seconds = seconds(analysis, process->io.ticks),
        .stdio_calls = process->io.logical_calls,
        .fsync_count = process->io.fsyncs,
        .open_count = process->io.opens,
        .seek_count = process->io.seeks,
        .stat_count = process->io.stats,
        .events = process->events,
        .duration_seconds =
            seconds(analysis, subtract_floored(process->last_ticks, process->first_ticks)),
    };
    set_rates(analysis, &metrics, &process->rates);
    return metrics;
}

static const char *build_id_of(const struct analysis *analysis, const struct model_image *image)
{
    const struct model *const model = analysis->model;
    for (uint32_t i = 0; i < image->modules.n_modules; i++) {
        const struct stack_object *const object =
            &model->stacks.objects[image->modules.modules[i].object - 1];
        if (strcmp(strtab_text(&model->texts, object->path), image->executable) == 0)
            return strtab_text(&model->texts, object->build_id);
    }
    return "";
}

/* Images of a process, and what its streams counted. The thread that calls exec lives on, so it is
 * counted with the first image only. */
static int fill_images(const struct analysis *analysis, const struct model_process *source,
                       struct process *process)
{
    struct process_image *const images =
        storage_array(analysis->storage, source->n_images, sizeof *images);
    if (!images)
        return -ENOMEM;
    uint32_t at = source->n_images, n_attached = 0;
    uint64_t n_stdio_calls = 0;
    process->allocator = "";
    for (uint32_t i = source->image; i && at > 0; at--) {
        const struct model_image *const image = model_image(analysis->model, i);
        images[at - 1] = (struct process_image){.executable = image->executable,
                                                .n_arguments = image->n_arguments,
                                                .arguments = image->arguments,
                                                .build_id = build_id_of(analysis, image)};
        if (at == source->n_images)
            process->allocator = image->allocator;
        process->n_threads += image->n_threads;
        n_attached += image->n_threads > 0;
        process->coverage.lost_events = add_capped(process->coverage.lost_events, image->n_lost);
        n_stdio_calls = add_capped(n_stdio_calls, image->n_stdio_calls);
        process->coverage.unwind_fast += image->n_fast;
        process->coverage.unwind_fallback += image->n_fallback;
        process->coverage.unwind_truncated += image->n_truncated;
        i = image->next_of_process;
    }
    /* A trace that was cut does not say what its streams counted, but what the transfers served. */
    if (n_stdio_calls > process->totals.stdio_calls)
        process->totals.stdio_calls = n_stdio_calls;
    process->n_threads -= n_attached > 1 ? n_attached - 1 : 0;
    process->n_images = source->n_images;
    process->images = images;
    return 0;
}

static int fill_process(const struct analysis *analysis, uint32_t number, struct process *process)
{
    const struct model_process *const source = model_process(analysis->model, number);
    *process = (struct process){
        .id = number,
        .parent_id = source->parent,
        .pid = source->pid,
        .has_status = source->has_status,
        .wait_status = source->wait_status,
        .started_seconds =
            seconds(analysis, subtract_floored(source->first_ticks, analysis->model->start_ticks)),
        .totals = process_metrics(analysis, source),
        .coverage = {.events = source->events,
                     .unknown_frees = source->unknown_frees,
                     .inherited_frees = source->inherited_frees,
                     .processes = 1},
    };
    const int error = fill_images(analysis, source, process);
    process->coverage.threads = process->n_threads;
    process->totals.lost_events = process->coverage.lost_events;
    return error;
}

/* The sum over processes; of their peaks the largest. */
static void add_metrics(struct metrics *sum, const struct metrics *one)
{
    static const size_t added[] = {
        offsetof(struct metrics, alloc_count),       offsetof(struct metrics, realloc_count),
        offsetof(struct metrics, free_count),        offsetof(struct metrics, alloc_bytes),
        offsetof(struct metrics, leaked_count),      offsetof(struct metrics, leaked_bytes),
        offsetof(struct metrics, temporary_count),   offsetof(struct metrics, slack_bytes),
        offsetof(struct metrics, copied_bytes),      offsetof(struct metrics, mapped_bytes),
        offsetof(struct metrics, mapped_peak_bytes), offsetof(struct metrics, events),
        offsetof(struct metrics, lost_events),       offsetof(struct metrics, io_calls),
        offsetof(struct metrics, io_read_calls),     offsetof(struct metrics, io_write_calls),
        offsetof(struct metrics, io_read_bytes),     offsetof(struct metrics, io_write_bytes),
        offsetof(struct metrics, stdio_calls),       offsetof(struct metrics, fsync_count),
        offsetof(struct metrics, open_count),        offsetof(struct metrics, seek_count),
        offsetof(struct metrics, stat_count),
    };
    members_add(sum, one, added, sizeof added / sizeof *added);
    sum->io_seconds += one->io_seconds;
    if (one->peak_bytes > sum->peak_bytes) {
        sum->peak_bytes = one->peak_bytes;
        sum->peak_count = one->peak_count;
    }
}

static void add_coverage(struct coverage *sum, const struct coverage *one)
{
    sum->events += one->events;
    sum->lost_events = add_capped(sum->lost_events, one->lost_events);
    sum->unknown_frees += one->unknown_frees;
    sum->inherited_frees += one->inherited_frees;
    sum->threads += one->threads;
    sum->processes += one->processes;
    sum->unwind_fast += one->unwind_fast;
    sum->unwind_fallback += one->unwind_fallback;
    sum->unwind_truncated += one->unwind_truncated;
}

/* Put together what was counted per process, site and size. */
static int fill_distributions(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    struct histogram sizes = {0}, lifetimes = {0};
    struct rates rates = {0};
    int error = 0;
    for (uint32_t i = 1; i <= model->n_sites && error == 0; i++)
        if (model_shows(model, model_site(model, i)->process))
            error = histogram_merge(&sizes, &model_site(model, i)->sizes);
    for (size_t i = 0; i < MODEL_N_OCTAVES && error == 0; i++)
        error = histogram_merge(&lifetimes, &model->octaves[i].lifetime_ticks);
    for (uint32_t i = 1; i <= model->n_processes && error == 0; i++)
        if (model_shows(model, i))
            error = rates_merge(&rates, &model_process(model, i)->rates);
    analysis->profile->sizes = histogram_quantiles(&sizes, 1);
    analysis->profile->lifetime_ns = histogram_quantiles(&lifetimes, analysis->ns_per_tick);
    set_rates(analysis, &analysis->profile->totals, &rates);
    histogram_fini(&sizes);
    histogram_fini(&lifetimes);
    rates_fini(&rates);
    return error;
}

static void fill_whole(struct analysis *analysis, uint64_t end_ticks)
{
    const struct model *const model = analysis->model;
    struct profile *const profile = analysis->profile;
    const bool all = model->only_process == 0;
    if (all) {
        profile->coverage.lost_events =
            add_capped(profile->coverage.lost_events, model->n_lost_unplaced);
        for (size_t i = 0; i < MODEL_N_REASONS; i++)
            profile->coverage.unattached_processes += model->n_unattached_by_reason[i];
    }
    profile->duration_seconds = seconds(analysis, subtract_floored(end_ticks, model->start_ticks));
    profile->totals.lost_events = profile->coverage.lost_events;
    profile->totals.duration_seconds = all || profile->n_processes == 0
                                           ? profile->duration_seconds
                                           : profile->processes[0].totals.duration_seconds;
    profile->peak_rss_bytes = model->peak_rss_bytes;
    if (analysis->peak_process)
        profile->peak_seconds = seconds(
            analysis, subtract_floored(model_process(model, analysis->peak_process)->peak_ticks,
                                       model->start_ticks));
}

static int fill_kernel_io(const struct analysis *analysis, struct process *processes)
{
    struct profile *const profile = analysis->profile;
    struct io_reconcile reconcile;
    const int error = io_reconcile_init(&reconcile, analysis->model);
    for (uint32_t i = 0; i < profile->n_processes && error == 0; i++)
        processes[i].coverage.kernel_io =
            io_reconcile_process(&reconcile, analysis, processes[i].id);
    if (error == 0)
        profile->coverage.kernel_io = io_reconcile_whole(&reconcile, analysis);
    io_reconcile_fini(&reconcile);
    return error;
}

int totals_analyse(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    struct profile *const profile = analysis->profile;
    struct process *const processes =
        storage_array(analysis->storage, model->n_processes, sizeof *processes);
    uint64_t end_ticks = model->start_ticks, peak_bytes = 0;
    if (!processes)
        return -ENOMEM;
    profile->processes = processes;
    for (uint32_t i = 1; i <= model->n_processes; i++) {
        const struct model_process *const source = model_process(model, i);
        if (source->last_ticks > end_ticks)
            end_ticks = source->last_ticks;
        if (!model_shows(model, i))
            continue;
        struct process *const process = &processes[profile->n_processes++];
        const int error = fill_process(analysis, i, process);
        if (error)
            return error;
        add_metrics(&profile->totals, &process->totals);
        add_coverage(&profile->coverage, &process->coverage);
        if (source->peak_bytes > peak_bytes) {
            peak_bytes = source->peak_bytes;
            analysis->peak_process = i;
        }
    }
    fill_whole(analysis, end_ticks);
    const int error = fill_kernel_io(analysis, processes);
    if (error)
        return error;
    return fill_distributions(analysis);
}
