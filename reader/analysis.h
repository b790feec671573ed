/* SPDX-License-Identifier: MIT */
/* What is made of the model once a trace is read: one function per part of a profile, run in the
 * order of the table in analysis.c. Each fills its fields of `profile` and returns 0 or -errno. */
#ifndef HEAPWISE_READER_ANALYSIS_H
#define HEAPWISE_READER_ANALYSIS_H

#include "reader/model.h"
#include "reader/naming.h"
#include "reader/profile.h"
#include "reader/suppress.h"

/* Which entries of profile.frames a node of the tree stands for. */
struct analysis_node {
    uint32_t first_frame, n_frames; /* n_frames 0: not needed by any site */
};

struct analysis {
    struct model *model;
    struct naming *names;
    struct storage *storage;
    const struct profile_options *options;
    const struct suppressions *suppressions, *runtime; /* the user's; the built-in ones */
    double ns_per_tick;
    struct profile *profile;
    /* Made by the analyses for those after them; released by analysis_run(). */
    struct analysis_node *nodes;  /* by id - 1 */
    struct profile_frame *frames; /* profile.frames while it grows */
    uint32_t n_frames, frames_capacity;
    uint32_t peak_process; /* the one whose peak the profile shows; 0 none */
};

/* Run all analyses. 0 or -ENOMEM. */
int analysis_run(struct analysis *analysis);

int frames_analyse(struct analysis *analysis); /* names of all frames */
int totals_analyse(struct analysis *analysis); /* processes, totals, coverage */
int rows_analyse(
    struct analysis *analysis); /* sites: counts, peak, temporary, lifetimes, sizes, threads */
int leaks_analyse(struct analysis *analysis); /* whose the leaks are */
int timeline_analyse(struct analysis *analysis);
int sizes_analyse(struct analysis *analysis);
int remarks_analyse(struct analysis *analysis); /* losses, processes not recorded, anything odd */

/* The path, build-id and offset of a node: strtab ids. */
struct analysis_place {
    uint32_t object, path, build_id;
    uint64_t offset;
};
struct analysis_place analysis_place(const struct analysis *analysis, uint32_t node);

#endif
