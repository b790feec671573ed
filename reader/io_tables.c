/* SPDX-License-Identifier: MIT */
/* What files, openers, slow calls and threads there are in a report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/array.h"
#include "reader/io_reports.h"
#include "trace/io_ops.h"

/* ---- files ---- */

static bool was_used(const struct model_io_file *file)
{
    return file->opens || file->failed_opens || file->stats || file->read_calls ||
           file->write_calls || file->fsyncs || file->seeks;
}

/* Unknown (0) where bytes were read at places that are not known, and where there are none. */
static uint64_t unique_bytes(const struct model_io_file *file)
{
    return file->was_read_unknown || file->covered.is_unknown
               ? 0
               : add_capped(file->covered_earlier, file->covered.n_bytes);
}

static struct io_file make_file(const struct analysis *analysis, const struct model_io_file *file)
{
    const double scale = analysis->ns_per_tick;
    return (struct io_file){
        .path = strtab_text(&analysis->model->texts, file->name),
        .opens = file->opens,
        .failed_opens = file->failed_opens,
        .stats = file->stats,
        .read_calls = file->read_calls,
        .read_bytes = file->read_bytes,
        .write_calls = file->write_calls,
        .write_bytes = file->write_bytes,
        .fsyncs = file->fsyncs,
        .seeks = file->seeks,
        .turns = file->turns,
        .seconds = io_reports_seconds(analysis, file->ticks),
        .sync_seconds = io_reports_seconds(analysis, file->sync_ticks),
        .unique_read_bytes = unique_bytes(file),
        .read_sizes = histogram_quantiles(&file->read_sizes, 1),
        .write_sizes = histogram_quantiles(&file->write_sizes, 1),
        .latency_ns = histogram_quantiles(&file->latency_ticks, scale),
        .pattern = file->pattern,
    };
}

static int compare_files(const void *a_, const void *b_)
{
    const struct io_file *const a = a_, *const b = b_;
    if (a->seconds != b->seconds)
        return a->seconds > b->seconds ? -1 : 1;
    return strcmp(a->path, b->path);
}

int io_files_analyse(struct analysis *analysis)
{
    const struct model_io *const io = &analysis->model->io;
    size_t n = 0;
    for (uint32_t i = 0; i < io->n_files; i++)
        n += was_used(&io->files[i]);
    struct io_file *const files = storage_array(analysis->storage, n, sizeof *files);
    if (!files)
        return -ENOMEM;
    n = 0;
    for (uint32_t i = 0; i < io->n_files; i++)
        if (was_used(&io->files[i]))
            files[n++] = make_file(analysis, &io->files[i]);
    if (n)
        qsort(files, n, sizeof *files, compare_files);
    analysis->profile->io_recorded = io->was_met;
    analysis->profile->io_files = files;
    analysis->profile->n_io_files = n;
    return 0;
}

/* ---- openers ---- */

struct opener_row {
    uint64_t id;
    uint32_t opener;
    uint8_t op;
};

static int compare_opener_rows(const void *a_, const void *b_)
{
    const struct opener_row *const a = a_, *const b = b_;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->op != b->op)
        return a->op < b->op ? -1 : 1;
    return (a->opener > b->opener) - (a->opener < b->opener);
}

/* The same place in several processes: their most at once is that of the process with the most. */
static void add_opener(const struct analysis *analysis, struct io_opener *row,
                       const struct model_io_opener *opener)
{
    row->opens += opener->opens;
    row->failed += opener->failed;
    row->open_at_end += opener->open_now;
    if (opener->max_open > row->max_open)
        row->max_open = opener->max_open;
    if (opener->file)
        row->path = io_reports_path(analysis, opener->file);
}

