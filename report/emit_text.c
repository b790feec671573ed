/* SPDX-License-Identifier: MIT */
/* How does a report look on a terminal?
 *
 * Numbers stand in columns at the left, as wide as their widest; the last column takes what is left of the
 * line and shortens what does not fit. Trees are drawn in that last column. */
#include "report/calltree.h"
#include "report/cells.h"
#include "report/escape.h"
#include "report/names.h"
#include "report/report.h"
#include "report/sections.h"

#include <errno.h>
#include <string.h>

/* The last column never becomes narrower, even if a line then grows too long. */
#define LAST_WIDTH_MIN 24
#define BAR_WIDTH_MAX  30
#define TEXT_WIDTH_MAX 32
/* Deeper trees are drawn at this depth: names need the room more. */
#define DEPTH_DRAWN 12

struct glyphs {
    const char *branch, *last, *down, *blank, *ellipsis, *bar;
};

static const struct glyphs ascii_glyphs = {"|- ", "`- ", "|  ", "   ", "...", "#"};
static const struct glyphs utf8_glyphs = {"├─ ", "└─ ", "│  ", "   ", "…", "█"};

struct style {
    const char *on;
};

static const struct style plain = {""}, bold = {"\033[1m"}, dim = {"\033[2m"}, red = {"\033[1;31m"},
                          cyan = {"\033[36m"};

struct page {
    const struct report_options *options;
    const struct glyphs *glyphs;
    struct buffer line;
    FILE *out;
    bool failed;
    size_t widths[VIEW_MAX_COLUMNS];
    bool open[DEPTH_DRAWN + 1]; /* a sibling follows at this depth: draw its line */
};

static void paint(struct page *page, struct style style, const char *text)
{
    if (page->options->colour && style.on[0] && text[0])
        buffer_printf(&page->line, "%s%s\033[0m", style.on, text);
    else
        buffer_text(&page->line, text);
}

/* Write the line without blanks at its end. */
static void end_line(struct page *page)
{
    struct buffer *line = &page->line;
    while (line->length > 0 && line->data[line->length - 1] == ' ')
        line->length--;
    page->failed |= line->failed;
    fwrite(buffer_string(line), 1, line->length, page->out);
    fputc('\n', page->out);
    buffer_reset(line);
}

static void pad(struct page *page, size_t columns)
{
    buffer_repeat(&page->line, " ", columns);
}

/* Columns that shape_column() found, and two blanks between them. */
static size_t used_width(const struct page *page, const struct view *view)
{
    size_t width = 0;
    for (size_t c = 0; c + 1 < view->n_columns; c++)
        width += page->widths[c] + 2;
    return width;
}

static void shape_columns(struct page *page, const struct view *view)
{
    struct buffer text = {0};
    for (size_t c = 0; c < view->n_columns; c++) {
        page->widths[c] = escape_width(view->columns[c].title);
        for (size_t r = 0; r < view->n_rows && c + 1 < view->n_columns; r++) {
            if (c >= view->rows[r].n_cells)
                continue;
            buffer_reset(&text);
            cells_add(&text, &view->rows[r].cells[c], !page->options->utf8);
            const size_t width = escape_width(buffer_string(&text));
            if (width > page->widths[c])
                page->widths[c] = width < TEXT_WIDTH_MAX ? width : TEXT_WIDTH_MAX;
        }
    }
    page->failed |= text.failed;
    buffer_fini(&text);
}

/* Cut words, not names, at their end. */
static void add_cut(struct buffer *out, const char *text, size_t width, const char *ellipsis)
{
    if (escape_width(text) <= width) {
        buffer_text(out, text);
        return;
    }
    const size_t mark = escape_width(ellipsis);
    escape_fit(out, text, width > mark ? width - mark : 0);
    buffer_text(out, ellipsis);
}

