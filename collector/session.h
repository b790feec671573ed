/* SPDX-License-Identifier: MIT */
/* The shared session object as its creator sees it; the layout is trace/session_layout.h.
 *
 * One thread only. The header lies in memory that targets can write: take each value once, check it,
 * and keep private copies of everything that was decided here. */
#ifndef HEAPWISE_COLLECTOR_SESSION_H
#define HEAPWISE_COLLECTOR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/session_layout.h"

struct session_options {
    const char *shim_path; /* as it will stand in LD_PRELOAD */
    uint32_t flags;        /* session_flags */
    uint32_t max_depth;
    uint64_t main_ring_bytes; /* rounded up to a power of two, at least 64 KiB */
    uint64_t max_file_bytes;  /* RLIMIT_FSIZE of this process; UINT64_MAX for none */
};

struct session {
    int fd;                        /* -1 while closed */
    struct session_header *header; /* NULL while closed */
    uint32_t flags;
    uint32_t n_slots;
    uint64_t slot_bytes;
    uint64_t ring_bytes[2]; /* main, signal */
    bool tsc;               /* ticks are TSC cycles */
    char file[128];         /* to unlink at the end; "" for a memfd */
    char folder[64];        /* to remove after it */
};

/* Create the session object, map its header, fill it in and lock `alive`.
 *
 * A memfd reached through /proc/<pid>/fd/<n>; with SESSION_OTHER_USERS a 0666 tmpfs file with an
 * unguessable name in a folder that cannot be listed. Must be called by the thread (and process)
 * that is to hold `alive`. Returns 0 or a negative errno. */
int session_open(struct session *session, const struct session_options *options);

/* Unlink, unmap, close; `alive` is left to the kernel to mark as its owner's death. */
void session_close(struct session *session);

/* Allocate the pages of slot `i` and map it. Returns NULL without memory, with errno set. */
struct slot_header *session_map_slot(struct session *session, uint32_t i);

/* Tell shims to stop: nothing more is read. */
void session_stop_recording(struct session *session);

#endif