static int make_opener(const struct rowstacks *all, const struct model_io_opener *opener,
                       struct io_opener *row)
{
    const struct rowstack stack = {.node = opener->node};
    struct rowstack_frames shown;
    const int error = rowstacks_list(all, &stack, &shown);
    if (error)
        return error;
    *row = (struct io_opener){.n_frames = shown.n_frames,
                              .frames = shown.frames,
                              .place = shown.place,
                              .op = io_op_kernel_call(opener->op),
                              .path = ""};
    return 0;
}

static int compare_openers(const void *a_, const void *b_)
{
    const struct io_opener *const a = a_, *const b = b_;
    if (a->opens != b->opens)
        return a->opens > b->opens ? -1 : 1;
    if (a->failed != b->failed)
        return a->failed > b->failed ? -1 : 1;
    const int paths = strcmp(a->path, b->path);
    return paths ? paths : strcmp(a->op, b->op);
}

static int make_openers(const struct rowstacks *all, const struct opener_row *rows, size_t n_rows)
{
    const struct analysis *const analysis = all->analysis;
    struct io_opener *const openers = storage_array(analysis->storage, n_rows, sizeof *openers);
    size_t n = 0;
    if (!openers)
        return -ENOMEM;
    for (size_t i = 0; i < n_rows; i++) {
        const struct model_io_opener *const opener =
            io_opener(&analysis->model->io, rows[i].opener);
        const bool is_new = i == 0 || rows[i].id != rows[i - 1].id || rows[i].op != rows[i - 1].op;
        const int error = is_new ? make_opener(all, opener, &openers[n++]) : 0;
        if (error)
            return error;
        add_opener(analysis, &openers[n - 1], opener);
    }
    if (n)
        qsort(openers, n, sizeof *openers, compare_openers);
    analysis->profile->io_openers = openers;
    analysis->profile->n_io_openers = n;
    return 0;
}

int io_openers_analyse(struct analysis *analysis)
{
    const struct rowstacks *const all = analysis->rowstacks;
    const struct model *const model = analysis->model;
    const struct model_io *const io = &model->io;
    struct opener_row *const rows = calloc(io->n_openers + (size_t)1, sizeof *rows);
    size_t n = 0;
    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 1; i <= io->n_openers; i++) {
        const struct model_io_opener *const opener = io_opener(io, i);
        if (model_shows(model, opener->process))
            rows[n++] = (struct opener_row){
                .id = rowstacks_id(all, opener->node), .opener = i, .op = opener->op};
    }
    if (n)
        qsort(rows, n, sizeof *rows, compare_opener_rows);
    const int error = make_openers(all, rows, n);
    free(rows);
    return error;
}

/* ---- the slowest calls ---- */

static int compare_slow(const void *a_, const void *b_)
{
    const struct model_io_slow *const a = a_, *const b = b_;
    if (a->took_ticks != b->took_ticks)
        return a->took_ticks > b->took_ticks ? -1 : 1;
    return (a->start_ticks > b->start_ticks) - (a->start_ticks < b->start_ticks);
}

int io_slow_calls_analyse(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    struct model_io *const io = &model->io;
    struct io_slow_call *const calls = storage_array(analysis->storage, io->n_slow, sizeof *calls);
    if (!calls)
        return -ENOMEM;
    qsort(io->slow, io->n_slow, sizeof *io->slow, compare_slow);
    for (uint32_t i = 0; i < io->n_slow; i++) {
        const struct model_io_slow *const slow = &io->slow[i];
        const struct rowstack stack = {.node = slow->node};
        const uint64_t begun = subtract_floored(slow->start_ticks, model->start_ticks);
        struct rowstack_frames shown;
        const int error = rowstacks_list(analysis->rowstacks, &stack, &shown);
        if (error)
            return error;
        calls[i] = (struct io_slow_call){.t_seconds = io_reports_seconds(analysis, begun),
                                         .seconds = io_reports_seconds(analysis, slow->took_ticks),
                                         .process_id = slow->process,
                                         .tid = io->threads[slow->thread].tid,
                                         .op = io_op_kernel_call(slow->op),
                                         .path = io_reports_path(analysis, slow->file),
                                         .bytes = slow->bytes,
                                         .n_frames = shown.n_frames,
                                         .frames = shown.frames,
                                         .place = shown.place};
    }
    analysis->profile->io_slow_calls = calls;
    analysis->profile->n_io_slow_calls = io->n_slow;
    return 0;
}