static void add_aligned(struct page *page, const char *text, size_t width, bool left)
{
    const size_t own = escape_width(text);
    if (own > width) {
        add_cut(&page->line, text, width, page->glyphs->ellipsis);
        return;
    }
    pad(page, left ? 0 : width - own);
    buffer_text(&page->line, text);
    pad(page, left ? width - own : 0);
}

static void write_titles(struct page *page, const struct view *view)
{
    if (view->n_columns == 0 || !view->columns[0].title[0])
        return;
    struct buffer *line = &page->line;
    if (page->options->colour)
        buffer_text(line, dim.on);
    for (size_t c = 0; c < view->n_columns; c++) {
        add_aligned(page, view->columns[c].title, page->widths[c],
                    cells_is_left(view->columns[c].unit));
        pad(page, c + 1 < view->n_columns ? 2 : 0);
    }
    if (page->options->colour)
        buffer_text(line, "\033[0m");
    end_line(page);
}

/* Draw the tree's lines left of a row; returns the columns they take. */
static size_t write_branches(struct page *page, const struct view_row *row)
{
    const uint32_t depth = row->depth < DEPTH_DRAWN ? row->depth : DEPTH_DRAWN;
    const bool is_branch = row->kind == VIEW_ROW_BRANCH && depth > 0;
    for (uint32_t d = 1; d <= depth; d++) {
        const bool own = d == depth && is_branch;
        if (own)
            buffer_text(&page->line, row->last ? page->glyphs->last : page->glyphs->branch);
        else
            buffer_text(&page->line, page->open[d] ? page->glyphs->down : page->glyphs->blank);
    }
    if (is_branch)
        page->open[depth] = !row->last;
    return (size_t)depth * 3;
}

/* Where the frame is, escaped, in place of what `place` held. */
static void set_location(struct page *page, struct buffer *place, const struct profile_frame *frame,
                         bool whole_path)
{
    struct buffer raw = {0};
    buffer_reset(place);
    names_add_location(&raw, frame, whole_path);
    escape_text(place, buffer_string(&raw), !page->options->utf8);
    place->failed |= raw.failed;
    buffer_fini(&raw);
}

/* Keep the end of a path: it holds the file and the line. */
static void cut_front(struct page *page, struct buffer *place, size_t width)
{
    struct buffer cut = {0};
    const char *ellipsis = page->glyphs->ellipsis;
    const size_t mark = escape_width(ellipsis);
    if (width > mark) {
        buffer_text(&cut, ellipsis);
        buffer_text(&cut, escape_tail(buffer_string(place), width - mark));
    }
    buffer_fini(place);
    *place = cut;
}

/* Make the location fit beside the name, of `width` columns for both. The name's own words come
 * first; a file and line still get a third, a mere module nothing. */
static void fit_location(struct page *page, struct buffer *place, const char *name,
                         const struct profile_frame *frame, size_t width)
{
    const size_t wanted = escape_width(buffer_string(place));
    const size_t bare = names_bare_width(name, page->glyphs->ellipsis) + 2;
    const size_t left = width > bare ? width - bare : 0;
    if (wanted <= left)
        return;
    const size_t least = wanted < width / 3 ? wanted : width / 3;
    const size_t given = left > least ? left : least;
    if (!frame->file[0])
        buffer_reset(place);
    else if (wanted > given)
        cut_front(page, place, given);
}

/* A function's name and, in another colour, where it is. A head has its whole path where that fits. */
static void write_frame(struct page *page, const struct profile_frame *frame, size_t width,
                        bool head)
{
    struct buffer raw = {0}, name = {0}, place = {0};
    const char *inlined = frame->inlined ? " [inlined]" : "";
    const size_t room = width - strlen(inlined);
    names_add_function(&raw, frame);
    escape_text(&name, buffer_string(&raw), !page->options->utf8);
    set_location(page, &place, frame, head);
    if (head && escape_width(buffer_string(&name)) + 2 + escape_width(buffer_string(&place)) > room)
        set_location(page, &place, frame, false);
    fit_location(page, &place, buffer_string(&name), frame, room);
    const size_t location = escape_width(buffer_string(&place));

    buffer_reset(&raw);
    names_add_short(&raw, buffer_string(&name), location ? room - location - 2 : room,
                    page->glyphs->ellipsis);
    paint(page, head ? bold : plain, buffer_string(&raw));
    buffer_text(&page->line, inlined);
    pad(page, location ? 2 : 0);
    paint(page, cyan, buffer_string(&place));
    page->failed |= raw.failed || name.failed || place.failed;
    buffer_fini(&raw);
    buffer_fini(&name);
    buffer_fini(&place);
}

