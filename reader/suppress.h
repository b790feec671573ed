/* SPDX-License-Identifier: MIT */
/* Which leaks are not worth a report: patterns as LeakSanitizer's suppression files hold them.
 *
 *   # a comment                     One `leak:PATTERN` a line. A pattern matches where it occurs in a
 *   leak:libfontconfig              function, file or module name of any frame of the stack;
 *   leak:^main$                     ^ and $ bind it to the name's ends, * stands for anything. */
#ifndef HEAPWISE_READER_SUPPRESS_H
#define HEAPWISE_READER_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "reader/profile.h"

/* Zero it to begin. */
struct suppressions {
    char **patterns;
    size_t n_patterns;
};

/* Add the patterns of a text. Returns 0, -ENOMEM, or -EINVAL with error_out filled in. */
int suppress_parse(struct suppressions *suppressions, const char *text, size_t n_bytes,
                   struct trace_error *error_out);

/* Add the patterns of a file. Returns 0; else a negative errno with error_out filled in. */
int suppress_read(struct suppressions *suppressions, const char *path,
                  struct trace_error *error_out);

/* Add the patterns for what the C and C++ runtimes keep until exit. They are meant for frames inside
 * the runtime only. Returns 0 or -ENOMEM. */
int suppress_add_runtime(struct suppressions *suppressions);

/* Whether any pattern matches a name. */
bool suppress_matches(const struct suppressions *suppressions, const char *name);

void suppress_fini(struct suppressions *suppressions);

#endif
