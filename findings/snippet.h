/* SPDX-License-Identifier: MIT */
/* The lines of a source file around one of them, where the file is at hand. */
#ifndef HEAPWISE_FINDINGS_SNIPPET_H
#define HEAPWISE_FINDINGS_SNIPPET_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/profile.h"
#include "report/buffer.h"

enum snippet_limits {
    SNIPPET_AROUND = 2, /* lines before and behind */
    SNIPPET_MAX_LINES = 2 * SNIPPET_AROUND + 1,
    SNIPPET_MAX_COLUMNS = 200,
};

struct snippet {
    uint32_t first_line;
    uint32_t n_lines;                       /* 0: there is none, see `why_not` */
    struct buffer lines[SNIPPET_MAX_LINES]; /* escaped, without the newline, tabs as blanks */
    const char
        *why_not; /* "the file is newer than the recording"; "" where nothing is to be said */
};

/* Read the lines around the frame's; a relative file is looked for below `root` (may be NULL).
 *
 * Paths come from the trace: only regular files with the ending of a source file are read, where links led
 * also, none above 8 MiB, and none that was changed after the run. `snippet` is set in any case. */
void snippet_read(const struct profile *profile, const struct profile_frame *frame,
                  const char *root, struct snippet *snippet_out);

void snippet_fini(struct snippet *snippet);

#endif
