/* SPDX-License-Identifier: MIT */
/* Who names which paths how often: calls such as stat and open by stack, for reader/habits.h.
 *
 * A site counts each path it names. When there are too many, it follows only those whose hash begins with one more
 * zero bit, a half of them each time, and multiplies their number: which these are does not hang on how often they
 * are named, so the estimate is fair, and within some 2 % for 10,000 of them. */
#ifndef HEAPWISE_READER_PATH_SITES_H
#define HEAPWISE_READER_PATH_SITES_H

#include <stdint.h>

#include "reader/idmap.h"

enum path_sites_limits {
    PATH_SITES_MAX_OF_SITE = 10000,
    PATH_SITES_MAX_PATHS =
        1 << 19, /* of all sites, 32 MiB; beyond, new ones are in `n_unfollowed` */
};

struct path_sites_site {
    uint32_t process, node;
    uint32_t next_of_stack; /* the same stack with another call */
    uint8_t op;
    uint8_t n_zeros; /* that a hash begins with to be followed */
    uint64_t calls, failed, ticks;
    uint64_t n_unfollowed; /* calls whose path is not known, or beyond the bounds */
    struct idmap paths;    /* file -> how often it was named, up to UINT32_MAX */
    uint32_t favourite;    /* the file named most often, as far as followed; 0 none */
    uint64_t favourite_calls;
};

/* Zero it to begin. */
struct path_sites {
    struct path_sites_site *sites;
    uint32_t n_sites, capacity;
    struct idmap by_stack; /* process << 32 | node -> number of the first of that stack */
    uint64_t n_paths;      /* in the sites' tables */
};

struct io_scene;

/* The scene's path_call named `file` (0: not known). Does nothing where habits are not asked for. 0 or
 * -ENOMEM. */
int path_sites_note(const struct io_scene *scene, uint32_t file);

/* Count a path `n` times in a site, if its hash is one that is followed. 0 or -ENOMEM. */
int path_sites_count(struct path_sites_site *site, uint32_t file, uint64_t n);

/* Follow only hashes that begin with so many zero bits. 0 or -ENOMEM. */
int path_sites_thin(struct path_sites_site *site, uint8_t n_zeros);

/* How many different paths a site named; an estimate once n_zeros is not 0. */
uint64_t path_sites_n_paths(const struct path_sites_site *site);

void path_sites_fini(struct path_sites *paths);

#endif
