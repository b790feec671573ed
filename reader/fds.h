/* SPDX-License-Identifier: MIT */
/* Which descriptors an image has open, and what each leads to, as the kernel keeps it:
 *
 *   image's table     descriptor -> description, and who opened it
 *   descriptions      a file, a position; shared by duplicates and by forked children
 *
 * A description goes with the last descriptor that leads to it. */
#ifndef HEAPWISE_READER_FDS_H
#define HEAPWISE_READER_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fds_limits {
    FDS_MAX_OPEN = 1 << 20,   /* of one image: the kernel's fs.nr_open; beyond, none is followed */
    FDS_MAX_EFFORT = 1 << 28, /* of a trace: slots gone through in vain, or copied (16 for one) */
};

enum fds_turn {
    FDS_TURN_NONE,
    FDS_TURN_READ,
    FDS_TURN_WRITE,
};

struct fds_description {
    uint64_t serial;      /* never given to another one, unlike its number */
    uint32_t n_slots;     /* that lead here; 0: free */
    uint32_t file;        /* number of a file, 0 not known; of a free one: the next free one */
    int64_t offset_bytes; /* its position, -1 not known or none */
    int64_t end_bytes;    /* where the last transfer ended; at first its position when opened */
    uint32_t flags;       /* of open(2) */
    uint8_t kind;         /* trace_fd_kind */
    uint8_t last_turn;    /* fds_turn */
    bool is_seekable;
    bool
        is_opening; /* an open counted at `file`, as its path was given: may turn out to be another */
};

/* All descriptions of a trace. Zero it to begin.
 *
 * A few bytes of a trace can ask for a walk through a million slots. Once FDS_MAX_EFFORT went into that, tables are
 * no longer copied and only single descriptors closed: what leads where is told again anyway, before a
 * transfer by a child and after a new open. */
struct fds_pool {
    struct fds_description *all; /* by number - 1 */
    uint32_t n, capacity, first_free;
    uint64_t effort;    /* so far */
    uint64_t n_serials; /* given so far */
};

/* One open descriptor. */
struct fds_slot {
    uint32_t key; /* descriptor + 1; 0 empty */
    uint32_t description;
    uint32_t opener; /* the caller's; 0 where it was not opened in this image */
};

/* One image's. Zero it to begin. */
struct fds {
    struct fds_slot *slots; /* open addressing, at most half full */
    uint32_t n_slots, n_used;
};

static inline struct fds_description *fds_description(const struct fds_pool *pool, uint32_t number)
{
    return &pool->all[number - 1];
}

/* The slot of a descriptor, NULL where it is not open. Valid until the next change. */
struct fds_slot *fds_find(const struct fds *fds, int32_t fd);

/* Open `fd`, which is not open, to a new description. Returns 0 and its number; 0 and number 0 where the
 * table is full or fd below 0; or -ENOMEM. */
int fds_open(struct fds *fds, struct fds_pool *pool, int32_t fd, uint32_t opener,
             uint32_t *description_out);

/* Open `fd`, which is not open, to a description that others lead to. The same results. */
int fds_share(struct fds *fds, struct fds_pool *pool, int32_t fd, const struct fds_slot *with);

/* Close the first open descriptor in first..last that is found. Returns whether there was one, and whose
 * it was; its description may be gone. Begin with *at 0 and call again until false. */
bool fds_close_next(struct fds *fds, struct fds_pool *pool, uint32_t first, uint32_t last,
                    uint32_t *at, struct fds_slot *closed_out);

/* Fill an empty table with all that another one has, without openers; with nothing after too much effort.
 * Returns 0 or -ENOMEM. */
int fds_copy(struct fds *fds, struct fds_pool *pool, const struct fds *from);

/* Close everything. */
void fds_fini(struct fds *fds, struct fds_pool *pool);
void fds_pool_fini(struct fds_pool *pool);

#endif
