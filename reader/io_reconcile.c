/* SPDX-License-Identifier: MIT */
/* How counts are brought together: children are numbered after their parents, so one walk from the last
 * process to the first adds each to the one that waited for it. */
#include "reader/io_reconcile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader/array.h"

static void add(struct model_kernel_counts *sum, const struct model_kernel_counts *one)
{
    sum->read_calls = add_capped(sum->read_calls, one->read_calls);
    sum->write_calls = add_capped(sum->write_calls, one->write_calls);
    sum->read_bytes = add_capped(sum->read_bytes, one->read_bytes);
    sum->write_bytes = add_capped(sum->write_bytes, one->write_bytes);
}

int io_reconcile_init(struct io_reconcile *reconcile, const struct model *model)
{
    const size_t n = model->n_processes + (size_t)1;
    *reconcile = (struct io_reconcile){.seen = calloc(n, sizeof *reconcile->seen),
                                       .loader = calloc(n, sizeof *reconcile->loader),
                                       .own = calloc(n, sizeof *reconcile->own),
                                       .is_parent = calloc(n, sizeof *reconcile->is_parent)};
    if (!reconcile->seen || !reconcile->loader || !reconcile->own || !reconcile->is_parent)
        return -ENOMEM;
    for (uint32_t i = model->n_processes; i > 0; i--) {
        const struct model_process *const process = model_process(model, i);
        add(&reconcile->seen[i - 1], &process->kernel_io.seen);
        add(&reconcile->loader[i - 1], &process->kernel_io.loader);
        add(&reconcile->own[i - 1], &process->kernel_io.own);
        if (process->parent)
            reconcile->is_parent[process->parent - 1] = true;
        if (process->parent == 0 || process->kernel_io.has_exit)
            continue;
        add(&reconcile->seen[process->parent - 1], &reconcile->seen[i - 1]);
        add(&reconcile->loader[process->parent - 1], &reconcile->loader[i - 1]);
        add(&reconcile->own[process->parent - 1], &reconcile->own[i - 1]);
    }
    return 0;
}

void io_reconcile_fini(struct io_reconcile *reconcile)
{
    free(reconcile->seen);
    free(reconcile->loader);
    free(reconcile->is_parent);
    free(reconcile->own);
}

/* What the kernel counted at a process's exit, without what recording itself read. */
static struct model_kernel_counts exit_of(const struct io_reconcile *reconcile,
                                          const struct model *model, uint32_t process)
{
    struct model_kernel_counts counts = model_process(model, process)->kernel_io.exit;
    const struct model_kernel_counts *const own = &reconcile->own[process - 1];
    counts.read_calls = subtract_floored(counts.read_calls, own->read_calls);
    counts.read_bytes = subtract_floored(counts.read_bytes, own->read_bytes);
    return counts;
}

static struct kernel_io make(const struct model_kernel_counts *kernel,
                             const struct model_kernel_counts *seen,
                             const struct model_kernel_counts *loader)
{
    return (struct kernel_io){.known = true,
                              .read_calls = kernel->read_calls,
                              .write_calls = kernel->write_calls,
                              .read_bytes = kernel->read_bytes,
                              .write_bytes = kernel->write_bytes,
                              .seen_read_calls = seen->read_calls,
                              .seen_write_calls = seen->write_calls,
                              .seen_read_bytes = seen->read_bytes,
                              .seen_write_bytes = seen->write_bytes,
                              .loader_read_calls = loader->read_calls,
                              .loader_read_bytes = loader->read_bytes};
}

/* Whether nothing is known to be missing from the whole trace. */
static bool is_whole(const struct model *model)
{
    uint64_t n_missing = model->n_lost_unplaced + model->io.n_rings + model->stopped;
    for (size_t i = 0; i < MODEL_N_REASONS; i++)
        n_missing += model->n_unattached_by_reason[i] + model->n_lost_by_reason[i];
    return n_missing == 0;
}

/* Whether a count that a process took of itself before its end can be compared: calls seen later make
 * more than the kernel had, and which children it had waited for by then is not known. */
static bool is_count_of_all(const struct kernel_io *io, bool is_parent)
{
    const uint64_t n_reads = add_capped(io->seen_read_calls, io->loader_read_calls);
    const bool is_equal = n_reads == io->read_calls && io->seen_write_calls == io->write_calls;
    const bool is_less = n_reads <= io->read_calls && io->seen_write_calls <= io->write_calls;
    return is_equal || (is_less && !is_parent);
}

