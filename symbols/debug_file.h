/* SPDX-License-Identifier: MIT */
/* Where is the DWARF of a stripped module?
 *
 * Looks, in this order, into each folder of HEAPWISE_DEBUG_PATH (colon separated), then /usr/lib/debug:
 * FOLDER/.build-id/xx/yyyy.debug; then for the name in .gnu_debuglink: beside the module, in .debug/
 * beside it, and in FOLDER/<the module's folder>. Never asks the network. Source: GDB manual, "Debugging
 * Information in Separate Files". */
#ifndef HEAPWISE_SYMBOLS_DEBUG_FILE_H
#define HEAPWISE_SYMBOLS_DEBUG_FILE_H

#include <elfutils/libdw.h>

#include "symbols/elf_image.h"

/* Find the debug file of the module at `path` with this build-id ("" when it has none).
 * `stripped` is the opened module, NULL when it is missing: then only the build-id can help.
 * `bytes` says how much of the file found will be needed; one without DWARF does not count.
 * A file counts when its build-id is the module's or, without one, when its CRC is the debuglink's.
 * Returns 0 or -ENOENT. Cost: a few opens; a CRC of the file when it has no build-id. */
int debug_file_find(const char *path, const char *build_id, const struct elf_image *stripped,
                    enum elf_bytes_wanted bytes, struct elf_image *debug_out);

/* Find the file that `dwarf`, read from the file at `path`, shares entries with (.gnu_debugaltlink,
 * written by dwz). Returns 0, or -ENOENT when there is none. */
int debug_file_find_shared(Dwarf *dwarf, const char *path, struct elf_image *shared_out);

#endif
