/* SPDX-License-Identifier: MIT */
/* What emit_json() writes about input and output. */
#ifndef HEAPWISE_REPORT_EMIT_JSON_IO_H
#define HEAPWISE_REPORT_EMIT_JSON_IO_H

#include "report/report.h"

#include <jansson.h>
#include <stdio.h>

/* coverage.io_kernel: null where the kernel's count is not known; NULL where memory ran out. */
json_t *emit_json_kernel_io(const struct kernel_io *io);

/* Write io_sites, files, slow_calls, io_threads and openers, each behind a comma. Returns 0 or -ENOMEM. */
int emit_json_io(const struct profile *profile, const struct report_options *options, FILE *out);

#endif
