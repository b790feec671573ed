/* SPDX-License-Identifier: MIT */
/* Where the shim lies, relative to the running program, and a name for it that ld.so can take. */
#ifndef HEAPWISE_COLLECTOR_SHIM_PATH_H
#define HEAPWISE_COLLECTOR_SHIM_PATH_H

#include <stdbool.h>

struct shim_path {
    char path[4096];   /* as it is to stand in LD_PRELOAD */
    char folder[4096]; /* made for a link, to be removed at the end; "" if none */
};

/* Find the shim beside the program (build tree or installation).
 *
 * Where the path holds a space or a colon, at which ld.so would split LD_PRELOAD, a folder with a
 * link is made, where programs of other users reach it if `for_others`. Returns 0, or a negative errno: -ENOENT when there is no shim. */
int shim_path_find(bool for_others, struct shim_path *found_out);

/* Remove link and folder, if any. */
void shim_path_remove(const struct shim_path *found);

#endif
