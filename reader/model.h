/* SPDX-License-Identifier: MIT */
/* What is known while a trace is read: images, processes, threads, and what each call site did.
 *
 *   image    one program in one process, from its first record to exec or exit: live blocks, modules
 *   process  one pid's life: its images one after the other, and its numbers
 *   thread   one thread of one image; its main and its signal stream share it
 *   site     one stack of one process, and its numbers
 *
 * Images, processes, streams and sites are numbered from 1 in the order they are met; 0 is none.
 * Everything here is O(live blocks + stacks + sites + processes + threads). */
#ifndef HEAPWISE_READER_MODEL_H
#define HEAPWISE_READER_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/addrset.h"
#include "reader/batch.h"
#include "reader/storage.h"
#include "reader/habits_model.h"
#include "reader/histogram.h"
#include "reader/idmap.h"
#include "reader/io_joins.h"
#include "reader/io_model.h"
#include "reader/mapped.h"
#include "reader/modmap.h"
#include "reader/pairing.h"
#include "reader/rates.h"
#include "reader/stacks.h"
#include "reader/strtab.h"
#include "reader/timeline.h"
#include "trace/record.h"

enum model_limits {
    MODEL_MAX_SNAPSHOTS = 64, /* of one image, not yet claimed by a forked child; oldest go */
    MODEL_N_OCTAVES = 49,     /* sizes 0, 1, 2-3, 4-7, ... */
    MODEL_MAX_REMARKS = 100,
    MODEL_MAX_MARKS = 100,
    MODEL_N_REASONS = 8, /* of losses and of unattached processes, by number */
};

struct model;

/* In the order of use: an event touches the first two cache lines and one of the histograms. */
struct model_site {
    uint64_t alloc_count, realloc_count, free_count, alloc_bytes;
    uint64_t temporary_count;
    uint64_t live_count, live_bytes, live_slack_bytes;
    uint64_t
        seen_serial; /* of the process's peak; peak_* hold for it, or live_* where it differs */
    uint64_t max_live_count, max_live_bytes;
    uint32_t process, node;
    uint64_t peak_count, peak_bytes, peak_slack_bytes;
    struct histogram sizes, lifetime_ticks;
    struct idmap threads; /* numbers of the threads that allocated here */
    struct histogram alloc_call_cycles,
        free_call_cycles; /* of the allocator's calls that were timed */
    uint64_t copied_bytes;
    uint32_t next_of_process;
    uint32_t first_freeing;    /* of model.freeings; chained by next_of_site */
    uint64_t freed_seen_count; /* of free_count, those whose stack is known; with freeings only */
};

/* Blocks of a site that one stack freed (freed_at.h). */
struct model_freeing {
    uint64_t count;
    uint32_t site, node;
    uint32_t next_of_site; /* number; 0 none */
};

struct model_freeings {
    struct model_freeing *rows;
    uint32_t n, capacity;
    struct idmap by_pair; /* site and node -> number */
};

struct model_process {
    int32_t pid;
    uint64_t start_clock_ticks;
    uint32_t parent; /* process, smaller than this one's number, or 0 */
    uint32_t image;  /* the current one, 0 for the root before it attached */
    uint32_t n_images;
    uint32_t first_site; /* chained by next_of_process */
    bool ended;
    bool has_status;
    int32_t wait_status;
    uint64_t first_ticks, last_ticks; /* seen; last is the end once `ended` */
    /* Of these, what sites count as well is added by model_finish(). */
    uint64_t alloc_count, realloc_count, free_count, alloc_bytes;
    uint64_t temporary_count, copied_bytes;
    uint64_t events, unknown_frees, inherited_frees, missed_releases;
    uint64_t live_count, live_bytes, live_slack_bytes;
    uint64_t peak_serial, peak_count, peak_bytes, peak_slack_bytes, peak_ticks;
    uint64_t mapped_bytes, mapped_peak_bytes;
    uint64_t rss_bytes;
    struct rates rates; /* steps counted from the model's start */
    struct model_io_counts io;
    struct model_kernel_io kernel_io;
};

/* What a parent had when it was about to fork. */
struct model_snapshot {
    struct model_snapshot *next;
    uint32_t fork_id;
    struct addrset addresses; /* of live blocks */
    struct fds fds;
    uint32_t folder;
};

struct model_image {
    struct model *model;
    uint32_t number, process; /* process 0 until its first stamped record */
    uint32_t next_of_process; /* the image before this one */
    int32_t pid;
    uint32_t n_threads; /* main streams */
    uint64_t n_lost, n_fast, n_fallback, n_truncated, n_stdio_calls;
    const char *executable, *allocator;
    uint32_t n_arguments;
    const char **arguments;
    struct pairing_sink sink;
    struct pairing pairing;
    struct modmap modules;
    struct mapped mapped;
    struct addrset inherited;
    struct fds fds;         /* open now, as far as known */
    struct fds before_exec; /* open in the image before this one: what it may have kept */
    struct io_joins joins;
    struct live grown; /* live blocks that took the place of smaller ones: growing.c */
    uint32_t folder;   /* strtab id of the working folder, 0 not known */
    struct model_snapshot *snapshots; /* newest first */
    uint32_t n_snapshots;
};

/* A stream's stack node as it came, and what it was found to be. */
struct model_node {
    uint64_t return_address;
    uint32_t parent; /* stream's id, smaller than its own */
    uint32_t node;   /* stacks id, valid while `generation` is the module map's plus 1 */
    uint32_t site;   /* likewise; 0 not looked up yet */
    uint32_t generation;
};

