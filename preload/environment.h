/* SPDX-License-Identifier: MIT */
/* What an exec'd program is to find in its environment: our library first in LD_PRELOAD with the
 * user's own behind it, and the session; or neither.
 *
 * Works on the caller's stack only, because it may run in a vfork child, whose memory is its
 * parent's. */
#ifndef HEAPWISE_PRELOAD_ENVIRONMENT_H
#define HEAPWISE_PRELOAD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* What environment_plan() found out, to size the buffers by. */
struct environment_plan {
    bool as_it_is;       /* nothing to change: use the given environment */
    bool follow;         /* add our entries, else take them out */
    size_t n_pointers;   /* room that environment_build() needs: pointers ... */
    size_t n_text_bytes; /* ... and bytes */
};

/* Decide for `given` (NULL counts as empty). */
struct environment_plan environment_plan(char *const *given, bool follow);

/* Write the new environment into pointers[0..n_pointers) and text[0..n_text_bytes). Strings of
 * `given` are shared, not copied. */
void environment_build(const struct environment_plan *plan, char *const *given, char **pointers,
                       char *text);

#endif
