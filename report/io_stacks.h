/* SPDX-License-Identifier: MIT */
/* What does I/O, dressed as call sites, so that trees, orders and names work on it as on allocations.
 *
 * `profile` is a copy of the one given, whose sites are made of its I/O sites, openers or slow calls
 * instead; site i stands for element i of that array of the copy. It borrows everything else, so the
 * original must outlive it. */
#ifndef HEAPWISE_REPORT_IO_STACKS_H
#define HEAPWISE_REPORT_IO_STACKS_H

#include "reader/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct io_stacks {
    struct profile profile;
    struct site *sites;
    struct io_site *io_sites; /* those kept */
};

/* The stack of anything that has frames and a place, as a site without numbers. */
#define IO_STACK(of)                                                                               \
    ((struct site){.n_frames = (of)->n_frames, .frames = (of)->frames, .place = (of)->place})

/* Sites that `keep` wants (NULL: all); their metrics are those of io_metrics_of_site(). Returns 0, with
 * stacks to release, or -ENOMEM. */
int io_stacks_of_sites(const struct profile *profile, bool (*keep)(const struct io_site *site),
                       struct io_stacks *stacks_out);

/* Openers; free_count counts opens, leaked_count those still open at the end. */
int io_stacks_of_openers(const struct profile *profile, struct io_stacks *stacks_out);

/* The slowest calls. */
int io_stacks_of_slow_calls(const struct profile *profile, struct io_stacks *stacks_out);

void io_stacks_fini(struct io_stacks *stacks);

/* The I/O site that a site of io_stacks_of_sites() stands for, and so on. */
const struct io_site *io_stacks_site(const struct profile *profile, const struct site *site);
const struct io_opener *io_stacks_opener(const struct profile *profile, const struct site *site);

#endif