static void write_bar(struct page *page, double share, size_t width)
{
    const size_t most = width < BAR_WIDTH_MAX ? width : BAR_WIDTH_MAX;
    const double length = share * (double)most;
    size_t n = length > (double)most ? most : (size_t)(length + 0.5);
    if (n == 0 && share > 0)
        n = 1;
    buffer_repeat(&page->line, page->glyphs->bar, n);
}

/* Words, and as much of the path's end as fits behind them. */
static void write_path(struct page *page, const struct view_cell *cell, size_t width, bool head)
{
    struct buffer lead = {0}, path = {0};
    const bool ascii = !page->options->utf8;
    escape_text(&lead, cell->lead ? cell->lead : "", ascii);
    escape_text(&path, cell->text ? cell->text : "", ascii);
    const size_t used = escape_width(buffer_string(&lead));
    const size_t room = width > used ? width - used : 0;
    if (escape_width(buffer_string(&path)) > room)
        cut_front(page, &path, room);
    paint(page, dim, buffer_string(&lead));
    paint(page, head ? bold : cyan, buffer_string(&path));
    page->failed |= lead.failed || path.failed;
    buffer_fini(&lead);
    buffer_fini(&path);
}

static void write_last(struct page *page, const struct view_row *row, const struct view_cell *cell,
                       size_t width)
{
    const size_t tree = write_branches(page, row);
    size_t room = width > tree + LAST_WIDTH_MIN ? width - tree : LAST_WIDTH_MIN;
    if (cell->unit == UNIT_FRAME) {
        write_frame(page, cell->frame, room, row->kind == VIEW_ROW_HEAD);
        return;
    }
    if (cell->unit == UNIT_BAR) {
        write_bar(page, cell->real, room);
        return;
    }
    struct buffer text = {0}, words = {0};
    const bool note = row->kind == VIEW_ROW_CHAIN;
    if (note && row->depth == 0) {
        pad(page, 2);
        room -= 2;
    }
    if (cell->unit == UNIT_PATH) {
        write_path(page, cell, room, row->kind == VIEW_ROW_HEAD);
        return;
    }
    cells_add(&text, cell, !page->options->utf8);
    add_cut(&words, buffer_string(&text), room, page->glyphs->ellipsis);
    if (note)
        paint(page, dim, buffer_string(&words));
    else
        buffer_text(&page->line, buffer_string(&words));
    page->failed |= text.failed || words.failed;
    buffer_fini(&text);
    buffer_fini(&words);
}

static void write_row(struct page *page, const struct view *view, const struct view_row *row)
{
    static const struct view_cell empty = {.unit = UNIT_NONE};
    struct buffer text = {0};
    const size_t used = used_width(page, view);
    const size_t width = page->options->width > used ? page->options->width - used : 0;
    for (size_t c = 0; c < view->n_columns; c++) {
        const struct view_cell *cell = c < row->n_cells ? &row->cells[c] : &empty;
        if (c + 1 == view->n_columns) {
            write_last(page, row, cell, width);
            break;
        }
        buffer_reset(&text);
        cells_add(&text, cell, !page->options->utf8);
        add_aligned(page, buffer_string(&text), page->widths[c],
                    cells_is_left(view->columns[c].unit));
        pad(page, 2);
    }
    page->failed |= text.failed;
    buffer_fini(&text);
    end_line(page);
}

