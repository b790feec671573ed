/* SPDX-License-Identifier: MIT */
/* What a trace says: everything numeric that a report shows, computed once.
 *
 * profile_load() reads a trace from start to end in bounded memory (live blocks + stacks + sites,
 * never events) and fills one struct profile. Names of metrics are those of docs/METRICS.md; bytes are
 * bytes, times are nanoseconds unless the name says otherwise. report/ and everything after it see
 * a trace only through this header.
 *
 * All arrays and strings belong to the profile and live until profile_free(). Strings are never
 * NULL, may hold any byte but NUL, and come from the traced program: escape them when shown. */
#ifndef HEAPWISE_READER_PROFILE_H
#define HEAPWISE_READER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reader/habits.h"

/* Why a trace could not be read, or from where on. */
struct trace_error {
    uint64_t offset_bytes; /* in the decompressed stream */
    const char *record;    /* name of the record kind, "" where unknown */
    char reason[200];      /* one line, fit to be shown */
};

struct quantiles {
    uint64_t min, p50, p95, p99, max; /* all 0 when n is 0; p* within 1/32 of the true value */
    uint64_t n;
};

/* One row of the vocabulary. For a site, process-wide metrics (rates, mapped) are 0. */
struct metrics {
    uint64_t alloc_count, realloc_count, free_count;
    uint64_t alloc_bytes;
    uint64_t peak_bytes; /* process: its peak; site: its live bytes at its process's peak */
    uint64_t peak_count; /* live blocks at that moment */
    uint64_t leaked_count, leaked_bytes;
    uint64_t temporary_count;
    uint64_t slack_bytes;
    uint64_t copied_bytes;
    uint64_t mapped_bytes, mapped_peak_bytes;
    double alloc_rate, alloc_byte_rate, peak_alloc_rate, peak_alloc_byte_rate;
    uint64_t io_calls, io_read_calls, io_write_calls; /* physical, of any layer */
    uint64_t io_read_bytes, io_write_bytes;
    double io_seconds;    /* inside them and inside the sync calls */
    uint64_t stdio_calls; /* logical */
    uint64_t fsync_count, open_count, seek_count, stat_count;
    uint64_t events, lost_events;
    double duration_seconds;
};

/* What the kernel counted itself (/proc/PID/io), and how much of it was seen call by call. */
struct kernel_io {
    bool known;      /* the kernel's count could be read */
    bool comparable; /* nothing but what `remarks` name can differ */
    uint64_t read_calls, write_calls, read_bytes, write_bytes;
    /* Of those calls the ones that were recorded; calls the kernel does not count (send, recv, ...) left out. */
    uint64_t seen_read_calls, seen_write_calls, seen_read_bytes, seen_write_bytes;
    /* What is known to be missing: the loader's reads before the shim was there, the shim's own. */
    uint64_t loader_read_calls, loader_read_bytes;
};

struct coverage {
    uint64_t events, lost_events;
    uint64_t unknown_frees, inherited_frees;
    uint64_t unattached_processes;
    uint64_t threads, processes;
    uint64_t unwind_fast, unwind_fallback, unwind_truncated;
    struct kernel_io kernel_io;
};

struct profile_frame {
    const char *function; /* demangled; "" where unknown */
    const char *file;     /* "" where unknown */
    const char *module;   /* path; "" where the address lay in no known module */
    uint64_t
        offset; /* of the return address - 1 from the module's link-time base; else the address */
    uint32_t line;   /* 0 where unknown */
    bool inlined;    /* into the frame that follows it */
    bool is_runtime; /* of the C or C++ runtime, or of a header of the system: not the user's own */
    bool
        is_hidden; /* only passes requests on (xmalloc), or matches options.hidden; with habits alone */
};

/* Whose memory a block that was never freed is, for the LEAKS section. */
enum leak_owner {
    LEAK_PROGRAM,    /* the program's own: reported */
    LEAK_RUNTIME,    /* permanent blocks of libc, ld.so, libstdc++: kept apart */
    LEAK_SUPPRESSED, /* matched a suppression of the user's */
};

/* One call stack that allocated; rows of the same stack (also across processes) are one. */
struct site {
    char id[17];       /* 16 hex digits, stable across runs of the same binaries */
    uint32_t n_frames; /* allocator and operator new frames left out; may be 0: no stack known */
    const uint32_t *frames; /* n_frames indices into profile.frames, innermost first */
    uint32_t place; /* index in `frames` of the first frame the user would call his, 0 if none */
    struct metrics metrics;
    struct quantiles sizes, lifetime_ns;
    /* What the allocator took for calls from here, and for freeing the blocks: 1 call in 64 was timed. */
    struct quantiles alloc_call_ns, free_call_ns;
    uint64_t max_live_count, max_live_bytes;
    uint32_t n_threads;
    enum leak_owner leak_owner;
    const struct site_habits *habits; /* reader/habits.h; NULL unless asked for */
    /* Of an entry of profile.places: the call stacks it sums up, as indices into profile.sites, most calls
     * first. Its own frames are those of the first; max_live_* are at most so much where there are several. */
    uint32_t n_stacks;
    const uint32_t *stacks;
    uint32_t n_processes,
        most_threads; /* of an entry of places: whose threads n_threads are, and of
                                         * them the most of one process */
};

