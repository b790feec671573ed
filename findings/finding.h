/* SPDX-License-Identifier: MIT */
/* What a finding is: a rule that fired at a place, with its evidence, what to change, and what that saves.
 *
 * Names and meanings are those of the schema heapwise-findings/1. Everything a finding points at belongs to
 * its struct findings or to the profile, which must outlive it. Texts hold names of the traced
 * program: escape them when shown. */
#ifndef HEAPWISE_FINDINGS_FINDING_H
#define HEAPWISE_FINDINGS_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findings/rule.h"
#include "reader/profile.h"

enum finding_limits {
    FINDING_MAX_TEXT_BYTES = 4096, /* of any one field */
    FINDING_MAX_REASONS = 8,
    FINDING_MAX_RELATED = 8,
    FINDING_MAX_PATHS = 8,
    FINDING_PRINT_FRAMES = 5, /* user frames that an id is made of */
};

/* A number that may be unknown. */
struct maybe {
    bool known;
    double value;
};

static inline struct maybe maybe_known(double value)
{
    return (struct maybe){true, value};
}

/* The call stack a finding is about. */
struct finding_place {
    uint32_t n_frames;
    const uint32_t *frames; /* indices into profile.frames, innermost first */
    uint32_t place;         /* index in `frames` of the first frame of the user's own */
};

struct finding_evidence {
    const char *metric, *unit; /* what `value` is: "alloc_count", "allocations" */
    double value;
    uint64_t count; /* events that the finding rests on */
    struct maybe bytes;
    const struct quantiles *sizes; /* NULL: not told */
    bool sampled;                  /* from some events only; told as exact: false */
    const char *threshold;         /* the limits that were exceeded, in words; set by the engine */
    const char *query; /* the command that shows the same numbers; set by the engine if NULL */
    uint32_t n_paths;
    const char *paths[FINDING_MAX_PATHS];
};

struct finding_pool {
    bool known;
    uint64_t object_bytes, max_live, slots;
    enum { POOL_PER_THREAD, POOL_GLOBAL, POOL_PER_REQUEST } scope;
};
struct finding_reserve {
    bool known;
    uint64_t final_bytes, growth_steps, copied_bytes;
};
struct finding_arena {
    bool known;
    uint64_t bytes, blocks;
    double released_together_percent;
};
struct finding_buffer {
    bool known;
    uint64_t bytes, calls_before, calls_after;
};

struct finding_suggestion {
    const char *text; /* plain words with the numbers in them */
    struct finding_pool pool;
    struct finding_reserve reserve;
    struct finding_arena arena;
    struct finding_buffer buffer;
};

/* What the change takes away, each in its own unit; never more than the run had. */
struct finding_saves {
    struct maybe allocations, bytes, peak_bytes, io_calls, io_bytes, seconds;
};

/* What a replay found. */
struct finding_measured {
    bool known;
    const char *by; /* "replay --pools" */
    uint32_t runs;
    struct maybe seconds_before, seconds_after, peak_bytes_before, peak_bytes_after;
};

struct finding {
    const struct rule *rule;
    const char *title; /* "64-byte blocks allocated and freed 120,000 times" */
    struct finding_place place;
    double percentage; /* 0..100 of `whole` */
    enum finding_whole whole;
    double impact; /* 0..100: share of the run's own cost that the change removes */
    enum finding_severity
        floor; /* at least this severe, whatever the share; SEVERITY_INFO: no floor */
    struct finding_evidence evidence;
    struct finding_suggestion suggestion;
    struct finding_saves saves;
    /* What it is about; at most one is set. Equal ones are the same subject. */
    const struct site *site;
    const struct io_site *io_site;
    const struct io_file *io_file;
    const struct io_opener *io_opener;
    const struct path_site *path_site;
    /* Further sites that the same change covers (an arena's), the largest first. */
    const struct site *const *sites;
    uint32_t n_sites;

    /* ---- set by the engine ---- */
    char id[24]; /* rule id, '-', 12 hex digits: stable across runs, rebuilds and threads */
    char stack_print[17]; /* fingerprints of the schema: 16 hex digits */
    char site_print[17];
    enum finding_severity severity;
    double confidence; /* 0..1 */
    uint32_t n_reasons;
    const char *reasons[FINDING_MAX_REASONS]; /* what lowered the confidence */
    double score;                             /* impact x confidence / effort */
    uint32_t rank;                            /* 1 is the first */
    uint32_t n_related;
    const char *related[FINDING_MAX_RELATED]; /* ids of findings about the same blocks or calls */
    const char *verify_command;
    struct finding_measured measured; /* by findings --prove */
};

#endif