struct kernel_io io_reconcile_process(const struct io_reconcile *reconcile,
                                      const struct analysis *analysis, uint32_t process)
{
    const struct model *const model = analysis->model;
    const struct model_kernel_io *const kernel = &model_process(model, process)->kernel_io;
    if (model->io.is_off || !(kernel->has_exit || kernel->has_end))
        return (struct kernel_io){.known = false};
    const struct model_kernel_counts at_exit = exit_of(reconcile, model, process);
    struct kernel_io made = make(kernel->has_exit ? &at_exit : &kernel->end,
                                 &reconcile->seen[process - 1], &reconcile->loader[process - 1]);
    made.comparable =
        is_whole(model) && !analysis->profile->truncated &&
        (kernel->has_exit || is_count_of_all(&made, reconcile->is_parent[process - 1]));
    return made;
}

struct kernel_io io_reconcile_whole(const struct io_reconcile *reconcile,
                                    const struct analysis *analysis)
{
    const struct model *const model = analysis->model;
    struct model_kernel_counts kernel = {0}, seen = {0}, loader = {0};
    if (model->n_processes == 0)
        return (struct kernel_io){.known = false};
    if (model->only_process || !model_process(model, 1)->kernel_io.has_exit)
        return io_reconcile_process(reconcile, analysis,
                                    model->only_process ? model->only_process : 1);
    for (uint32_t i = 1; i <= model->n_processes; i++) {
        if (!model_process(model, i)->kernel_io.has_exit)
            continue;
        const struct model_kernel_counts at_exit = exit_of(reconcile, model, i);
        add(&kernel, &at_exit);
        add(&seen, &reconcile->seen[i - 1]);
        add(&loader, &reconcile->loader[i - 1]);
    }
    struct kernel_io made = make(&kernel, &seen, &loader);
    made.known = !model->io.is_off;
    made.comparable = made.known && is_whole(model) && !analysis->profile->truncated;
    return made;
}

/* ---- what is said of it ---- */

static int remark_unseen(struct model *model, const struct kernel_io *io)
{
    char line[200];
    const uint64_t expected = add_capped(io->seen_read_calls, io->loader_read_calls);
    const uint64_t n_reads = subtract_floored(io->read_calls, expected);
    const uint64_t n_writes = subtract_floored(io->write_calls, io->seen_write_calls);
    if (n_reads == 0 && n_writes == 0)
        return 0;
    snprintf(line, sizeof line,
             "calls that the kernel counted and nobody saw (libraries loaded later, system calls "
             "made directly, calls that a process ended in): %" PRIu64 " reads, %" PRIu64 " writes",
             n_reads, n_writes);
    return model_remark(model, line);
}

static int remark_excess(struct model *model, const struct kernel_io *io)
{
    char line[200];
    const uint64_t n_reads = subtract_floored(io->seen_read_calls, io->read_calls);
    const uint64_t n_writes = subtract_floored(io->seen_write_calls, io->write_calls);
    if (n_reads == 0 && n_writes == 0)
        return 0;
    snprintf(
        line, sizeof line,
        "calls seen that the kernel's count lacks (made after it was read, or in processes that "
        "nobody waited for): %" PRIu64 " reads, %" PRIu64 " writes",
        n_reads, n_writes);
    return model_remark(model, line);
}

static int remark_unseen_ways(struct model *model)
{
    char line[160];
    int error = 0;
    if (model->io.n_rings) {
        snprintf(line, sizeof line,
                 "io_uring was set up, and what it reads and writes is not measured: %" PRIu64,
                 model->io.n_rings);
        error = model_remark(model, line);
    }
    if (model->io.n_aio && error == 0) {
        snprintf(line, sizeof line,
                 "asynchronous calls, made by threads of the C library and counted where their "
                 "result was taken: %" PRIu64,
                 model->io.n_aio);
        error = model_remark(model, line);
    }
    return error;
}

int io_reconcile_remark(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    const struct kernel_io *const io = &analysis->profile->coverage.kernel_io;
    int error = remark_unseen_ways(model);
    if (error || !io->known)
        return error;
    error = remark_unseen(model, io);
    return error ? error : remark_excess(model, io);
}
