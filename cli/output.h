/* SPDX-License-Identifier: MIT */
/* Where a command writes: standard output, or a file that appears whole or not at all. */
#ifndef HEAPWISE_CLI_OUTPUT_H
#define HEAPWISE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct output {
    FILE *stream;
    char *path;      /* where it shall stand in the end; NULL: standard output */
    char *temporary; /* where it is written meanwhile; NULL: `path` itself */
};

/* Open the output. `path` NULL or "-" is standard output. An existing file that is neither regular nor
 * a link to one (a pipe, a device) is written directly. Refuses to replace `input` (may be NULL).
 * Returns 0 or the exit code after printing the error. */
int output_open(struct output *output, const char *path, const char *input);

/* Finish: flush, give the file its name. With `keep` false the file is removed and an existing one stays
 * as it was. Returns 0, 2 after printing the error, or 141 when the reader of standard output has gone. */
int output_close(struct output *output, bool keep);

#endif
