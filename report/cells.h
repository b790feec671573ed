/* SPDX-License-Identifier: MIT */
/* Cells of a view as plain words, for every emitter. */
#ifndef HEAPWISE_REPORT_CELLS_H
#define HEAPWISE_REPORT_CELLS_H

#include "report/buffer.h"
#include "report/view.h"

#include <stdbool.h>

/* Add the cell as text, escaped; a bar and an empty cell add nothing, a frame its function. */
void cells_add(struct buffer *out, const struct view_cell *cell, bool ascii_only);

/* Does a column of this unit stand to the left of its place? Numbers stand to the right. */
bool cells_is_left(enum unit unit);

/* Add the line that names the run: "sqlite3 :memory:" escaped. */
void cells_add_run(struct buffer *out, const struct profile *profile, bool ascii_only);

/* Add "2026-01-31T12:00:00Z, 1.52 s, exit status 0, trace x.hwt" escaped. */
void cells_add_facts(struct buffer *out, const struct profile *profile, bool ascii_only);

/* Add "figures of process 5 alone: cc1 a.c", escaped; nothing when they are of the whole run. */
void cells_add_scope(struct buffer *out, const struct profile *profile, uint32_t process_id,
                     bool ascii_only);

/* Add the one line a reader in a hurry wants: time, calls, rate, peak, leaks, losses. */
void cells_add_summary(struct buffer *out, const struct profile *profile);

/* Add the same of I/O: bytes, calls, time; nothing where none was recorded. */
void cells_add_io_summary(struct buffer *out, const struct profile *profile);

/* Was every read and write that the kernel counted seen, or made before there was a shim to see it? */
bool cells_kernel_is_met(const struct kernel_io *io);

/* Add "1,118 of 1,118 kernel reads/writes attributed (100.0 %)", and how many of them are from before
 * recording began. */
void cells_add_kernel(struct buffer *out, const struct kernel_io *io);

#endif
