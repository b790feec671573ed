/* SPDX-License-Identifier: MIT */
/* The functions of one compilation unit, and what was inlined into them where.
 *
 * Built once per unit by one walk over its DIEs, then asked in O(log n). */
#ifndef HEAPWISE_SYMBOLS_INLINE_H
#define HEAPWISE_SYMBOLS_INLINE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "symbols/elf_image.h"
#include "symbols/ranges.h"
#include "symbols/strpool.h"

#define INLINE_NONE UINT32_MAX

/* A function's code, or one inlined copy of a function. */
struct inline_scope {
    Dwarf_Die die;
    uint32_t parent;       /* scope it lies in, INLINE_NONE outermost */
    bool inlined;          /* into its parent */
    bool named;            /* all below is filled in */
    bool qualified;        /* `function` has its namespace and class, where it has any */
    const char *function;  /* readable; "" when unknown */
    const char *call_file; /* where the inlined call stands */
    uint32_t call_line;
};

struct inline_index {
    struct inline_scope *scopes;
    uint32_t n_scopes, capacity;
    struct ranges ranges; /* of scopes, by index */
};

/* Collect the scopes of the unit whose DIE is `unit`.
 * Ranges that do not begin in executable segments of `code` are left out: they are of functions the
 * linker threw away. A broken unit gives what came before the break. Returns 0 or -ENOMEM. */
int inline_build(Dwarf_Die *unit, const struct elf_image *code, struct inline_index *index_out);

/* Return the innermost scope at `address`, NULL when no function is known there. It is named. */
const struct inline_scope *inline_find(struct inline_index *index, struct strpool *pool,
                                       Dwarf_Die *unit, uint64_t address);

/* Return the scope that `scope` was inlined into, named; NULL when it is a function of its own. */
const struct inline_scope *inline_parent(struct inline_index *index, struct strpool *pool,
                                         Dwarf_Die *unit, const struct inline_scope *scope);

void inline_fini(struct inline_index *index);

#endif
