/* SPDX-License-Identifier: MIT */
/* How a run is started: heapwise-replayer, anew for each, with the allocator preloaded. */
#ifndef HEAPWISE_REPLAY_LAUNCH_H
#define HEAPWISE_REPLAY_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>

#include "replay/ops.h"

enum { LAUNCH_PATH_BYTES = 4096 };

struct launch_allocator {
    const char *name;                /* as the user gave it */
    char preload[LAUNCH_PATH_BYTES]; /* for LD_PRELOAD; "" for the C library's */
    char module[OPS_MODULE_BYTES];   /* the file that malloc comes from then */
};

struct launch {
    const char *player;                       /* path of heapwise-replayer */
    const struct launch_allocator *allocator; /* NULL: an empty run */
    int ops_fd;
    int row; /* of the plan: 0 none, -1 all */
    size_t n_rows;
};

/* Find heapwise-replayer beside the running program, in the build tree or installed. 0 or -ENOENT. */
int launch_find_player(char path_out[LAUNCH_PATH_BYTES]);

/* The names of known allocators, "native" first; NULL past the last. */
const char *launch_known(size_t i);

/* Find an allocator: a known name or a file with a slash or ".so" in its name, and see that it takes malloc's
 * place. `name` has to outlive it. Returns 0; -ENOENT where there is none; -EINVAL where the file does not
 * define malloc, or its path has a space or colon, at which ld.so would split it; -ENOEXEC where the
 * replayer did not run; -EMFILE where the limit of descriptors is 200 or less. */
int launch_find_allocator(const char *player, const char *name, struct launch_allocator *found_out);

/* Run once and wait for it. `rows` has room for launch.n_rows + 1, [0] for calls of no row.
 * 0; -EIO when it ended without figures (killed; a thread that could not be started); another -errno when it
 * could not be started. */
int launch_run(const struct launch *launch, struct ops_figures *figures_out,
               struct ops_row_figures *rows);

#endif
