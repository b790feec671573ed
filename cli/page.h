/* SPDX-License-Identifier: MIT */
/* What a page of text may look like where it is going to. */
#ifndef HEAPWISE_CLI_PAGE_H
#define HEAPWISE_CLI_PAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Will what is written to `output` (NULL or "-": standard output) be seen on a terminal? */
bool page_is_terminal(const char *output);

/* Columns to fill: $COLUMNS, else the terminal's, else a fixed number for files. */
size_t page_width(bool is_terminal);

/* Colour only on a terminal that has it, never with NO_COLOR. */
bool page_wants_colour(bool is_terminal);

/* Does the locale's encoding have more than ASCII? */
bool page_is_utf8(void);

#endif
