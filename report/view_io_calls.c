/* SPDX-License-Identifier: MIT */
/* Which single calls took longest, and how long did each thread wait for its I/O? */
#include "report/io_stacks.h"
#include "report/io_words.h"
#include "report/names.h"
#include "report/sections.h"

#include <inttypes.h>
#include <string.h>

#define CALLERS_SHOWN 2

static void add_slow_columns(struct view *view)
{
    view_column(view, "seconds", "took", UNIT_SECONDS);
    view_column(view, "t_seconds", "began at", UNIT_SECONDS);
    view_column(view, "tid", "thread", UNIT_TEXT);
    view_column(view, "bytes", "bytes", UNIT_BYTES);
    view_column(view, "place", "place and its callers", UNIT_FRAME);
}

static void add_callers(const struct calltree *tree, const struct site *site, struct view *view)
{
    const struct calltree_range range = {&site, 1, 0};
    for (size_t i = 1; i <= CALLERS_SHOWN; i++) {
        const struct profile_frame *const caller = calltree_frame(tree, &range, i);
        if (!caller)
            break;
        view_row(view, i == 1 ? VIEW_ROW_BRANCH : VIEW_ROW_CHAIN, 1, true);
        for (size_t c = 0; c + 1 < view->n_columns; c++)
            view_skip(view);
        view_frame(view, caller);
    }
}

/* Was the same call from the same stack shown before? Once is enough to tell where it is. */
static bool is_known(const struct profile *profile, size_t i)
{
    const struct io_slow_call *const call = &profile->io_slow_calls[i];
    for (size_t k = 0; k < i; k++) {
        const struct io_slow_call *const other = &profile->io_slow_calls[k];
        if (other->n_frames == call->n_frames && strcmp(other->op, call->op) == 0 &&
            strcmp(other->path, call->path) == 0 &&
            (call->n_frames == 0 ||
             memcmp(other->frames, call->frames, call->n_frames * sizeof *call->frames) == 0))
            return true;
    }
    return false;
}

static void add_slow_call(const struct io_stacks *stacks, const struct calltree *tree, size_t i,
                          struct view *view)
{
    const struct io_slow_call *const call = &stacks->profile.io_slow_calls[i];
    char tid[16], lead[64];
    snprintf(tid, sizeof tid, "%" PRId32, call->tid);
    snprintf(lead, sizeof lead, call->path[0] ? "%.40s: " : "%.40s", call->op);
    view_row(view, VIEW_ROW_HEAD, 0, false);
    view_real(view, UNIT_SECONDS, call->seconds);
    view_real(view, UNIT_SECONDS, call->t_seconds);
    view_text(view, tid);
    view_integer(view, UNIT_BYTES, call->bytes);
    const struct profile_frame *const place = names_place(&stacks->profile, &stacks->sites[i]);
    if (!place) { /* what the call was says more than that nobody knows who made it */
        view_path(view, lead, call->path);
        return;
    }
    view_frame(view, place);
    if (is_known(&stacks->profile, i))
        return;
    io_words_add_path(view, lead, call->path);
    add_callers(tree, &stacks->sites[i], view);
}

int view_slowest_calls(const struct profile *profile, const struct report_options *options,
                       struct view *view_out)
{
    struct io_stacks stacks;
    struct calltree *tree = NULL;
    const size_t n = profile->n_io_slow_calls;
    int result = io_stacks_of_slow_calls(profile, &stacks);
    if (result < 0)
        return result;
    result = n > 0 ? calltree_new(&stacks.profile, &tree) : 0;
    view_init(view_out, "slowest_calls", "SLOWEST CALLS", "single calls of I/O");
    add_slow_columns(view_out);
    for (size_t i = 0; i < n && result == 0 && (options->top == 0 || i < options->top); i++)
        add_slow_call(&stacks, tree, i, view_out);
    calltree_free(tree);
    io_stacks_fini(&stacks);
    return result;
}

static void add_thread_columns(struct view *view)
{
    view_column(view, "io_seconds", "time", UNIT_SECONDS);
    view_column(view, "share", "of its life", UNIT_SHARE);
    view_column(view, "calls", "calls", UNIT_COUNT);
    view_column(view, "sync_seconds", "syncs", UNIT_SECONDS);
    view_column(view, "longest_seconds", "longest", UNIT_SECONDS);
    view_column(view, "thread", "thread", UNIT_TEXT);
}

static void add_thread(const struct profile *profile, const struct io_thread *thread,
                       struct view *view)
{
    struct buffer name = {0};
    buffer_printf(&name, "%" PRId32, thread->tid);
    if (thread->name[0])
        buffer_printf(&name, " %s", thread->name);
    if (profile->n_processes > 1)
        buffer_printf(&name, ", process %" PRIu32, thread->process_id);
    view_row(view, VIEW_ROW_PLAIN, 0, false);
    view_real(view, UNIT_SECONDS, thread->seconds);
    view_real(view, UNIT_SHARE, view_share(thread->seconds, thread->alive_seconds));
    view_integer(view, UNIT_COUNT, thread->calls);
    if (thread->sync_seconds > 0)
        view_real(view, UNIT_SECONDS, thread->sync_seconds);
    else
        view_skip(view);
    view_real(view, UNIT_SECONDS, thread->longest_seconds);
    view_text(view, buffer_string(&name));
    view->failed |= name.failed;
    buffer_fini(&name);
}

int view_blocking(const struct profile *profile, const struct report_options *options,
                  struct view *view_out)
{
    const size_t n = profile->n_io_threads;
    const size_t shown = options->top && options->top < n ? options->top : n;
    view_init(view_out, "blocking", "BLOCKING TIME", "inside reads, writes and syncs, by thread");
    add_thread_columns(view_out);
    for (size_t i = 0; i < shown; i++)
        add_thread(profile, &profile->io_threads[i], view_out);
    if (shown < n)
        view_note(view_out, "%zu more thread%s not shown; --top 0 shows all", n - shown,
                  n - shown == 1 ? "" : "s");
    return 0;
}
