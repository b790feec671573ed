/* SPDX-License-Identifier: MIT */
/* The hooks of I/O in the test's own process: it calls read() and the like, and looks at the records.
 *
 * Over lane_fixture.h; what the hooks forward to is libc's. Until io_fixture_start() and after
 * io_fixture_stop() they only forward. */
#ifndef HEAPWISE_TESTS_IO_FIXTURE_H
#define HEAPWISE_TESTS_IO_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/record.h"

/* What session_is_guest() is to say. */
extern bool io_fixture_is_guest;

/* How often a hook was refused a lane, each time an event lost. */
extern unsigned io_fixture_n_refused;

/* Begin recording, into an empty ring. */
void io_fixture_start(void);

/* End it and decode what there is. Returns how many; records are records_out[0..n). */
size_t io_fixture_stop(struct record *records_out, size_t cap);

/* Tell whether a decoded text is this one. */
bool io_fixture_text_is(const struct unpack_text *text, const char *wanted);

#endif