/* A note, broken at blanks to the width of the page. */
static void write_note(struct page *page, const char *note, bool warning)
{
    struct buffer text = {0};
    escape_text(&text, note, !page->options->utf8);
    char *rest = text.data;
    const size_t width = page->options->width - 2;
    while (rest && *rest) {
        struct buffer fitting = {0};
        escape_fit(&fitting, rest, width);
        size_t n = fitting.length;
        if (rest[n]) {
            const char *blank = memrchr(rest, ' ', n + 1);
            n = blank && blank > rest ? (size_t)(blank - rest) : n;
        }
        if (n == 0)
            break;
        buffer_reset(&fitting);
        buffer_add(&fitting, rest, n);
        pad(page, 2);
        paint(page, warning ? red : dim, buffer_string(&fitting));
        page->failed |= fitting.failed;
        buffer_fini(&fitting);
        end_line(page);
        rest += n;
        rest += strspn(rest, " ");
    }
    page->failed |= text.failed;
    buffer_fini(&text);
}

static void write_view(struct page *page, const struct view *view)
{
    if (view->n_rows == 0 && view->n_notes == 0)
        return;
    end_line(page);
    paint(page, view->warning ? red : bold, view->title);
    if (view->subtitle[0])
        buffer_printf(&page->line, "  %s", view->subtitle);
    end_line(page);
    memset(page->open, 0, sizeof page->open);
    shape_columns(page, view);
    if (view->n_rows > 0)
        write_titles(page, view);
    for (size_t r = 0; r < view->n_rows; r++)
        write_row(page, view, &view->rows[r]);
    for (size_t i = 0; i < view->n_notes; i++)
        write_note(page, view->notes[i], view->warning);
}

static void write_header(struct page *page, const struct profile *profile)
{
    const bool ascii = !page->options->utf8;
    struct buffer text = {0}, words = {0};
    cells_add_run(&text, profile, ascii);
    add_cut(&words, buffer_string(&text), page->options->width - 17, page->glyphs->ellipsis);
    buffer_text(&page->line, "heapwise report: ");
    paint(page, bold, buffer_string(&words));
    end_line(page);
    cells_add_facts(&page->line, profile, ascii);
    end_line(page);
    buffer_reset(&text);
    cells_add_scope(&text, profile, page->options->process_id, ascii);
    if (text.length > 0) {
        add_cut(&page->line, buffer_string(&text), page->options->width, page->glyphs->ellipsis);
        end_line(page);
    }
    page->failed |= text.failed || words.failed;
    buffer_fini(&text);
    buffer_fini(&words);
}

/* That the I/O is whole; view_coverage() tells where it is not. */
static void write_kernel(struct page *page, const struct kernel_io *io)
{
    struct buffer text = {0};
    if (!cells_kernel_is_met(io))
        return;
    cells_add_kernel(&text, io);
    write_note(page, buffer_string(&text), false);
    page->failed |= text.failed;
    buffer_fini(&text);
}

int emit_text(const struct profile *profile, const struct report_options *options, FILE *out)
{
    struct page page = {
        .options = options,
        .glyphs = options->utf8 ? &utf8_glyphs : &ascii_glyphs,
        .out = out,
    };
    struct report_options shared = *options;
    struct calltree *tree = NULL;
    int result = calltree_new(profile, &tree);
    shared.tree = tree;
    write_header(&page, profile);
    for (size_t i = 0; i < sections_count() && result == 0; i++) {
        struct view view;
        result = sections_build(i, profile, &shared, &view);
        if (result < 0)
            break;
        write_view(&page, &view);
        view_fini(&view);
    }
    end_line(&page);
    cells_add_summary(&page.line, profile);
    end_line(&page);
    cells_add_io_summary(&page.line, profile);
    if (page.line.length > 0)
        end_line(&page);
    write_kernel(&page, &profile->coverage.kernel_io);
    buffer_fini(&page.line);
    calltree_free(tree);
    return result < 0 ? result : page.failed ? -ENOMEM : 0;
}