/* ---- input and output ---- */

enum io_layer {
    IO_LAYER_SYSCALL, /* the program called read, write, ... itself */
    IO_LAYER_STDIO,   /* stdio did, for the caller named */
};

/* Where calls put their bytes, counted per descriptor position: right behind the last one, further on, else. */
struct io_pattern {
    uint64_t consecutive, strided, random;
};

/* One call stack that made one kind of call; all processes together. Calls are physical. */
struct io_site {
    char id[17]; /* as that of struct site */
    uint32_t n_frames;
    const uint32_t *frames;
    uint32_t place; /* as in struct site; for stdio the first frame outside the C library */
    enum io_layer layer;
    const char *op;   /* the kernel call's name */
    bool reads;       /* counts in io_read_calls */
    bool writes;      /* in io_write_calls; a copy in both, a sync in neither */
    const char *path; /* of the only file concerned; "" where there are several or none */
    uint32_t n_files;
    uint64_t calls, bytes;
    double seconds;
    uint64_t logical_calls;             /* of stdio, that these transfers served */
    struct quantiles sizes, latency_ns; /* bytes per call that moved any; all calls */
    uint64_t failed, would_block, interrupted, short_calls,
        empty; /* EAGAIN, EINTR; less than asked; 0 bytes */
    struct io_pattern pattern;
    uint32_t n_threads;
    /* How the memory it used relates to the heap. */
    uint64_t heap_calls;   /* the buffer lay in a block that was live */
    uint64_t fresh_calls;  /* in one that no call from here had used before */
    uint64_t single_calls; /* in one that was freed before any other call used it */
    uint64_t inner_allocs; /* of stdio: blocks that its functions allocated when called from here */
    uint64_t copied_calls, copied_bytes; /* writes of memory that a read had filled just before */
    const struct io_habits *habits;      /* reader/habits.h; NULL unless asked for */
    /* Of an entry of profile.io_places: what it sums up, as indices into profile.io_sites, most time first. */
    uint32_t n_stacks;
    const uint32_t *stacks;
};

/* One file, pipe, socket: what all descriptors that led to it did. */
struct io_file {
    const char *path; /* or pipe:[..], socket:[..] */
    uint64_t opens, failed_opens, stats;
    uint64_t read_calls, read_bytes, write_calls, write_bytes;
    uint64_t fsyncs, seeks, turns; /* turns: a read after a write or the other way round */
    double seconds, sync_seconds;
    uint64_t
        unique_read_bytes; /* covered at least once; read_bytes above it were read again; 0 unknown */
    struct quantiles read_sizes, write_sizes, latency_ns;
    struct io_pattern pattern;
};

/* One place that opens descriptors. */
struct io_opener {
    uint32_t n_frames;
    const uint32_t *frames;
    uint32_t place;
    const char *op;
    const char *path; /* of the last one; "" for none */
    uint64_t opens, failed, open_at_end, max_open;
};

struct io_slow_call {
    double t_seconds, seconds;
    uint32_t process_id;
    int32_t tid;
    const char *op, *path;
    uint64_t bytes;
    uint32_t n_frames;
    const uint32_t *frames;
    uint32_t place;
};

struct io_thread {
    uint32_t process_id;
    int32_t tid;
    const char *name;
    uint64_t calls;
    double seconds, sync_seconds, longest_seconds, alive_seconds;
};

struct process_image {
    const char *executable;
    uint32_t n_arguments;
    const char *const *arguments;
    const char *build_id; /* of the executable, hex; "" where it has none */
};

struct process {
    uint32_t id;        /* 1 is the command itself; parents come before children */
    uint32_t parent_id; /* 0: none recorded */
    int32_t pid;
    uint32_t n_images; /* last one is the current; earlier ones were replaced by exec */
    const struct process_image *images;
    const char *allocator; /* module that served malloc */
    bool has_status;
    int32_t wait_status;    /* as wait(2) gives it */
    double started_seconds; /* after the command's start */
    struct metrics totals;
    struct coverage coverage;
    uint32_t n_threads;
};

/* One bucket of equal width; values of a process tree are summed. */
struct timeline_point {
    double t_seconds;    /* end of the bucket, from the command's start */
    uint64_t live_bytes; /* highest in the bucket */
    uint64_t alloc_count, alloc_bytes;
    uint64_t
        rss_bytes; /* highest sum of samples in the bucket, carried on when none fell into it */
    uint64_t io_read_bytes, io_write_bytes;
};

