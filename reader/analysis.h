/* SPDX-License-Identifier: MIT */
/* What is made of the model once a trace is read: one function per part of a profile, run in the
 * order of the table in analysis.c. Each fills its fields of `profile` and returns 0 or -errno. */
#ifndef HEAPWISE_READER_ANALYSIS_H
#define HEAPWISE_READER_ANALYSIS_H

#include "reader/model.h"
#include "reader/naming.h"
#include "reader/profile.h"
#include "reader/suppress.h"

/* The path, build-id and offset of a node: strtab ids. */
struct analysis_place {
    uint32_t object, path, build_id;
    uint64_t offset;
};

/* A place of a module that stacks pass through, and which entries of profile.frames it stands for: a
 * call and what was inlined there, innermost first. Nodes of many stacks share it. */
struct analysis_call {
    struct analysis_place place;
    uint32_t first_frame, n_frames;
};

struct rowstacks;

struct analysis {
    struct model *model;
    struct naming *names;
    struct storage *storage;
    const struct profile_options *options;
    const struct suppressions *suppressions, *runtime; /* the user's; the built-in ones */
    double ns_per_tick, ns_per_cycle;                  /* of times of calls */
    struct profile *profile;
    /* Made by the analyses for those after them; released by analysis_run(). */
    uint32_t *call_of_node;      /* by id - 1: number of its call; 0 not needed by any site */
    struct analysis_call *calls; /* by number - 1 */
    uint32_t n_calls, calls_capacity;
    struct profile_frame *frames; /* profile.frames while it grows */
    uint32_t n_frames, frames_capacity;
    struct rowstacks *rowstacks; /* ids and frames of stacks, for all kinds of rows */
    uint32_t *site_sources;      /* by place in profile.sites: the site that gathered its numbers */
    uint32_t *io_site_sources;   /* likewise of profile.io_sites; both only with habits */
    uint32_t peak_process;       /* the one whose peak the profile shows; 0 none */
};

/* Run all analyses. 0 or -ENOMEM. */
int analysis_run(struct analysis *analysis);

int frames_analyse(struct analysis *analysis);    /* names of all frames */
int rowstacks_analyse(struct analysis *analysis); /* what rows say of their stacks */
int totals_analyse(struct analysis *analysis);    /* processes, totals, coverage */
int rows_analyse(
    struct analysis *analysis); /* sites: counts, peak, temporary, lifetimes, sizes, threads */
int site_places_analyse(
    struct analysis *analysis);                 /* sites of the same line made one, for findings */
int leaks_analyse(struct analysis *analysis);   /* whose the leaks are */
int io_rows_analyse(struct analysis *analysis); /* I/O sites */
int io_places_analyse(struct analysis *analysis);  /* as site_places_analyse */
int path_sites_analyse(struct analysis *analysis); /* calls that name a path; only with habits */
int io_openers_analyse(struct analysis *analysis);
int io_slow_calls_analyse(struct analysis *analysis);
int io_files_analyse(struct analysis *analysis);
int io_threads_analyse(struct analysis *analysis);
int timeline_analyse(struct analysis *analysis);
int sizes_analyse(struct analysis *analysis);
int remarks_analyse(struct analysis *analysis); /* losses, processes not recorded, anything odd */

/* Add a site's distributions and threads to those of another one, or of a zeroed one. 0 or -ENOMEM. */
int rows_join(struct model_site *to, const struct model_site *from);

/* Fill in what a row says of them. */
void rows_describe(const struct analysis *analysis, const struct model_site *source,
                   struct site *site);

/* The number, less one, of the call that a node which a site needs stands for. */
static inline uint32_t analysis_call_at(const struct analysis *analysis, uint32_t node)
{
    return analysis->call_of_node[node - 1] - 1;
}

#endif
