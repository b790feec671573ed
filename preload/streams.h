/* SPDX-License-Identifier: MIT */
/* What is remembered of each stream between two of its transfers: how many calls were made on it, and who
 * made the last one.
 *
 * A table of fixed size by the FILE's address. A stream lies in one of the few places after its hash, is put
 * there at its first call and taken out as it is closed; where all these places are taken it is not
 * listed. Each thread keeps the place of the stream it used last, so that a call on it costs a comparison.
 * No lock, async-signal-safe; a call that races with the stream's closing may be lost to the
 * count. */
#ifndef HEAPWISE_PRELOAD_STREAMS_H
#define HEAPWISE_PRELOAD_STREAMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "preload/arch_x86_64.h"

enum {
    STREAMS_BITS = 13,
    STREAMS_MAX = 1 << STREAMS_BITS,
    STREAMS_PLACES = 8, /* that one stream may lie in */
};

struct stream {
    const FILE *_Atomic file;  /* NULL: never used */
    _Atomic uint64_t n_calls;  /* since the last transfer */
    _Atomic uintptr_t last_pc; /* return address of the last of them */
};

/* A place that is no stream's: its file is equal to no address. For threads that used none yet. */
extern struct stream streams_none __attribute__((visibility("hidden")));

/* False once the process may have a second thread. Kept by libc. */
extern char __libc_single_threaded;

/* The stream's place, made where it has none; NULL where it cannot be listed. */
struct stream *streams_place(const FILE *file);

static inline void streams_count(struct stream *stream, uintptr_t pc)
{
    if (__builtin_expect(__libc_single_threaded, 1))
        arch_increment(&stream->n_calls);
    else
        atomic_fetch_add_explicit(&stream->n_calls, 1, memory_order_relaxed);
    atomic_store_explicit(&stream->last_pc, pc, memory_order_relaxed);
}

/* A transfer of `file` took place: the calls since the one before, and who made the last of them; both 0
 * where the stream is not listed. Returns whether it is. */
bool streams_take(const FILE *file, uint64_t *n_calls_out, uintptr_t *last_pc_out);

/* The stream is about to be closed, and its address perhaps given out again. */
void streams_remove(const FILE *file);

#endif