/* Allocations by requested size, powers of two: bucket i counts sizes in [lower, upper]. */
struct size_bucket {
    uint64_t lower_bytes, upper_bytes;
    uint64_t alloc_count, alloc_bytes, temporary_count;
    struct quantiles lifetime_ns;
};

struct profile {
    const char *trace_name; /* as given to profile_load */
    const char *started;    /* ISO 8601, UTC; "" where unknown */
    uint32_t n_command;     /* the command as typed */
    const char *const *command;
    const char *kernel, *libc, *cpu, *allocator, *tool_version;
    uint32_t n_cores;
    double duration_seconds;
    bool has_status;
    int32_t wait_status;     /* of the command */
    bool sampled;            /* always false for this recorder */
    uint32_t free_stacks;    /* one free in so many has its stack; 1: all have, 0: none */
    bool truncated;          /* no end mark: the trace was cut */
    struct trace_error cut;  /* where and why, when truncated */
    bool stopped;            /* recording ended before the program */
    const char *stop_reason; /* one line; "" when not stopped */
    double stopped_seconds;
    uint32_t n_remarks;
    const char *const *remarks; /* things worth telling, one line each */
    uint32_t n_marks;
    const char *const
        *marks; /* what the program said by heapwise_mark(), with its time, one line each */

    struct metrics totals;
    struct coverage coverage;
    uint64_t peak_rss_bytes;
    double peak_seconds;                                       /* when peak_bytes was reached */
    uint64_t runtime_leaked_count, runtime_leaked_bytes;       /* part of leaked_*, kept apart */
    uint64_t suppressed_leaked_count, suppressed_leaked_bytes; /* likewise */
    struct quantiles sizes, lifetime_ns;

    uint32_t n_processes;
    const struct process *processes;
    size_t n_sites;
    const struct site *sites; /* by alloc_count + realloc_count, highest first, then by id */
    /* Which of `sites` a site of program_load() is, by its number less one; n_sites: none that is shown. */
    uint32_t n_site_rows;
    const uint32_t *row_of_site;
    size_t n_frames;
    const struct profile_frame *frames;
    size_t n_timeline;
    const struct timeline_point *timeline;
    size_t n_size_buckets;
    const struct size_bucket *size_buckets;
    /* The trace has records of I/O. Where it has none, metrics io_* and their like are unknown, not 0, and
     * the arrays below are empty. */
    bool io_recorded;
    size_t n_io_sites;
    const struct io_site *io_sites; /* by seconds, highest first, then by id */
    size_t n_io_files;
    const struct io_file *io_files; /* by seconds, then path */
    size_t n_io_openers;
    const struct io_opener *io_openers; /* by opens */
    size_t n_io_slow_calls;
    const struct io_slow_call *io_slow_calls; /* the PROFILE_SLOW_CALLS slowest, slowest first */
    size_t n_io_threads;
    const struct io_thread *io_threads; /* by seconds */
    /* Only with options.habits: sites and I/O sites of the same line of the user's code made one, whatever
     * stack led there; `place` is the first frame that is neither runtime nor hidden. Ordered alike. */
    size_t n_places;
    const struct site *places;
    size_t n_io_places;
    const struct io_site *io_places;
    const uint32_t *io_place_of; /* by index in io_sites: the index of its entry in io_places */
    size_t n_path_sites;
    const struct path_site *path_sites; /* by calls; only with options.habits */
};

enum profile_limits { PROFILE_SLOW_CALLS = 20 };

struct profile_options {
    uint32_t process_id;      /* 0: all; else only this one's numbers (contract's `id`) */
    const char *suppressions; /* path of an LSan-style file, NULL for none */
    bool no_builtin_suppressions;
    bool no_symbols; /* leave names out: faster, for totals only */
    bool habits;     /* gather what findings need: reader/habits.h */
    /* With habits: patterns of fnmatch(3) of functions and base names of modules that are no place. */
    const char *const *hidden;
    size_t n_hidden;
};

/* Read the trace at `path` ("-": standard input).
 *
 * A trace that is cut, or broken from some point on, gives a profile of what came before, with
 * `truncated` set and `cut` filled in. Returns 0 and a profile to free; -errno when the file cannot
 * be read; -EBADMSG when it is no trace; -EPROTONOSUPPORT when its major version is newer; -ENOENT
 * with `record` "process" when options.process_id is not in it; -EINVAL with `record` "suppressions" when
 * that file cannot be used. error_out is filled in whenever the result is not 0.
 * Cost: O(events); memory O(live blocks + stacks + sites + processes). */
int profile_load(const char *path, const struct profile_options *options,
                 struct profile **profile_out, struct trace_error *error_out);

void profile_free(struct profile *profile);

#endif
