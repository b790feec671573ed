/* SPDX-License-Identifier: MIT */
/* One section of a report, described once and emitted in many formats.
 *
 * A view is a title, notes and a table: typed columns, rows of cells. Rows may form a tree: row
 * r lies below the nearest earlier row of smaller depth. Views say what to show, emitters how.
 *
 * A builder calls view_row() and then adds the cells of that row from left to right. Text cells and
 * notes are copied; frames are borrowed from the profile, which must outlive the view. Running out
 * of memory is remembered in `failed`. */
#ifndef HEAPWISE_REPORT_VIEW_H
#define HEAPWISE_REPORT_VIEW_H

#include "reader/profile.h"
#include "report/units.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view_cell {
    enum unit unit; /* says which of the values below counts */
    uint64_t integer;
    double real;
    char *text; /* owned */
    char *lead; /* owned: words before a path, NULL for none */
    const struct profile_frame *frame;
};

enum view_row_kind {
    VIEW_ROW_PLAIN,  /* a row of a table */
    VIEW_ROW_HEAD,   /* the top of a tree */
    VIEW_ROW_BRANCH, /* one of several below a parent */
    VIEW_ROW_CHAIN,  /* goes on from the row above it at the same depth */
};

struct view_row {
    enum view_row_kind kind;
    uint32_t depth; /* 0 for PLAIN and HEAD */
    bool last;      /* BRANCH: no sibling follows */
    size_t n_cells;
    struct view_cell *cells;
};

struct view_column {
    const char *name;  /* stable, for machines: a metric's name where it is one */
    const char *title; /* for people */
    enum unit unit;    /* decides the alignment; a cell may have another unit or none */
};

/* Columns are few; a fixed number keeps builders free of failures. */
#define VIEW_MAX_COLUMNS 10

struct view {
    const char *id;    /* "most_calls" */
    const char *title; /* "MOST CALLS" */
    const char *subtitle;
    bool warning; /* the section tells of something lost */
    size_t n_notes;
    char **notes; /* not escaped yet */
    size_t n_columns;
    struct view_column columns[VIEW_MAX_COLUMNS];
    size_t n_rows;
    struct view_row *rows;
    bool failed;
    size_t notes_capacity, rows_capacity;
};

void view_init(struct view *view, const char *id, const char *title, const char *subtitle);
void view_fini(struct view *view);

void view_column(struct view *view, const char *name, const char *title, enum unit unit);
__attribute__((format(printf, 2, 3))) void view_note(struct view *view, const char *format, ...);

/* Begin a row; cells that are not added stay empty. */
void view_row(struct view *view, enum view_row_kind kind, uint32_t depth, bool last);

void view_integer(struct view *view, enum unit unit, uint64_t value);
void view_real(struct view *view, enum unit unit, double value);
void view_text(struct view *view, const char *text);

/* A text cell in the manner of printf. */
__attribute__((format(printf, 2, 3))) void view_words(struct view *view, const char *format, ...);
void view_words_of(struct view *view, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* A path, with words before it ("read: "; "" for none). */
void view_path(struct view *view, const char *lead, const char *path);
void view_frame(struct view *view, const struct profile_frame *frame);
void view_skip(struct view *view); /* leave one cell empty */

/* part / whole, 0 when there is no whole. */
double view_share(double part, double whole);

#endif
