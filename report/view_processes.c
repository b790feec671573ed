/* SPDX-License-Identifier: MIT */
/* Which processes ran, below which, and what did each cost? */
#include "report/names.h"
#include "report/sections.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* A bound for trees of processes in a damaged or hostile trace. */
#define DEPTH_MAX 64

struct walk {
    const struct profile *profile;
    struct view *view;
    const uint32_t *child, *sibling; /* index + 1 of the first child and of the next sibling */
    size_t left;                     /* rows that may still be added */
};

static void add_columns(struct view *view)
{
    view_column(view, "id", "id", UNIT_COUNT);
    view_column(view, "pid", "pid", UNIT_TEXT);
    view_column(view, "status", "status", UNIT_TEXT);
    view_column(view, "duration_seconds", "time", UNIT_SECONDS);
    view_column(view, "calls", "calls", UNIT_COUNT);
    view_column(view, "peak_bytes", "peak", UNIT_BYTES);
    view_column(view, "leaked_bytes", "leaked", UNIT_BYTES);
    view_column(view, "command", "command", UNIT_TEXT);
}

static void add_status(struct view *view, const struct process *process)
{
    char text[32] = "?";
    if (process->has_status && WIFSIGNALED(process->wait_status)) {
        const char *name = sigabbrev_np(WTERMSIG(process->wait_status));
        snprintf(text, sizeof text, "SIG%s", name ? name : "?");
    } else if (process->has_status) {
        snprintf(text, sizeof text, "%d", WEXITSTATUS(process->wait_status));
    }
    view_text(view, text);
}

static void add_command(struct view *view, const struct process *process)
{
    struct buffer text = {0};
    if (process->n_images > 1)
        buffer_printf(&text, "after %u exec: ", (unsigned)(process->n_images - 1));
    if (process->n_images > 0) {
        const struct process_image *image = &process->images[process->n_images - 1];
        if (image->n_arguments > 0)
            names_add_command(&text, image->arguments, image->n_arguments);
        else
            buffer_text(&text, image->executable);
    }
    view->failed |= text.failed;
    view_text(view, buffer_string(&text));
    buffer_fini(&text);
}

static void add_process(const struct walk *walk, const struct process *process, uint32_t depth,
                        bool last)
{
    struct view *view = walk->view;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", process->pid);
    view_row(view, depth ? VIEW_ROW_BRANCH : VIEW_ROW_HEAD, depth, last);
    view_integer(view, UNIT_COUNT, process->id);
    view_text(view, pid);
    add_status(view, process);
    view_real(view, UNIT_SECONDS, process->totals.duration_seconds);
    view_integer(view, UNIT_COUNT, process->totals.alloc_count + process->totals.realloc_count);
    view_integer(view, UNIT_BYTES, process->totals.peak_bytes);
    view_integer(view, UNIT_BYTES, process->totals.leaked_bytes);
    add_command(view, process);
}

static void add_tree(struct walk *walk, uint32_t first, uint32_t depth)
{
    for (uint32_t at = first; at != 0 && walk->left > 0; at = walk->sibling[at - 1]) {
        walk->left--;
        add_process(walk, &walk->profile->processes[at - 1], depth, walk->sibling[at - 1] == 0);
        if (depth < DEPTH_MAX)
            add_tree(walk, walk->child[at - 1], depth + 1);
    }
}

/* Index of the process with that id among the first n; n when there is none. Ids usually count from 1. */
static uint32_t find_process(const struct profile *profile, uint32_t id, uint32_t n)
{
    if (id > 0 && id <= n && profile->processes[id - 1].id == id)
        return id - 1;
    for (uint32_t i = 0; i < n; i++)
        if (profile->processes[i].id == id)
            return i;
    return n;
}

/* Link every process to its parent; from the last to the first, so that siblings stay in order. */
static uint32_t link_children(const struct profile *profile, uint32_t *child, uint32_t *sibling)
{
    uint32_t roots = 0;
    for (uint32_t i = profile->n_processes; i-- > 0;) {
        const uint32_t parent_id = profile->processes[i].parent_id;
        const uint32_t parent = parent_id ? find_process(profile, parent_id, i) : i;
        uint32_t *list = parent < i ? &child[parent] : &roots;
        sibling[i] = *list;
        *list = i + 1;
    }
    return roots;
}

int view_processes(const struct profile *profile, const struct report_options *options,
                   struct view *view_out)
{
    view_init(view_out, "processes", "PROCESSES", "each below the one that started it");
    const uint32_t n = profile->n_processes;
    if (n < 2)
        return 0;
    uint32_t *child = calloc(n, sizeof *child);
    uint32_t *sibling = calloc(n, sizeof *sibling);
    if (!child || !sibling) {
        view_out->failed = true;
    } else {
        add_columns(view_out);
        const size_t rows = options->top && options->top * 5 < n ? options->top * 5 : n;
        struct walk walk = {profile, view_out, child, sibling, rows};
        add_tree(&walk, link_children(profile, child, sibling), 0);
        if (rows < n)
            view_note(view_out, "%zu more processes not shown; --top 0 shows all", n - rows);
    }
    free(child);
    free(sibling);
    return 0;
}
