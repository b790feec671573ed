/* SPDX-License-Identifier: MIT */
/* The processes of a run: who is recorded, who lives, who ended how, and how much memory each holds.
 *
 * The collector is the subreaper of everything the command starts, so it is told every end of the
 * command and of orphans; the end of other recorded processes is noticed by their /proc entries.
 * An end is written only after the next drain (tree_write_ends), so that all events of a process
 * precede it. Not thread-safe. */
#ifndef HEAPWISE_COLLECTOR_TREE_H
#define HEAPWISE_COLLECTOR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/compress.h"
#include "trace/record.h"

struct process {
    int pid;
    int statm_fd;      /* -1 where /proc had none to give */
    uint32_t image_id; /* latest; 0 for one that never attached */
    uint64_t start_clock_ticks;
    bool verified;      /* /proc/PID was seen to be it, and not a stranger with that number */
    uint32_t n_slots;   /* claimed by it */
    uint64_t rss_bytes; /* last written */
    bool ended;         /* to be written by tree_write_ends() */
    bool has_status;
    int wait_status;
    bool has_io; /* it was ours to reap, and /proc told */
    struct record_kernel_io io;
    uint64_t ended_ticks;
};

struct tree {
    struct process *processes; /* live or not yet written, in no order */
    size_t n, capacity;
    size_t n_fds_max; /* descriptors that may be kept */
    size_t n_fds;
    uint64_t n_attached; /* processes that ever attached */
    bool foreign;        /* a descendant lived in another pid namespace when last looked */
    uint64_t next_foreign_ns;
    int command_pid;
    bool command_attached;
    bool command_stopped;
    bool command_ended;
    int command_status;
};

/* What the command did since the last call. */
struct tree_news {
    int stop_signal; /* it stopped, last by this signal; 0 if not */
};

void tree_init(struct tree *tree, int command_pid, size_t n_fds_max);
void tree_fini(struct tree *tree);

/* A process attached (again, after exec). Writes the end of an older process with the same pid. */
void tree_attach(struct tree *tree, const struct record_image *image, uint64_t ticks,
                 struct compress *out);

/* A process claimed a slot, or one of its slots was taken back. */
void tree_open_slot(struct tree *tree, int pid);
void tree_close_slot(struct tree *tree, int pid);

/* Tell whether a pid that a recorded process gave as its own may be asked about here: it was seen
 * under that number, or all descendants share our pid namespace. Cost: reads /proc for each
 * descendant, at most every 50 ms. */
bool tree_knows_pid(struct tree *tree, int pid, uint64_t now_ns);

/* Tell whether `pid` is a recorded process that was seen in /proc and has not ended. */
bool tree_is_alive(const struct tree *tree, int pid);

/* The latest image of `pid`, 0 where unknown. */
uint32_t tree_image_of(const struct tree *tree, int pid);

/* Collect wait statuses without blocking, and what the kernel counted of each that ended: reads and writes,
 * with those of the children it had waited for. Returns false once no child is left. */
bool tree_reap(struct tree *tree, uint64_t ticks, struct tree_news *news_out);

/* Read every recorded process's resident size, write those that changed (unless `out` is NULL), and
 * notice who is gone. */
void tree_sample_rss(struct tree *tree, uint64_t ticks, struct compress *out);

/* Write PROCESS_IO, where it is known, and PROCESS_END for those whose end was noticed before the last drain. */
void tree_write_ends(struct tree *tree, struct compress *out);

/* List the living descendants of this process: "12 (name), 13 (name)", foreign bytes replaced by
 * '?'. Returns how many there are; text[0..cap) is always terminated and may end in "...". */
size_t tree_list_alive(char *text, size_t cap);

#endif
