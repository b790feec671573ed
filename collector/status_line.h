/* SPDX-License-Identifier: MIT */
/* The one line that shows a recording going on: elapsed time, events, live bytes. */
#ifndef HEAPWISE_COLLECTOR_STATUS_LINE_H
#define HEAPWISE_COLLECTOR_STATUS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "collector/board.h"

/* Format the board as "heapwise: 12 s  3.4 M events  56.7 MiB live", without a newline, into
 * line[0..cap), always terminated. `now_ns` is CLOCK_MONOTONIC. */
void status_line_format(const struct board *board, uint64_t now_ns, char *line, size_t cap);

/* "512 B", "1.5 KiB", "3.0 GiB". Returns text. */
const char *status_line_bytes(uint64_t n_bytes, char text[static 32]);

/* "999", "1.5 k", "3.4 M". Returns text. */
const char *status_line_count(uint64_t n, char text[static 32]);

/* "0.042 s", "12.3 s", "2 min 03 s", "1 h 02 min". Returns text. */
const char *status_line_duration(uint64_t duration_ns, char text[static 32]);

#endif
