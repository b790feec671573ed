/* SPDX-License-Identifier: MIT */
/* The shim's only voice: one line on descriptor 2, without stdio. */
#ifndef HEAPWISE_PRELOAD_DIAG_H
#define HEAPWISE_PRELOAD_DIAG_H

/* Write "heapwise: <text>\n" in one write(2). Async-signal-safe; failures are ignored. */
void diag_line(const char *text);

#endif
