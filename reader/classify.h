/* SPDX-License-Identifier: MIT */
/* Whose code a frame is: the allocator's, the runtime's, or the user's. By names alone. */
#ifndef HEAPWISE_READER_CLASSIFY_H
#define HEAPWISE_READER_CLASSIFY_H

#include <stdbool.h>

#include "reader/profile.h"

/* The part of a path behind its last slash. */
const char *classify_basename(const char *path);

/* Whether a frame is only how memory is asked for or given back: malloc, free and their relatives, operator
 * new and delete, the shim, any code of a separate allocator library. `allocator` is the module that
 * serves malloc (a path, or "" where unknown), `executable` the program itself. */
bool classify_is_allocator(const struct profile_frame *frame, const char *allocator,
                           const char *executable);

/* Whether a frame is in the C or C++ runtime, or a wrapper of the standard library compiled into the
 * program, or inlined from a header under /usr/include, or runs before main(): not what its user would
 * call his own. */
bool classify_is_runtime(const struct profile_frame *frame);

/* Whether a frame's function is, by its name, one of those by which a program passes its requests on to the
 * allocator, or gives memory back and does nothing else: xmalloc, sqlite3DbMallocRaw, PyMem_RawMalloc,
 * g_strdup, zfree. */
bool classify_is_wrapper(const struct profile_frame *frame);

#endif
