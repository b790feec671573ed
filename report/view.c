/* SPDX-License-Identifier: MIT */
/* How does a builder put a section together? */
#include "report/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void view_init(struct view *view, const char *id, const char *title, const char *subtitle)
{
    *view = (struct view){.id = id, .title = title, .subtitle = subtitle};
}

void view_fini(struct view *view)
{
    for (size_t r = 0; r < view->n_rows; r++) {
        for (size_t c = 0; c < view->rows[r].n_cells; c++) {
            free(view->rows[r].cells[c].text);
            free(view->rows[r].cells[c].lead);
        }
        free(view->rows[r].cells);
    }
    for (size_t i = 0; i < view->n_notes; i++)
        free(view->notes[i]);
    free(view->rows);
    free(view->notes);
    *view = (struct view){0};
}

/* Make room for one item more than `n` in the array whose pointer stands at `array`. */
static bool grow(void *array, size_t *capacity, size_t n, size_t item_size)
{
    if (n < *capacity)
        return true;
    const size_t wanted = *capacity ? *capacity * 2 : 16;
    void *items = NULL; /* copied, for a void ** may not alias the caller's type of pointer */
    memcpy(&items, array, sizeof items);
    items = reallocarray(items, wanted, item_size);
    if (!items)
        return false;
    memcpy(array, &items, sizeof items);
    *capacity = wanted;
    return true;
}

void view_column(struct view *view, const char *name, const char *title, enum unit unit)
{
    if (view->n_columns == VIEW_MAX_COLUMNS) {
        view->failed = true;
        return;
    }
    view->columns[view->n_columns++] = (struct view_column){name, title, unit};
}

/* Text to be released; NULL and the failure noted where there is no memory. */
static char *print(struct view *view, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0)
        return text;
    view->failed = true;
    return NULL;
}

void view_note(struct view *view, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *const text = print(view, format, arguments);
    va_end(arguments);
    if (!text)
        return;
    if (!grow(&view->notes, &view->notes_capacity, view->n_notes, sizeof *view->notes)) {
        view->failed = true;
        free(text);
        return;
    }
    view->notes[view->n_notes++] = text;
}

void view_row(struct view *view, enum view_row_kind kind, uint32_t depth, bool last)
{
    if (view->failed)
        return;
    struct view_cell *cells = calloc(view->n_columns ? view->n_columns : 1, sizeof *cells);
    if (!cells || !grow(&view->rows, &view->rows_capacity, view->n_rows, sizeof *view->rows)) {
        free(cells);
        view->failed = true;
        return;
    }
    view->rows[view->n_rows++] =
        (struct view_row){.kind = kind, .depth = depth, .last = last, .cells = cells};
}

static struct view_cell *next_cell(struct view *view)
{
    if (view->failed || view->n_rows == 0)
        return NULL;
    struct view_row *row = &view->rows[view->n_rows - 1];
    if (row->n_cells == view->n_columns)
        return NULL;
    return &row->cells[row->n_cells++];
}

void view_integer(struct view *view, enum unit unit, uint64_t value)
{
    struct view_cell *cell = next_cell(view);
    if (cell)
        *cell = (struct view_cell){.unit = unit, .integer = value};
}

void view_real(struct view *view, enum unit unit, double value)
{
    struct view_cell *cell = next_cell(view);
    if (cell)
        *cell = (struct view_cell){.unit = unit, .real = value};
}

void view_text(struct view *view, const char *text)
{
    struct view_cell *cell = next_cell(view);
    if (!cell)
        return;
    *cell = (struct view_cell){.unit = UNIT_TEXT, .text = strdup(text)};
    view->failed |= !cell->text;
}

void view_words_of(struct view *view, const char *format, va_list arguments)
{
    char *const text = print(view, format, arguments);
    if (!text)
        return;
    struct view_cell *const cell = next_cell(view);
    if (cell)
        *cell = (struct view_cell){.unit = UNIT_TEXT, .text = text};
    else
        free(text);
}

void view_words(struct view *view, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    view_words_of(view, format, arguments);
    va_end(arguments);
}

void view_path(struct view *view, const char *lead, const char *path)
{
    struct view_cell *cell = next_cell(view);
    if (!cell)
        return;
    *cell = (struct view_cell){.unit = UNIT_PATH, .text = strdup(path), .lead = strdup(lead)};
    view->failed |= !cell->text || !cell->lead;
}

void view_frame(struct view *view, const struct profile_frame *frame)
{
    struct view_cell *cell = next_cell(view);
    if (cell)
        *cell = (struct view_cell){.unit = UNIT_FRAME, .frame = frame};
}

void view_skip(struct view *view)
{
    (void)next_cell(view);
}

double view_share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}
