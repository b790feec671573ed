/* SPDX-License-Identifier: MIT */
/* What stdio moves to and from the kernel, seen at the one place where all of it passes: the functions in
 * libc's stream tables (stdio_tables.h), which this puts its own in front of.
 *
 * Each read, write and seek is one TRACE_STDIO record, each close a TRACE_FD_CLOSE. The stack begins at the
 * caller of the hook under way (stdio_site.h); of a function that has no hook (perror, error), where unwinding
 * leaves libc; of what is written as the process exits, it is the last caller on that stream,
 * alone. Where the tables cannot be had, a remark says so, and transfers of stdio are not seen. */
#ifndef HEAPWISE_PRELOAD_STDIO_TRANSFER_H
#define HEAPWISE_PRELOAD_STDIO_TRANSFER_H

#include <stdio.h>

#include "preload/event_io.h"

/* Begin to see transfers, once libc is there. Returns NULL, or what stands in the way. */
const char *stdio_transfer_start(void);

/* Record what stdio moved without a stream. */
void stdio_transfer_record(const struct event_io *io, const struct arch_frame *caller);

/* Brackets what makes a descriptor for a stream: a seek meanwhile is recorded at the end, after the opening
 * that the caller has recorded in between. */
void stdio_opening_begin(void);
void stdio_opening_end(const FILE *stream);

#endif
