/* SPDX-License-Identifier: MIT */
/* The trace file: where it is created, and how far it may grow.
 *
 * Room is asked for before bytes are produced (trace_file_admit), against three bounds: --max-size, the
 * caller's RLIMIT_FSIZE, and the disk, whose blocks are allocated ahead where the file system can.
 * A part is kept back until trace_file_release_reserve(), so that a trace that must stop can still be
 * ended properly. One thread only. */
#ifndef HEAPWISE_COLLECTOR_TRACE_FILE_H
#define HEAPWISE_COLLECTOR_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace_format.h"

struct trace_file_limits {
    uint64_t max_bytes;        /* --max-size; UINT64_MAX for none */
    uint64_t file_limit_bytes; /* the caller's RLIMIT_FSIZE; UINT64_MAX for none */
};

struct trace_file {
    int fd;                   /* -1 while closed */
    int folder_fd;            /* where it lies, if it may be replaced there; else -1 */
    bool regular;             /* may be truncated */
    bool created;             /* was not there before, so it goes when nothing was recorded */
    bool allocates;           /* blocks are allocated ahead */
    uint64_t n_bytes;         /* written so far */
    uint64_t n_whole_bytes;   /* of them up to the last trace_file_mark_whole() */
    uint64_t allocated_bytes; /* up to where blocks are known to be there */
    uint64_t reserve_bytes;   /* kept back */
    struct trace_file_limits limits;
};

/* Create `path` with mode 0600 and take the reserve.
 *
 * What is there already is written anew where the user chose the name; it keeps its mode, and a link
 * is followed. A name of our making others can guess: whatever they put there is removed first, and
 * never opened. Returns 0, or a negative errno: what open(2) or unlink(2) says, -ENOSPC or -EDQUOT
 * where not even the reserve is to be had, -EFBIG where a limit leaves no room for any trace. */
int trace_file_open(struct trace_file *file, const char *path, bool chosen,
                    const struct trace_file_limits *limits);

/* Close a trace of nothing: remove the file if it was created, else leave it empty. */
void trace_file_discard(struct trace_file *file, const char *path);

/* How many bytes there may be room for in all, by limits and disk, as of now. */
uint64_t trace_file_room(const struct trace_file *file);

/* Tell whether a second file beside it would bother nobody: nothing but the disk bounds the file, it is
 * ours alone (created, or found without links to it, other owners and attributes), and four times what is
 * written and `n_more_bytes` is free. Asks the disk. */
bool trace_file_has_plenty(const struct trace_file *file, uint64_t n_more_bytes);

/* Ask whether n more bytes may be written with the reserve still left.
 * Returns 0, or -EFBIG (a limit), -ENOSPC, -EDQUOT, ... (the disk). */
int trace_file_admit(struct trace_file *file, size_t n_bytes);

/* Write all of bytes[0..n). Returns 0 or a negative errno; part may be written then. */
int trace_file_write(struct trace_file *file, const void *bytes, size_t n_bytes);

/* Note that what is written so far stands by itself (a frame ended). */
void trace_file_mark_whole(struct trace_file *file);

/* Cut the file back to the last mark. Returns 0 or a negative errno. */
int trace_file_cut_to_whole(struct trace_file *file);

/* Let the kept-back part be used: all but what end marks need the first time, all of it the second. */
void trace_file_release_reserve(struct trace_file *file);

/* Which trace_stop_reason an error of trace_file_admit() or trace_file_write() stands for. */
enum trace_stop_reason trace_file_stop_reason(const struct trace_file *file, int error);

/* Give back blocks that were allocated ahead, and close. Returns 0 or the negative errno of close. */
int trace_file_close(struct trace_file *file);

#endif
