/* SPDX-License-Identifier: MIT */
/* A report to paste into an issue or a pull request: GitHub flavoured tables.
 *
 * Trees become rows whose last cell is indented with &nbsp;, because a table is the only construct that
 * keeps numbers in columns there. A chain of callers stays in the cell of its first frame, and so do
 * words about a place or file, each on a line of its own. */
#include "report/calltree.h"
#include "report/cells.h"
#include "report/escape.h"
#include "report/names.h"
#include "report/report.h"
#include "report/sections.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Names longer than this are shortened: a table as wide as a template is no table. */
#define NAME_WIDTH  100
#define DEPTH_DRAWN 12
#define BAR_WIDTH   20

static void add_frame(struct buffer *out, const struct profile_frame *frame)
{
    struct buffer raw = {0}, plain = {0};
    const struct view_cell cell = {.unit = UNIT_FRAME, .frame = frame};
    cells_add(&raw, &cell, false);
    names_add_short(&plain, buffer_string(&raw), NAME_WIDTH, "…");
    escape_markdown(out, buffer_string(&plain));
    if (frame->inlined)
        buffer_text(out, " (inlined)");
    buffer_reset(&raw);
    names_add_location(&raw, frame, false);
    if (raw.length > 0) {
        const struct view_cell place = {.unit = UNIT_TEXT, .text = raw.data};
        buffer_reset(&plain);
        cells_add(&plain, &place, false);
        buffer_text(out, " ");
        escape_markdown(out, buffer_string(&plain));
    }
    out->failed |= raw.failed || plain.failed;
    buffer_fini(&raw);
    buffer_fini(&plain);
}

static void add_cell(struct buffer *out, const struct view_cell *cell)
{
    if (cell->unit == UNIT_FRAME) {
        add_frame(out, cell->frame);
        return;
    }
    if (cell->unit == UNIT_BAR) {
        buffer_repeat(out, "█", (size_t)(fmin(cell->real, 1) * BAR_WIDTH + 0.5));
        return;
    }
    struct buffer text = {0};
    cells_add(&text, cell, false);
    escape_markdown(out, buffer_string(&text));
    out->failed |= text.failed;
    buffer_fini(&text);
}

/* Add row `r` and the chain that continues it; returns the index of the row after them. */
static size_t add_row(struct buffer *out, const struct view *view, size_t r)
{
    const struct view_row *row = &view->rows[r];
    for (size_t c = 0; c < view->n_columns; c++) {
        buffer_text(out, "| ");
        if (c + 1 == view->n_columns && row->depth > 0) {
            buffer_repeat(out, "&nbsp;&nbsp;", row->depth < DEPTH_DRAWN ? row->depth : DEPTH_DRAWN);
            buffer_text(out, "↳ ");
        }
        if (c < row->n_cells)
            add_cell(out, &row->cells[c]);
        buffer_text(out, c + 1 < view->n_columns ? " " : "");
    }
    for (r++; r < view->n_rows && view->rows[r].kind == VIEW_ROW_CHAIN; r++) {
        const struct view_row *next = &view->rows[r];
        const struct view_cell *cell = next->n_cells ? &next->cells[next->n_cells - 1] : NULL;
        if (!cell)
            continue;
        buffer_text(out, cell->unit == UNIT_FRAME ? " ← " : next->depth == 0 ? "<br>" : " ");
        add_cell(out, cell);
    }
    buffer_text(out, " |\n");
    return r;
}

static void add_titles(struct buffer *out, const struct view *view)
{
    for (size_t c = 0; c < view->n_columns; c++)
        buffer_printf(out, "| %s ", view->columns[c].title);
    buffer_text(out, "|\n");
    for (size_t c = 0; c < view->n_columns; c++)
        buffer_text(out, cells_is_left(view->columns[c].unit) ? "|---" : "|--:");
    buffer_text(out, "|\n");
}

static void add_view(struct buffer *out, const struct view *view)
{
    if (view->n_rows == 0 && view->n_notes == 0)
        return;
    buffer_printf(out, "\n## %s\n\n", view->title);
    if (view->subtitle[0])
        buffer_printf(out, "%s\n\n", view->subtitle);
    if (view->n_rows > 0)
        add_titles(out, view);
    for (size_t r = 0; r < view->n_rows;)
        r = add_row(out, view, r);
    for (size_t i = 0; i < view->n_notes; i++) {
        struct buffer note = {0};
        const struct view_cell cell = {.unit = UNIT_TEXT, .text = view->notes[i]};
        cells_add(&note, &cell, false);
        buffer_text(out, i == 0 && view->n_rows > 0 ? "\n- " : "- ");
        escape_markdown(out, buffer_string(&note));
        buffer_text(out, "\n");
        out->failed |= note.failed;
        buffer_fini(&note);
    }
}

static void add_header(struct buffer *out, const struct profile *profile, uint32_t process_id)
{
    struct buffer text = {0};
    cells_add_run(&text, profile, false);
    buffer_text(out, "# heapwise report: ");
    escape_markdown(out, buffer_string(&text));
    buffer_reset(&text);
    cells_add_facts(&text, profile, false);
    buffer_text(out, "\n\n");
    escape_markdown(out, buffer_string(&text));
    buffer_reset(&text);
    cells_add_scope(&text, profile, process_id, false);
    buffer_text(out, text.length > 0 ? "\n\n" : "");
    escape_markdown(out, buffer_string(&text));
    buffer_reset(&text);
    cells_add_summary(&text, profile);
    buffer_printf(out, "\n\n**%s**\n", buffer_string(&text));
    buffer_reset(&text);
    cells_add_io_summary(&text, profile);
    if (text.length > 0)
        buffer_printf(out, "\n**%s**\n", buffer_string(&text));
    if (cells_kernel_is_met(&profile->coverage.kernel_io)) {
        buffer_text(out, "\n");
        cells_add_kernel(out, &profile->coverage.kernel_io);
        buffer_text(out, "\n");
    }
    out->failed |= text.failed;
    buffer_fini(&text);
}

int emit_markdown(const struct profile *profile, const struct report_options *options, FILE *out)
{
    struct buffer page = {0};
    struct report_options shared = *options;
    struct calltree *tree = NULL;
    int result = calltree_new(profile, &tree);
    shared.tree = tree;
    add_header(&page, profile, options->process_id);
    for (size_t i = 0; i < sections_count() && result == 0; i++) {
        struct view view;
        result = sections_build(i, profile, &shared, &view);
        if (result < 0)
            break;
        add_view(&page, &view);
        view_fini(&view);
    }
    if (page.failed && result == 0)
        result = -ENOMEM;
    fwrite(buffer_string(&page), 1, page.length, out);
    buffer_fini(&page);
    calltree_free(tree);
    return result;
}
