/* SPDX-License-Identifier: MIT */
/* Source places: which file and line an address belongs to, and how file names are written. */
#ifndef HEAPWISE_SYMBOLS_LINE_H
#define HEAPWISE_SYMBOLS_LINE_H

#include <elfutils/libdw.h>
#include <stdint.h>

#include "symbols/strpool.h"

/* Return `name` below `folder` when it is relative (`folder` may be NULL or ""), without "//", "/./"
 * and "x/..", kept in `pool`. Purely of the text: nothing is looked up on disk. */
const char *line_absolute(struct strpool *pool, const char *folder, const char *name);

/* Find the source place of `address` in the line table of a compilation unit.
 * Sets *file_out ("" when unknown) and *line_out (0 when unknown); always both. */
void line_find(struct strpool *pool, Dwarf_Die *unit, uint64_t address, const char **file_out,
               uint32_t *line_out);

/* Return the name of file number `index` of the unit's line table, "" when there is none. */
const char *line_file(struct strpool *pool, Dwarf_Die *unit, uint64_t index);

#endif