/* ---- threads ---- */

/* How long a thread was seen: to its end, or to its process's. */
static double alive_seconds(const struct analysis *analysis, const struct model_io_thread *thread,
                            const struct model_process *process)
{
    const uint64_t last = thread->last_ticks && thread->last_ticks < process->last_ticks
                              ? thread->last_ticks
                              : process->last_ticks;
    const uint64_t first = thread->first_ticks ? thread->first_ticks : process->first_ticks;
    return io_reports_seconds(analysis, subtract_floored(last, first));
}

static struct io_thread make_thread(const struct analysis *analysis,
                                    const struct model_io_thread *thread, uint32_t process)
{
    return (struct io_thread){
        .process_id = process,
        .tid = thread->tid,
        .name = strtab_text(&analysis->model->texts, thread->name),
        .calls = thread->calls,
        .seconds = io_reports_seconds(analysis, thread->ticks),
        .sync_seconds = io_reports_seconds(analysis, thread->sync_ticks),
        .longest_seconds = io_reports_seconds(analysis, thread->longest_ticks),
        .alive_seconds = alive_seconds(analysis, thread, model_process(analysis->model, process))};
}

static int compare_threads(const void *a_, const void *b_)
{
    const struct io_thread *const a = a_, *const b = b_;
    if (a->seconds != b->seconds)
        return a->seconds > b->seconds ? -1 : 1;
    if (a->process_id != b->process_id)
        return a->process_id < b->process_id ? -1 : 1;
    return (a->tid > b->tid) - (a->tid < b->tid);
}

/* A thread that called exec is one in each image. */
static int compare_ids(const void *a_, const void *b_)
{
    const struct io_thread *const a = a_, *const b = b_;
    if (a->process_id != b->process_id)
        return a->process_id < b->process_id ? -1 : 1;
    return (a->tid > b->tid) - (a->tid < b->tid);
}

static size_t join_threads(struct io_thread *threads, size_t n_threads)
{
    size_t n = 0;
    for (size_t i = 0; i < n_threads; i++) {
        if (n == 0 || compare_ids(&threads[n - 1], &threads[i])) {
            threads[n++] = threads[i];
            continue;
        }
        struct io_thread *const one = &threads[n - 1];
        if (*threads[i].name)
            one->name = threads[i].name;
        one->calls += threads[i].calls;
        one->seconds += threads[i].seconds;
        one->sync_seconds += threads[i].sync_seconds;
        one->alive_seconds += threads[i].alive_seconds;
        if (threads[i].longest_seconds > one->longest_seconds)
            one->longest_seconds = threads[i].longest_seconds;
    }
    return n;
}

int io_threads_analyse(struct analysis *analysis)
{
    const struct model *const model = analysis->model;
    size_t n = 0;
    for (uint32_t i = 0; i < model->io.n_threads; i++)
        n += model->io.threads[i].calls > 0;
    struct io_thread *const threads = storage_array(analysis->storage, n, sizeof *threads);
    if (!threads)
        return -ENOMEM;
    n = 0;
    for (uint32_t i = 0; i < model->io.n_threads; i++) {
        const struct model_io_thread *const thread = &model->io.threads[i];
        const uint32_t process = model_image(model, thread->image)->process;
        if (thread->calls && process && model_shows(model, process))
            threads[n++] = make_thread(analysis, thread, process);
    }
    if (n)
        qsort(threads, n, sizeof *threads, compare_ids);
    n = join_threads(threads, n);
    if (n)
        qsort(threads, n, sizeof *threads, compare_threads);
    analysis->profile->io_threads = threads;
    analysis->profile->n_io_threads = n;
    return 0;
}
