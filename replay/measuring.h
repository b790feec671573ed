/* SPDX-License-Identifier: MIT */
/* What replay_measure() holds while it measures; for its own files only. */
#ifndef HEAPWISE_REPLAY_MEASURING_H
#define HEAPWISE_REPLAY_MEASURING_H

#include "replay/compile.h"
#include "replay/launch.h"
#include "replay/replay.h"

/* Figures of one run. */
struct sample {
    struct ops_figures figures;
    struct ops_row_figures *rows; /* n_rows + 1 */
};

struct measuring {
    const struct replay_options *options;
    struct replay_result *result;
    struct trace_error *error;
    char player[LAUNCH_PATH_BYTES];
    struct launch_allocator *allocators;
    size_t n_allocators;
    struct compiled compiled;
    struct sample *samples; /* by variant * n_runs + run; the last variant is the empty run */
    struct ops_row_figures *row_figures;
    uint16_t *row_of_site;
    bool is_compiled;
};

static inline struct sample *measuring_sample(const struct measuring *measuring, size_t variant,
                                              unsigned run)
{
    return &measuring->samples[variant * measuring->result->n_runs + run];
}

/* Fill in the error. Returns `error`. */
__attribute__((format(printf, 4, 5))) int
measuring_fail(struct measuring *measuring, int error, const char *record, const char *format, ...);
int measuring_fail_memory(struct measuring *measuring);

/* ---- prepare.c ---- */

/* Choose the process, compile its calls, and note in the result what is known of them. 0 or -errno. */
int prepare_ops(struct measuring *measuring, const char *trace);

/* ---- sum_up.c ---- */

/* Turn the samples into the result's figures. */
void sum_up_samples(const struct measuring *measuring);

#endif
