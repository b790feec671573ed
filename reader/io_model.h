/* SPDX-License-Identifier: MIT */
/* What is known of input and output while a trace is read.
 *
 *   file    a path, pipe:[..], socket:[..]; all descriptors that led to it, of all processes
 *   site    one stack of one process that made one kind of call
 *   opener  one stack of one process that opens descriptors
 *
 * Numbered from 1 in the order they are met; 0 is none. All of it is O(sites + files + descriptors +
 * threads), and files stop at MODEL_MAX_IO_FILES: the rest share one row. A few bytes of a trace may stand
 * for a long name or for a further range of a file, so those have limits of their own. */
#ifndef HEAPWISE_READER_IO_MODEL_H
#define HEAPWISE_READER_IO_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/covered.h"
#include "reader/fds.h"
#include "reader/histogram.h"
#include "reader/idmap.h"
#include "reader/profile.h"
#include "trace/record.h"

enum model_io_limits {
    MODEL_MAX_IO_FILES = 1 << 18,
    MODEL_MAX_IO_NAME_BYTES = 64 << 20, /* of their names and of working folders */
    MODEL_MAX_IO_RANGES = 1 << 20,      /* of bytes that were read, in all files: 16 MiB */
    MODEL_MAX_SITE_FILES = 1000,        /* a site that used more is said to have used so many */
};

struct model_io_site {
    uint32_t process, node;
    uint32_t next_of_stack; /* the same stack with another call or layer */
    uint8_t op, layer;      /* io_op, io_layer */
    uint32_t file;          /* the first one; `files` has them all once there are two */
    struct idmap files, threads;
    uint64_t calls, bytes, ticks, logical_calls;
    uint64_t failed, would_block, interrupted, short_calls, empty;
    struct io_pattern pattern;
    uint64_t heap_calls, fresh_calls, single_calls, copied_calls, copied_bytes;
    struct histogram sizes, latency_ticks;
};

struct model_io_file {
    uint32_t name;          /* strtab id */
    uint64_t device, inode; /* that the name led to last; 0 not known */
    uint64_t opens, failed_opens, stats;
    uint64_t read_calls, read_bytes, write_calls, write_bytes;
    uint64_t fsyncs, seeks, turns;
    uint64_t ticks, sync_ticks; /* the latter part of the former */
    struct io_pattern pattern;
    struct covered covered;   /* of the file that has the name now */
    uint64_t covered_earlier; /* of those that had it before */
    bool was_read_unknown;    /* at a place that is not known */
    struct histogram read_sizes, write_sizes, latency_ticks;
};

struct model_io_opener {
    uint32_t process, node;
    uint32_t next_of_stack;
    uint32_t file; /* the last one */
    uint8_t op;
    uint64_t opens, failed, open_now, max_open;
};

/* One thread of one image, by its number. */
struct model_io_thread {
    uint32_t image;
    int32_t tid;
    uint32_t name; /* strtab id */
    uint64_t calls, ticks, sync_ticks, longest_ticks;
    uint64_t first_ticks, last_ticks; /* that it lived */
    uint64_t read_address, read_end;  /* memory that its last read filled, as far as not written */
    uint64_t read_block;              /* when the block there was allocated; 0 none */
    uint64_t read_serial;             /* of the description it came from; 0 not known */
};

/* What a process did; `ticks` are of transfers and syncs. */
struct model_io_counts {
    uint64_t read_calls, write_calls, read_bytes, write_bytes;
    uint64_t ticks, fsyncs, opens, seeks, stats;
    uint64_t logical_calls; /* of stdio, served by its transfers */
};

/* Reads and writes as the kernel counts them. */
struct model_kernel_counts {
    uint64_t read_calls, write_calls, read_bytes, write_bytes;
};

struct model_kernel_io {
    struct model_kernel_counts seen;   /* by the shim, of those that the kernel counts */
    struct model_kernel_counts loader; /* before the shim was there, in all images */
    struct model_kernel_counts end;    /* of the last image, as late as it could, without its own */
    struct model_kernel_counts own;    /* what recording itself read in that image */
    struct model_kernel_counts exit;   /* with the children it waited for */
    bool has_end, has_exit;
};

struct model_io_slow {
    uint64_t start_ticks, took_ticks, bytes;
    uint32_t thread, file, node;
    uint32_t process;
    uint8_t op;
};

struct io_habits_book;

struct model_io {
    struct fds_pool descriptions;
    struct model_io_site *sites;
    struct model_io_file *files;
    struct model_io_opener *openers;
    struct model_io_thread *threads; /* by number, from 0 */
    uint32_t n_sites, sites_capacity, n_files, files_capacity, n_openers, openers_capacity;
    uint32_t n_threads, threads_capacity;
    uint64_t n_name_bytes; /* of names that input and output brought */
    uint64_t n_ranges;     /* in the files' covered */
    uint32_t other_files;  /* number of the row for files beyond the limit, 0 none yet */
    uint32_t first_folder; /* strtab id: where the command began */
    struct idmap site_by_stack, opener_by_stack; /* process << 32 | node -> first of that stack */
    struct idmap file_by_name;
    struct model_io_slow slow[PROFILE_SLOW_CALLS]; /* a heap, the least slow one first */
    uint32_t n_slow;
    bool was_met;                  /* any record of input and output */
    bool is_off;                   /* input and output were not recorded */
    uint64_t n_rings;              /* of io_uring, whose calls nobody sees */
    uint64_t n_aio;                /* calls that a thread of the C library made for the program */
    struct io_habits_book *habits; /* NULL unless asked for */
};

static inline struct model_io_site *io_site(const struct model_io *io, uint32_t number)
{
    return &io->sites[number - 1];
}
static inline struct model_io_file *io_file(const struct model_io *io, uint32_t number)
{
    return &io->files[number - 1];
}
static inline struct model_io_opener *io_opener(const struct model_io *io, uint32_t number)
{
    return &io->openers[number - 1];
}

void io_model_fini(struct model_io *io);

/* What a site holds of its own; a sum of sites outside of the model has it, too. */
void io_model_site_fini(struct model_io_site *site);

#endif