/* A resize between its begin and its end. */
struct model_resize {
    bool active, found, inherited;
    uint64_t token, address, ticks;
    struct block block; /* when found */
    uint64_t steps;     /* of growth that led to it, where habits are gathered */
};

struct model_stream {
    uint32_t image, thread;
    struct model_node *nodes; /* by id - 1 */
    uint32_t n_nodes, capacity;
    uint32_t unknown_site; /* for stack 0, once looked up */
    struct model_resize resize;
    struct mapped_cut cut; /* of the last unmap or remap begin */
    uint64_t cut_bytes;    /* length that call named */
    uint32_t
        timed_sites[2]; /* by trace_timed_call: whose block the last such call was about, or 0 */
};

struct model_octave {
    uint64_t alloc_count, alloc_bytes, temporary_count;
    struct histogram lifetime_ticks;
};

struct model {
    struct storage *storage;
    struct program *program; /* reader/program.h; NULL where a profile is made */
    struct strtab texts;
    struct stacks stacks;
    struct model_site *sites;
    struct model_process *processes;
    struct model_image **images;
    struct model_stream *streams; /* [0] is the collector's own and unused */
    uint64_t *last_address;       /* by thread & LIVE_THREAD_MASK: its last allocation, 0 none */
    uint32_t n_sites, sites_capacity, n_processes, processes_capacity;
    uint32_t n_images, images_capacity, n_streams, streams_capacity;
    uint32_t n_threads, threads_capacity;
    struct idmap image_by_id, process_by_pid, thread_by_tid, site_by_stack;
    uint32_t *scratch; /* ids of one stack while it is resolved; TRACE_MAX_DEPTH of them */
    uint64_t now_ticks, start_ticks, last_token;
    uint32_t only_process; /* 0: all */
    uint64_t rss_bytes;    /* of the processes shown, now */
    uint64_t peak_rss_bytes;
    uint64_t n_lost_unplaced; /* losses of no stream */
    uint64_t n_lost_by_reason[MODEL_N_REASONS], n_unattached_by_reason[MODEL_N_REASONS];
    struct model_octave octaves[MODEL_N_OCTAVES];
    struct timeline timeline;
    struct model_io io;
    struct model_habits habits;
    struct model_freeings freeings;
    const char *remarks[MODEL_MAX_REMARKS];
    uint32_t n_remarks;
    struct model_mark {
        uint64_t ticks;
        const char *text;
    } marks[MODEL_MAX_MARKS]; /* by heapwise_mark(), in order of time */
    uint32_t n_marks;
    bool stopped;
    uint32_t stop_reason;
    uint64_t stopped_ticks;
};

static inline struct model_site *model_site(struct model *model, uint32_t number)
{
    return &model->sites[number - 1];
}

static inline struct model_process *model_process(const struct model *model, uint32_t number)
{
    return &model->processes[number - 1];
}

static inline struct model_image *model_image(const struct model *model, uint32_t number)
{
    return model->images[number - 1];
}

/* Of a site, of a thread; only where habits are gathered. */
static inline struct model_site_habits *model_site_habits(const struct model *model,
                                                          uint32_t number)
{
    return &model->habits.sites[number - 1];
}

static inline struct model_thread_habits *model_thread_habits(const struct model *model,
                                                              uint32_t thread)
{
    return &model->habits.threads[thread & LIVE_THREAD_MASK];
}

/* Whether a process's numbers are asked for. */
static inline bool model_shows(const struct model *model, uint32_t process)
{
    return model->only_process == 0 || model->only_process == process;
}

/* A reason as a place in the arrays by reason; those of newer versions share place 0. */
static inline uint32_t model_reason(uint32_t reason)
{
    return reason < MODEL_N_REASONS ? reason : 0;
}

/* Begin. `storage` keeps the texts. Returns 0 or -ENOMEM. */
int model_init(struct model *model, struct storage *storage);
void model_fini(struct model *model);

/* What a site holds of its own; a sum of sites outside of the model has it, too. */
void model_site_fini(struct model_site *site);

/* Time begins at `ticks`; the timeline's buckets are `width_ticks` wide at first. 0 or -ENOMEM. */
int model_set_start(struct model *model, uint64_t start_ticks, uint64_t width_ticks);

/* A stream begins (TRACE_STREAM); streams come as sequence_send() numbers them. 0 or -ENOMEM. */
int model_add_stream(struct model *model, const struct record *record);

/* Time goes on. */
static inline void model_advance(struct model *model, uint64_t ticks)
{
    if (ticks > model->now_ticks)
        model->now_ticks = ticks;
    timeline_advance(&model->timeline, model->now_ticks);
}

/* The process was seen at `ticks`. */
static inline void model_process_alive(struct model_process *process, uint64_t ticks)
{
    if (!process->ended && ticks > process->last_ticks)
        process->last_ticks = ticks;
}

/* What is not an EVENT_SHORT (events_apply() is for those), in the merged order; stream 0 for the
 * collector's. 0 or -ENOMEM. */
int model_record(struct model *model, uint32_t stream, const struct record *record);

/* A stream is over and its memory may go. */
int model_stream_over(struct model *model, uint32_t stream);

/* Everything was read: settle what still waits. 0 or -ENOMEM. */
int model_finish(struct model *model);

/* Keep a line worth telling, each once and MODEL_MAX_REMARKS at most. 0 or -ENOMEM. */
int model_remark(struct model *model, const char *line);

#endif
