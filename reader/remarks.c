/* SPDX-License-Identifier: MIT */
/* What the user should know besides the numbers: what was lost and why, what could not be recorded. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reader/analysis.h"
#include "reader/io_reconcile.h"

static const char *const losses[MODEL_N_REASONS] = {
    [0] = "for an unknown reason",
    [TRACE_LOSS_RING_FULL] = "because a thread's buffer was full",
    [TRACE_LOSS_NESTED] = "inside signal handlers that interrupted each other",
    [TRACE_LOSS_NO_SLOT] = "of threads that could get no buffer",
    [TRACE_LOSS_CORRUPT] = "because the program wrote over its buffer",
    [TRACE_LOSS_STOPPED] = "after recording had stopped",
};

static const char *const obstacles[MODEL_N_REASONS] = {
    [0] = "for an unknown reason",
    [TRACE_UNATTACHED_STATIC] = "because they are statically linked",
    [TRACE_UNATTACHED_SETUID] = "because they run with other rights (set-user-ID)",
    [TRACE_UNATTACHED_FOREIGN] = "because they are of another class, machine or C library",
    [TRACE_UNATTACHED_UNREADABLE] = "because they could not read the recorder's library",
    [TRACE_UNATTACHED_UNKNOWN] = "because they never reported",
};

static int add_counts(struct model *model, const uint64_t *counts, const char *const *reasons,
                      const char *what)
{
    char line[160];
    int error = 0;
    for (size_t i = 0; i < MODEL_N_REASONS && error == 0; i++) {
        if (counts[i] == 0)
            continue;
        snprintf(line, sizeof line, "%s %s: %" PRIu64, what, reasons[i] ? reasons[i] : reasons[0],
                 counts[i]);
        error = model_remark(model, line);
    }
    return error;
}

static int add_missed(struct model *model)
{
    char line[160];
    uint64_t n = 0;
    for (uint32_t i = 1; i <= model->n_processes; i++)
        n += model_shows(model, i) ? model_process(model, i)->missed_releases : 0;
    if (n == 0)
        return 0;
    snprintf(line, sizeof line,
             "addresses given out again although no release of them was recorded: %" PRIu64, n);
    return model_remark(model, line);
}

/* What the program said of itself, with its time. */
static int tell_marks(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    const char **const marks = storage_array(analysis->storage, model->n_marks, sizeof *marks);
    if (!marks)
        return -ENOMEM;
    for (uint32_t i = 0; i < model->n_marks; i++) {
        const struct model_mark *const mark = &model->marks[i];
        const uint64_t ticks =
            mark->ticks > model->start_ticks ? mark->ticks - model->start_ticks : 0;
        char line[480];
        snprintf(line, sizeof line, "%.6f s  %s", (double)ticks * analysis->ns_per_tick / 1e9,
                 mark->text);
        const uint32_t id = strtab_add(&model->texts, line, strlen(line));
        if (id == 0)
            return -ENOMEM;
        marks[i] = strtab_text(&model->texts, id);
    }
    analysis->profile->marks = marks;
    analysis->profile->n_marks = model->n_marks;
    return 0;
}

int remarks_analyse(struct analysis *analysis)
{
    struct model *const model = analysis->model;
    int error = tell_marks(analysis);
    if (error == 0)
        error = add_missed(model);
    if (error == 0)
        error = io_reconcile_remark(analysis);
    if (error == 0)
        error = add_counts(model, model->n_lost_by_reason, losses, "events lost");
    if (error == 0)
        error =
            add_counts(model, model->n_unattached_by_reason, obstacles, "processes not recorded");
    const char **const remarks =
        storage_array(analysis->storage, model->n_remarks, sizeof *remarks);
    if (error || !remarks)
        return error ? error : -ENOMEM;
    for (uint32_t i = 0; i < model->n_remarks; i++)
        remarks[i] = model->remarks[i];
    analysis->profile->remarks = remarks;
    analysis->profile->n_remarks = model->n_remarks;
    return 0;
}
