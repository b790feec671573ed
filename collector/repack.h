/* SPDX-License-Identifier: MIT */
/* A finished trace packed anew: frames that were stored in a hurry become dense, in a second file that
 * then takes the first one's name. A reader gets the same stream, byte for byte.
 *
 * Nothing is risked: until the new file is whole the old one stays as it is, under its name; any error,
 * a wish to end or a death leaves it there. */
#ifndef HEAPWISE_COLLECTOR_REPACK_H
#define HEAPWISE_COLLECTOR_REPACK_H

#include <stdatomic.h>
#include <stdint.h>

struct repack {
    int trace_fd;                     /* the whole trace, open for anything */
    int folder_fd;                    /* where it lies */
    const char *name;                 /* in that folder */
    uint64_t debt_bytes;              /* to be saved; frames after that are copied */
    const _Atomic uint32_t *unwanted; /* not 0: stop and leave the trace as it is */
};

/* Pack the trace anew, with as many threads as there are processors for us, at most four, and 3 MiB
 * for each.
 *
 * Returns 0 with the new size in *n_bytes_out, or a negative errno: -ECANCELED where it became
 * unwanted, -EBADMSG for a file of anything but whole frames, -ESTALE where the name is another
 * file's by now, or has company (links, another owner), else what the system says. */
int repack_trace(const struct repack *repack, uint64_t *n_bytes_out);

#endif
