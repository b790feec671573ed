/* SPDX-License-Identifier: MIT */
/* The replayer: does the operations of a file (replay/ops.h) in a process of its own, whose malloc is the
 * one to be measured, and writes figures into a pipe.
 *
 * What it needs itself it maps before it begins, without ever calling malloc, and leaves out of its
 * figures. Only starting a thread asks the allocator for something that was not recorded here: glibc's
 * one block for thread-local storage. */
#ifndef HEAPWISE_REPLAY_PLAYER_H
#define HEAPWISE_REPLAY_PLAYER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "replay/ops.h"
#include "replay/plan.h"

struct row_local;

/* Where a block lies. Ops on a slot follow each other in time: the fields need no lock. */
struct player_slot {
    uint8_t *block;
    uint64_t bytes;
    union {
        uint64_t capacity_bytes; /* REPLAY_RESERVE: how far it may grow */
        struct row_local *from;  /* REPLAY_REUSE, REPLAY_ARENA: whose it is */
    };
    _Atomic uint32_t turn; /* ops done on it */
    uint8_t holder;        /* replay_technique that served it; REPLAY_NONE: the allocator */
    bool is_moved;         /* another slot has its block now */
};
_Static_assert(sizeof(struct player_slot) == 32, "there is one for each live block");

/* Memory of a row that is given out without the allocator: one thread's, or all threads'. */
struct row_local {
    void *free_blocks;          /* pools: chained */
    uint8_t *base, *next, *end; /* what it was given; up to where it was given out */
    _Atomic uint64_t n_live;    /* arenas: blocks given out */
    uint8_t *kept;              /* REPLAY_REUSE: its block */
    uint64_t kept_bytes;
    _Atomic bool is_busy; /* that is given out */
};
_Static_assert(sizeof(struct row_local) == 64, "threads write into theirs at every op");

/* What a row has in common for all threads. */
struct row_state {
    struct ops_row row;
    uint32_t group;      /* index of the row whose memory is used: its own, or the group's first */
    uint8_t *base, *end; /* memory for its blocks; NULL where the technique has none */
    _Atomic(uint8_t *) next; /* up to where threads took their part */
    struct row_local common; /* where it is shared */
    atomic_flag is_locked;
    bool needs_lock, crosses;
    bool is_on;     /* the technique is in use */
    bool is_lone;   /* pool, arena or stack of which a thread has its own, touched by no other */
    uint64_t grain; /* size of a pool's objects, rounded up */
};

struct player;

/* In cache lines of its own: threads write into theirs at every op. */
struct player_thread {
    _Alignas(64) struct player *player;
    const struct ops_thread *list;
    struct ops_op *ops; /* room for player.n_buffered */
    struct row_local *locals;
    struct ops_row_figures *figures; /* by row, [0] for calls of none */
    _Atomic int64_t live_bytes;      /* written by this thread alone; may fall below 0 */
    uint64_t n_calls[OPS_N_CALLS], n_failed;
    uint64_t cpu_ns, excluded_ns; /* all; of that, long waits and reading figures */
    uint64_t looking_cycles;      /* of that, short waits */
    uint32_t countdown, random;   /* to the next call that is timed */
    uint8_t *fake;       /* its block in an empty run: apart from other threads', or they would
                                     fight for its cache line */
    uint32_t grown_slot; /* of the OPS_GROW just before */
    uint32_t epoch;      /* it is in, plus 1 */
};

struct player {
    int ops_fd;
    bool is_empty; /* give out nothing: what everything but the allocator costs */
    int64_t row;   /* whose technique is in use; 0 none, -1 all */
    struct ops_head head;
    struct ops_thread *lists;
    struct player_slot *slots; /* by number */
    struct player_thread *threads;
    struct row_state *rows;   /* by number less one */
    _Atomic uint32_t *epochs; /* threads that have yet to finish it */
    _Atomic uint32_t n_done_epochs, n_running;
    uint32_t n_buffered;
    uintptr_t touch_base,
        touch_mask;          /* where a touched address leads: to itself, or into a small region */
    uint8_t *fakes;          /* the region that an empty run touches; NULL in others */
    uint64_t too_many_bytes; /* for any block: an empty run would touch it, page by page */
    uint64_t timing_cycles;  /* what timing a call adds to it */
    uint64_t base_rss_bytes;
    struct ops_figures figures; /* rss_at_peak, live_at_peak: by the thread that meets OPS_PEAK */
};

static inline uint64_t player_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- player_thread.c ---- */

/* Do a thread's list to its end. */
void player_play(struct player_thread *thread);

/* ---- player_call.c ---- */

/* Do one of OPS_MALLOC ... OPS_RELEASE, touch its block, pass the slot on. */
void player_call(struct player_thread *thread, const struct ops_op *op);

/* Find out what timing a call adds to it. */
uint64_t player_timing_cycles(void);

/* ---- player_store.c ---- */

/* Map what the techniques in use need. What cannot be mapped is taken for full. */
void player_stores_init(struct player *player);

/* Take a block of the row's pool, places or arena into the slot: its `block`, and `from` for an arena.
 * False where it does not fit, or all is given out. */
bool player_store_take(struct player_thread *thread, uint16_t row, uint64_t n_bytes,
                       struct player_slot *slot);

/* Give it back. */
void player_store_give(struct player_thread *thread, uint16_t row, const struct player_slot *slot);

/* ---- player_rows.c ---- */

static inline bool player_row_is_on(const struct player *player, uint16_t row)
{
    return row && player->rows[row - 1].is_on;
}

/* Serve a call by its row's technique, if it can. False or PLAYER_LEFT: leave it to the allocator. A block
 * that outgrew its place has PLAYER_MOVED to the allocator. */
bool player_row_acquire(struct player_thread *thread, const struct ops_op *op,
                        struct player_slot *slot);
enum player_resized { PLAYER_LEFT, PLAYER_SERVED, PLAYER_MOVED, PLAYER_NO_MEMORY };
enum player_resized player_row_resize(struct player_thread *thread, const struct ops_op *op,
                                      struct player_slot *slot);

/* Take back a block whose holder is not the allocator, or that moved. */
void player_row_release(struct player_thread *thread, const struct ops_op *op,
                        struct player_slot *slot);

/* ---- player_memory.c ---- */

/* Zeroed memory, resident from the start. NULL: none. */
void *player_map(size_t n_bytes);

/* Anonymous memory that is resident now: exact, by a walk over the page tables. */
uint64_t player_rss_bytes(void);

/* Let the peak begin anew, now. */
void player_reset_peak(void);

/* The highest since, of anonymous memory: the kernel's figure, less the program's files. */
uint64_t player_peak_rss_bytes(void);

/* Do not let a trace ask for more than the machine has. Returns what is too much for any block. */
uint64_t player_limit_memory(void);

#endif
