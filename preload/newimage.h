/* SPDX-License-Identifier: MIT */
/* Whether the shim can live in a file that is about to be exec'd. */
#ifndef HEAPWISE_PRELOAD_NEWIMAGE_H
#define HEAPWISE_PRELOAD_NEWIMAGE_H

#include <stdbool.h>

#include "trace/trace_format.h"

/* What to do about a new image: 0 to record it, else why it cannot be. */
struct newimage {
    enum trace_unattached reason; /* 0: nothing against it */
    bool drop_entry;              /* its loader would complain about our library, or fail */
};

/* Look at the file that execve(path) or, with search, execvp(path) would run, following `#!`. Uses raw
 * system calls, little stack and memory that it gives back: it may run in a vfork child. Opens regular files
 * only. What cannot be read counts as good: exec will say. */
struct newimage newimage_inspect(const char *path, bool search);

#endif
