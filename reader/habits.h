/* SPDX-License-Identifier: MIT */
/* How call sites behave: what findings need to know of them beyond what a report shows.
 *
 * Gathered only when profile_options.habits is set; `habits` of a site is NULL else. Figures are exact
 * where their comment does not say otherwise. Rows of the same stack in several processes are summed;
 * what is "the largest" is that of one process. */
#ifndef HEAPWISE_READER_HABITS_H
#define HEAPWISE_READER_HABITS_H

#include <stdbool.h>
#include <stdint.h>

enum habit_limits {
    HABITS_BURST_BLOCKS =
        32,              /* blocks of one site freed in a row, from which on they are a burst */
    HABITS_EIGHTHS = 8,  /* parts of a process's life that leaks are told apart by */
    HABITS_FREED_AT = 8, /* places of freeing listed for one site, the most frequent ones */
    HABITS_FLEETING_BYTES =
        65536, /* smallest block that is asked whether it can have been written */
};

/* A place that gave a site's blocks back; from those frees whose stack was recorded. */
struct freed_at {
    uint32_t n_frames;
    const uint32_t
        *frames;    /* indices into profile.frames, innermost first; free() itself left out */
    uint32_t place; /* as in struct site */
    uint64_t count;
};

/* Blocks that give way to larger ones: by realloc, or by a new block from the same stack after which the
 * same thread frees the old one (std::vector, std::string, a hand-written copy). */
struct growth {
    uint64_t steps;        /* times a block was replaced by a larger one */
    uint64_t copied_bytes; /* sizes of the blocks replaced, where the new one lay elsewhere */
    uint64_t chains;       /* blocks that ended as the last of at least one step, or live at exit */
    uint64_t final_max_bytes, final_sum_bytes; /* sizes of those last blocks */
    uint64_t longest_steps;                    /* most steps of one chain; 0 where not followed */
};

/* At least HABITS_BURST_BLOCKS blocks of a site that one thread freed one after the other, without
 * allocating in between: of the largest one. */
struct burst {
    uint64_t id; /* of the run of frees: the same for other sites' blocks that died in it; 0 none */
    uint32_t process_id;
    uint64_t count, bytes;
    double first_born_seconds, last_born_seconds, died_seconds; /* from the command's start */
};

struct site_habits {
    uint64_t calloc_count; /* of alloc_count */
    uint64_t aligned_count;
    uint64_t alignment_bytes;                       /* largest that was asked for; 0 none */
    double first_alloc_seconds, last_alloc_seconds; /* from the command's start */
    /* Live blocks of the site that 99.9 % of its allocations made at most; never less, up to 1/32 more. Over
     * the sites of a row as max_live_count. */
    uint64_t slots_999;
    uint64_t freed_elsewhere_count; /* by another thread than the one that allocated */
    uint64_t burst_count, n_bursts; /* blocks that died in bursts; bursts */
    struct burst largest_burst;
    struct growth growth;
    /* Blocks of at least HABITS_FLEETING_BYTES freed sooner than memory can be written: at 64 bytes a
     * nanosecond or, where ticks are not nanoseconds, up to 1/32 more. 0 where not all came from calloc. */
    uint64_t fleeting_count, fleeting_bytes;
    /* Blocks of leaked_count, by when in their process's life they were allocated; without those that were
     * being resized as it ended. */
    uint64_t leaked_born[HABITS_EIGHTHS], leaked_born_bytes[HABITS_EIGHTHS];
    uint64_t freed_seen_count; /* frees whose stack was recorded; free_count where all were */
    uint32_t n_freed_at;
    const struct freed_at *freed_at; /* most frequent first */
};

/* The call on the same open file description just before the one concerned, by the same thread and with no transfer,
 * seek or sync of anybody's between them. */
struct io_before {
    uint64_t count;
    /* The most frequent one; NULL where count is 0. Exact up to four different ones in a process, else whatever makes
     * more than a quarter is found. */
    const struct io_site *site;
};

struct io_habits {
    /* Writes right after a write to the same place's end, by any site; streams have one place. What a short write
     * left over is none. */
    struct io_before adjacent;
    uint64_t adjacent_bytes; /* of those */
    uint64_t
        answer_calls; /* writes right after a read of the same socket or pipe, by whoever is asked */
    /* Reads of a socket or pipe right after a write to it, EAGAIN between them or not; not on connections that were
     * accepted, or read from first and never connected: there the other side asks. */
    struct io_before reply;
    double reply_seconds;                /* that they took */
    uint64_t reply_bytes, request_bytes; /* of the reads; of the writes since the read before */
    uint64_t after_seek_calls; /* transfers at the position that an lseek right before has set */
    uint64_t synced_calls;     /* writes that fsync or fdatasync followed before any other write */
    double synced_seconds;     /* that those syncs took */
    uint64_t backward_calls;   /* transfers that began before the last one's begin */
    uint64_t reread_bytes;     /* read of places that any process had read before; files only */
    uint64_t whole_file_calls; /* reads into a block that in the end held the whole file ... */
    uint64_t whole_file_bytes; /* ... and the bytes of the largest such file; of 256 KiB and more */
    uint64_t
        copied_elsewhere_calls; /* writes of memory just read, where the two descriptors differ */
    uint64_t longest_dry_run; /* most calls in a row on a descriptor that gave EAGAIN or nothing */
    const char *thread;       /* name of the only thread that called; "" for several */
    double longest_seconds;   /* the slowest call */
};

/* Calls that name a path: stat, access, open, ... by one stack. */
struct path_site {
    uint32_t n_frames;
    const uint32_t *frames;
    uint32_t place;
    const char *op;
    const char *path; /* the one named most often, as far as that was followed; "" not known */
    uint64_t calls, failed; /* of all paths */
    uint64_t
        repeated_calls;  /* that named a path which this stack had named before in its process */
    uint64_t path_calls; /* that named `path` */
    uint64_t n_paths;    /* different ones; an estimate above 10,000, as is repeated_calls */
    double seconds;
};

#endif
