/* SPDX-License-Identifier: MIT */
/* Linker names back to what the programmer wrote: C++ (Itanium ABI) and Rust (legacy and v0). */
#ifndef HEAPWISE_SYMBOLS_DEMANGLE_H
#define HEAPWISE_SYMBOLS_DEMANGLE_H

#include <stdbool.h>

#include "symbols/strpool.h"

/* Whether `name` looks like the product of a C++ or Rust compiler. */
bool demangle_is_mangled(const char *name);

/* Return the readable form of `name`, kept in `pool`; `name` itself when it is not mangled, cannot be
 * understood, or would grow beyond 16 KiB: substitutions let 100 bytes stand for gigabytes. */
const char *demangle_name(struct strpool *pool, const char *name);

#endif
