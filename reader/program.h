/* SPDX-License-Identifier: MIT */
/* What one process asked of its allocator, call by call, in the order it happened: what replay needs.
 *
 * Blocks are told apart by a number that the sink gives them, never by address. Which release ends which
 * block is decided as for a profile (reader/pairing.h), and sites, processes and threads are met in the
 * same order, so numbers here are those of the profile of the same trace. What a profile counts and this
 * list has no call for is counted in `program_counts`. */
#ifndef HEAPWISE_READER_PROGRAM_H
#define HEAPWISE_READER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/batch.h"
#include "reader/pairing.h"
#include "reader/profile.h"

enum program_request_kind { PROGRAM_MALLOC, PROGRAM_CALLOC, PROGRAM_ALIGNED };

/* An acquisition or a resize. */
struct program_request {
    uint64_t size_bytes;
    uint32_t site;   /* numbered from 1: profile.row_of_site */
    uint32_t thread; /* numbered from 0, over all processes */
    bool is_main;    /* that thread is the process's first */
    uint8_t kind;    /* program_request_kind; of a resize PROGRAM_MALLOC, or ALIGNED */
    uint8_t alignment_log2;
};

/* Who gave a block back, and how that is known. */
struct program_release {
    uint32_t thread;
    bool is_main;
    bool
        is_inferred; /* no release was recorded: the address was given out again, or exec took it */
};

/* Where the calls go; each returns 0 or a negative errno that ends the reading. Block numbers are never 0. */
struct program_sink {
    void *context;
    int (*acquire)(void *context, const struct program_request *request, uint64_t *block_out);
    /* The block stays the same one, wherever it lies now. */
    int (*resize)(void *context, const struct program_request *request, uint64_t block);
    int (*release)(void *context, const struct program_release *release, uint64_t block);
    /* Live bytes are at their highest after the last acquisition or resize. */
    void (*peaked)(void *context);
    /* exec: all blocks that live now are gone. */
    int (*replaced)(void *context, const struct program_release *release);
};

/* What the calls leave out or cannot tell. */
struct program_counts {
    uint64_t acquisitions, resizes,
        releases; /* given to the sink; inferred releases not among them */
    uint64_t inferred_releases;
    uint64_t unknown_resizes; /* of a block never seen: given as acquisitions */
    uint64_t
        failed_resizes; /* refused by the allocator, of a size that no record tells: left out */
    uint64_t unknown_releases, inherited_releases; /* left out */
    uint64_t peak_bytes, peak_count;               /* as in the profile's metrics */
};

/* What is gathered while a trace is read. Zero it, then set the first two. */
struct program {
    const struct program_sink *sink;
    uint32_t process_id;
    struct program_counts counts;
    uint64_t live_bytes, live_count;
    struct program_release now; /* whose event is being applied */
    uint32_t main_thread;       /* of the current image; UINT32_MAX where it is not known yet */
    uint32_t image;             /* the process's current one, 0 before its first */
};

/* Read the trace at `path` and give the sink the calls of process program->process_id. Results and errors
 * as those of profile_load(), and what the sink returned; *truncated_out is set where the trace is cut.
 * Standard input cannot be read twice: a profile of it leaves nothing for this. */
int program_load(const char *path, struct program *program, bool *truncated_out,
                 struct trace_error *error_out);

struct model;
struct model_image;

/* For processes.c: where an image's pairing tells what it found. */
struct pairing_sink program_pairing_sink(struct model_image *image);

/* As events_apply(), for a model with a program. */
int program_apply(struct model *model, const struct event *events, uint32_t n,
                  uint32_t *n_done_out);

/* Whether a record that is no EVENT_SHORT can change what the program is given. */
bool program_needs(const struct model *model, const struct event *event);

#endif
