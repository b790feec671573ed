/* SPDX-License-Identifier: MIT */
/* One module's names: its file, its debug file, its compilation units and its symbol table.
 *
 * Everything is read when first needed: the files at open, the list of units at the first look-up, a
 * unit's functions and lines when an address falls into it. */
#ifndef HEAPWISE_SYMBOLS_MODULE_H
#define HEAPWISE_SYMBOLS_MODULE_H

#include "symbols/strpool.h"
#include "symbols/symbolizer.h"

struct module;

/* Open the module at `path` with this build-id ("" for any). Never fails but for memory (NULL): a
 * missing or foreign file gives a module that knows nothing. `pool` must outlive it. */
struct module *module_open(const char *path, const char *build_id, struct strpool *pool);

/* As symbolizer_lookup. */
size_t module_lookup(struct module *module, uint64_t offset, struct symbol_frame *frames_out,
                     size_t cap);

void module_free(struct module *module);

#endif
