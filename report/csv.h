/* SPDX-License-Identifier: MIT */
/* Cells of a table after RFC 4180, from left to right and line by line. */
#ifndef HEAPWISE_REPORT_CSV_H
#define HEAPWISE_REPORT_CSV_H

#include "reader/profile.h"
#include "report/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    FILE *out;
    bool first; /* no cell in this row yet: true to begin with */
    bool failed;
};

void csv_end_row(struct csv *table);

/* Text of any origin, escaped; what a spreadsheet would take for a formula gets an apostrophe. */
void csv_text(struct csv *table, const char *raw);

void csv_number(struct csv *table, uint64_t value);
void csv_metric(struct csv *table, struct metric_value value); /* empty where it is absent */
void csv_empty(struct csv *table, size_t n);

/* A command line in one cell. */
void csv_command(struct csv *table, const char *const *words, size_t n);

/* Frames from the outermost to the innermost, joined by ';' as flame graph tools read them. */
void csv_stack(struct csv *table, const struct profile *profile, const struct site *site);

/* Four cells: function, file, line and module; of NULL that no stack is known. */
void csv_place(struct csv *table, const struct profile_frame *frame);

#endif
