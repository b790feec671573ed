/* SPDX-License-Identifier: MIT */
/* Which runs are made, and how their figures become a result. */
#include "replay/measuring.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int measuring_fail(struct measuring *measuring, int error, const char *record, const char *format,
                   ...)
{
    va_list arguments;
    *measuring->error = (struct trace_error){.record = record};
    va_start(arguments, format);
    vsnprintf(measuring->error->reason, sizeof measuring->error->reason, format, arguments);
    va_end(arguments);
    return error;
}

int measuring_fail_memory(struct measuring *measuring)
{
    return measuring_fail(measuring, -ENOMEM, "replay", "%s", strerror(ENOMEM));
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- allocators ---- */

static int refuse_allocator(struct measuring *measuring, const char *name, int error)
{
    if (error == -ENOEXEC)
        return measuring_fail(measuring, error, "replayer", "%.150s does not run",
                              measuring->player);
    if (error == -EINVAL)
        return measuring_fail(
            measuring, error, "allocator",
            "%.120s does not take malloc's place, or has a space or colon in its path", name);
    if (error == -ENOENT)
        return measuring_fail(measuring, error, "allocator",
                              "%.120s is not installed, or is no file", name);
    return measuring_fail(measuring, error, "allocator", "%.120s: %s", name, strerror(-error));
}

static int add_allocator(struct measuring *measuring, const char *name)
{
    return launch_find_allocator(measuring->player, name,
                                 &measuring->allocators[measuring->n_allocators]);
}

/* Native, and what is there of the others. */
static int find_known(struct measuring *measuring)
{
    const char *name;
    for (size_t i = 0; (name = launch_known(i)); i++) {
        const int error = strcmp(name, "glibc") == 0 ? -ENOENT : add_allocator(measuring, name);
        if (error && (i == 0 || error != -ENOENT))
            return refuse_allocator(measuring, name, error);
        measuring->n_allocators += error == 0;
    }
    return 0;
}

static int find_allocators(struct measuring *measuring)
{
    const struct replay_options *const options = measuring->options;
    const size_t n = options->n_allocators ? options->n_allocators : REPLAY_MAX_ALLOCATORS;
    measuring->allocators = calloc(n, sizeof *measuring->allocators);
    if (!measuring->allocators)
        return measuring_fail_memory(measuring);
    if (options->n_allocators == 0)
        return find_known(measuring);
    for (size_t i = 0; i < n; i++, measuring->n_allocators++) {
        const int error = add_allocator(measuring, options->allocators[i]);
        if (error)
            return refuse_allocator(measuring, options->allocators[i], error);
    }
    return 0;
}

static int find_player(struct measuring *measuring)
{
    const char *const given = measuring->options->player;
    if (given && strlen(given) < sizeof measuring->player) {
        strcpy(measuring->player, given);
        return 0;
    }
    return launch_find_player(measuring->player) == 0
               ? 0
               : measuring_fail(measuring, -ENOENT, "replayer",
                                "heapwise-replayer is not where it was installed or built");
}

/* ---- running ---- */

/* A variant of the allocator numbered `n`; its names come to lie in the result. */
static void add_variant(struct measuring *measuring, size_t n, int row)
{
    struct replay_result *const result = measuring->result;
    char *const name = result->texts + n * (LAUNCH_PATH_BYTES + OPS_MODULE_BYTES);
    snprintf(name, LAUNCH_PATH_BYTES, "%s", measuring->allocators[n].name);
    memcpy(name + LAUNCH_PATH_BYTES, measuring->allocators[n].module, OPS_MODULE_BYTES);
    result->variants[result->n_variants++] =
        (struct replay_variant){.allocator = name, .module = name + LAUNCH_PATH_BYTES, .row = row};
}

static int make_variants(struct measuring *measuring)
{
    struct replay_result *const result = measuring->result;
    const struct replay_plan *const plan = measuring->options->plan;
    const size_t n_most = measuring->n_allocators + 1 + result->n_rows;
    result->variants = calloc(n_most, sizeof *result->variants);
    result->texts = calloc(measuring->n_allocators, LAUNCH_PATH_BYTES + OPS_MODULE_BYTES);
    if (!result->variants || !result->texts)
        return measuring_fail_memory(measuring);
    for (size_t i = 0; i < measuring->n_allocators; i++)
        add_variant(measuring, i, 0);
    if (result->n_rows)
        add_variant(measuring, 0, -1);
    for (size_t i = 0; i < result->n_rows && measuring->options->each_row; i++)
        if (plan_row_leads(plan, i)) {
            result->rows[i].alone = (int)result->n_variants;
            add_variant(measuring, 0, (int)i + 1);
        }
    return 0;
}

static int make_samples(struct measuring *measuring)
{
    const struct replay_result *const result = measuring->result;
    const size_t n = (result->n_variants + 1) * result->n_runs, n_rows = result->n_rows + 1;
    measuring->samples = calloc(n, sizeof *measuring->samples);
    measuring->row_figures = calloc(n, n_rows * sizeof *measuring->row_figures);
    if (!measuring->samples || !measuring->row_figures)
        return measuring_fail_memory(measuring);
    for (size_t i = 0; i < n; i++)
        measuring->samples[i].rows = &measuring->row_figures[i * n_rows];
    return 0;
}

static int run_variant(struct measuring *measuring, size_t i, unsigned round)
{
    const struct replay_result *const result = measuring->result;
    const bool is_empty = i == result->n_variants;
    struct launch launch = {.player = measuring->player,
                            .ops_fd = measuring->compiled.file.fd,
                            .n_rows = result->n_rows};
    if (!is_empty) {
        launch.allocator = &measuring->allocators[i < measuring->n_allocators ? i : 0];
        launch.row = result->variants[i].row;
    }
    struct sample *const sample = measuring_sample(measuring, i, round);
    const int error = launch_run(&launch, &sample->figures, sample->rows);
    if (error == 0)
        return 0;
    return measuring_fail(
        measuring, error, "replayer", "a run %s%.100s: %s", is_empty ? "" : "under ",
        is_empty ? "without an allocator" : launch.allocator->name,
        error == -EIO ? "it ended early (out of memory or threads?)" : strerror(-error));
}

static int run_all(struct measuring *measuring)
{
    const struct replay_result *const result = measuring->result;
    int error = 0;
    for (unsigned round = 0; round < result->n_runs && error == 0; round++)
        for (size_t i = result->n_variants + 1; i-- > 0 && error == 0;)
            error = run_variant(measuring, i, round);
    return error;
}

/* ---- all of it ---- */

static int make_rows(struct measuring *measuring)
{
    struct replay_result *const result = measuring->result;
    const struct replay_plan *const plan = measuring->options->plan;
    result->n_rows = plan ? plan->n_rows : 0;
    result->rows = calloc(result->n_rows + 1, sizeof *result->rows);
    if (!result->rows)
        return measuring_fail_memory(measuring);
    for (size_t i = 0; i < result->n_rows; i++)
        result->rows[i] = (struct replay_row){.plan = &plan->rows[i], .alone = -1};
    return 0;
}

static int measure(struct measuring *measuring, const char *trace)
{
    const double begin = now_seconds();
    int error = find_player(measuring);
    if (error == 0)
        error = find_allocators(measuring);
    if (error == 0)
        error = make_rows(measuring);
    if (error == 0)
        error = prepare_ops(measuring, trace);
    measuring->result->compile_seconds = now_seconds() - begin;
    if (error == 0)
        error = make_variants(measuring);
    if (error == 0)
        error = make_samples(measuring);
    if (error == 0)
        error = run_all(measuring);
    if (error == 0)
        sum_up_samples(measuring);
    return error;
}

static void measuring_fini(struct measuring *measuring)
{
    if (measuring->is_compiled)
        compiled_fini(&measuring->compiled);
    free(measuring->allocators);
    free(measuring->samples);
    free(measuring->row_figures);
    free(measuring->row_of_site);
}

int replay_measure(const char *trace, const struct replay_options *options,
                   struct replay_result **result_out, struct trace_error *error_out)
{
    struct replay_result *const result = calloc(1, sizeof *result);
    struct measuring measuring = {.options = options, .result = result, .error = error_out};
    if (!result)
        return measuring_fail_memory(&measuring);
    result->n_runs = options->n_runs == 0                ? REPLAY_RUNS
                     : options->n_runs < REPLAY_MAX_RUNS ? options->n_runs
                                                         : REPLAY_MAX_RUNS;
    const int error = measure(&measuring, trace);
    measuring_fini(&measuring);
    if (error)
        replay_free(result);
    else
        *result_out = result;
    return error;
}

void replay_free(struct replay_result *result)
{
    if (!result)
        return;
    free(result->variants);
    free(result->rows);
    free(result->texts);
    free(result);
}
