/* SPDX-License-Identifier: MIT */
/* Which files, pipes and sockets were read and written, how much, and how? */
#include "report/io_metrics.h"
#include "report/io_words.h"
#include "report/sections.h"

#include <inttypes.h>
#include <stdlib.h>

static void add_columns(struct view *view)
{
    view_column(view, "io_seconds", "time", UNIT_SECONDS);
    view_column(view, "io_read_calls", "reads", UNIT_COUNT);
    view_column(view, "io_read_bytes", "read", UNIT_BYTES);
    view_column(view, "io_write_calls", "writes", UNIT_COUNT);
    view_column(view, "io_write_bytes", "written", UNIT_BYTES);
    view_column(view, "path", "file", UNIT_PATH);
}

static void add_file(struct view *view, const struct io_file *file)
{
    view_row(view, VIEW_ROW_HEAD, 0, false);
    view_real(view, UNIT_SECONDS, file->seconds);
    view_integer(view, UNIT_COUNT, file->read_calls);
    view_integer(view, UNIT_BYTES, file->read_bytes);
    view_integer(view, UNIT_COUNT, file->write_calls);
    view_integer(view, UNIT_BYTES, file->write_bytes);
    view_path(view, "", file->path);
    io_words_of_file(file, view);
}

/* What nothing was read from or written to, all together. */
struct others {
    uint64_t files, opens, failed_opens, stats;
};

static bool is_used(const struct io_file *file)
{
    return file->read_calls > 0 || file->write_calls > 0 || file->fsyncs > 0;
}

static void count_other(struct others *others, const struct io_file *file)
{
    others->files++;
    others->opens += file->opens;
    others->failed_opens += file->failed_opens;
    others->stats += file->stats;
}

static void note_others(struct view *view, const struct others *others)
{
    struct buffer text = {0};
    const struct {
        uint64_t n;
        const char *one, *many;
    } rows[] = {{others->opens, "open", "opens"},
                {others->failed_opens, "failed open", "failed opens"},
                {others->stats, "stat", "stats"}};
    if (others->files == 0)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].n == 0)
            continue;
        buffer_text(&text, text.length > 0 ? ", " : ": ");
        units_add_integer(&text, UNIT_COUNT, rows[i].n);
        buffer_printf(&text, " %s", rows[i].n == 1 ? rows[i].one : rows[i].many);
    }
    view->failed |= text.failed;
    view_note(view, "%" PRIu64 " more name%s neither read nor written%s", others->files,
              others->files == 1 ? "" : "s", buffer_string(&text));
    buffer_fini(&text);
}

/* Files that an order by opens, seeks or stats shows although nothing was read or written. */
static bool is_wanted(const struct report_options *options, const struct io_file *file)
{
    if (is_used(file))
        return true;
    if (!options->sort || options->sort->scope != METRIC_IO)
        return false;
    const struct profile recorded = {.io_recorded = true};
    const struct metrics metrics = io_metrics_of_file(file);
    return metrics_rank(metrics_of_process(options->sort, &recorded, &metrics)) > 0;
}

int view_files(const struct profile *profile, const struct report_options *options,
               struct view *view_out)
{
    struct report_options all = *options;
    struct others others = {0};
    size_t *indices = NULL;
    size_t n = 0, shown = 0, hidden = 0;
    all.top = 0;
    const int result = io_metrics_order_files(profile, &all, &indices, &n);
    if (result < 0)
        return result;
    view_init(view_out, "files", "FILES", "what was read and written, longest time first");
    if (options->sort && options->sort->scope == METRIC_IO)
        view_out->subtitle = options->sort->name;
    add_columns(view_out);
    for (size_t i = 0; i < n; i++) {
        const struct io_file *const file = &profile->io_files[indices[i]];
        if (!is_wanted(options, file))
            count_other(&others, file);
        else if (options->top && shown == options->top)
            hidden++;
        else if (++shown)
            add_file(view_out, file);
    }
    if (hidden > 0)
        view_note(view_out, "%zu more file%s not shown; --top 0 shows all", hidden,
                  hidden == 1 ? "" : "s");
    note_others(view_out, &others);
    free(indices);
    return 0;
}
