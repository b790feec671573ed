/* SPDX-License-Identifier: MIT */
/* What the numbers of an I/O site or a file say in a few words, one line each.
 *
 * Lines name a number where it speaks, and give no advice. They are made for 40 columns, what an 80
 * column terminal leaves beside the figures. */
#ifndef HEAPWISE_REPORT_IO_WORDS_H
#define HEAPWISE_REPORT_IO_WORDS_H

#include "reader/profile.h"
#include "report/calltree.h"
#include "report/view.h"

/* Add rows that say what the sites of a place (of io_stacks_of_sites()) do: call and file, usual size
 * and time, and remarks. Fits site_section.describe. */
void io_words_of_place(const struct profile *profile, const struct calltree_range *range,
                       struct view *view);

/* Add rows with remarks on a file. */
void io_words_of_file(const struct io_file *file, struct view *view);

/* Add one row with words, continuing the row above, in the last column. */
__attribute__((format(printf, 2, 3))) void io_words_add(struct view *view, const char *format, ...);

/* Add such a row for a path. */
void io_words_add_path(struct view *view, const char *lead, const char *path);

#endif
