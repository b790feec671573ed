/* SPDX-License-Identifier: MIT */
/* What is handed to heapwise-replayer: a file of operations, one list a thread, and what comes back.
 *
 *   ops_head | threads[n_threads] | rows[n_rows] | epochs[n_epochs] | chunks of ops ...
 *
 * The head and the tables are written last, before the file is handed over; `*_at` are offsets in bytes.
 * A thread's list is a chain of chunks: the last op of each is OPS_JUMP to the next one or OPS_END.
 *
 * Order between threads is kept where it can matter:
 *   blocks   each op on a slot adds one to the slot's turn; an op on a slot that another thread used last
 *            comes after an OPS_WAIT for that turn. A slot is reused for another block by the same rule
 *   threads  a thread is started by the op before its first one (OPS_THREAD in that op's list)
 *   phases   the recorded order is cut into epochs of equal length; a thread begins an epoch when all have
 *            finished the one before the last (OPS_EPOCH), so none runs ahead by more than two of them
 * Every wait is for an op that was recorded earlier, so no ring of waits can close. */
#ifndef HEAPWISE_REPLAY_OPS_H
#define HEAPWISE_REPLAY_OPS_H

#include <stdint.h>

#define OPS_MAGIC UINT64_C(0x3173706f5f776870) /* "phw_ops1" */

enum ops_limits {
    OPS_MAX_ROWS = 1024,    /* of a plan */
    OPS_MAX_ALIGNMENT = 30, /* log2: 1 GiB */
    OPS_CHUNK_MAX = 4096,   /* ops, 64 KiB */
    OPS_EPOCHS = 256,       /* about so many in a long run */
    OPS_EPOCH_CALLS = 4096, /* calls of an epoch at least */
    OPS_MODULE_BYTES = 256, /* of a path that comes back */
};

enum ops_kind {
    OPS_MALLOC,
    OPS_CALLOC,
    OPS_ALIGNED,
    OPS_RESIZE,
    OPS_RELEASE,
    OPS_N_CALLS,
    OPS_WAIT = OPS_N_CALLS, /* until the slot's turn is `bytes` */
    OPS_THREAD,             /* start thread `slot` */
    OPS_EPOCH,              /* epoch `bytes` begins for this thread */
    OPS_GROW, /* before an acquisition: its block takes the place of that in `slot`, if not 0 */
    OPS_JUMP, /* go on with `slot` ops at offset `bytes` */
    OPS_END,
    OPS_N_KINDS,
};

enum ops_flags {
    OPS_ALIGNMENT_MASK = 31, /* log2 of what was asked for */
    OPS_PEAK = 64,           /* live bytes are at their highest after it */
    OPS_MOVED = 128,         /* release: of a block whose place another one took (OPS_GROW) */
};

struct ops_op {
    uint64_t bytes;
    uint32_t slot; /* from 1 */
    uint16_t row;  /* of the plan, from 1, that the block's site has; 0 none */
    uint8_t kind;  /* ops_kind */
    uint8_t flags;
};
_Static_assert(sizeof(struct ops_op) == 16, "ops are read by the million");

struct ops_thread {
    uint64_t first_at;     /* its first chunk */
    uint32_t n_first;      /* ops in it; 0: the list is empty */
    uint32_t is_unstarted; /* no OPS_THREAD names it: to be started at once */
};

/* How a row's blocks are served; the meaning of the numbers is that of struct replay_plan_row. */
struct ops_row {
    uint8_t technique;                  /* replay_technique */
    uint8_t is_shared;                  /* the plan wants one for all threads */
    uint8_t is_met_by_several, crosses; /* threads ask for its blocks; take those of others */
    uint32_t n_threads;                 /* that ask */
    uint16_t group;                     /* arenas: rows of one number share one */
    uint64_t bytes, slots;
};

struct ops_head {
    uint64_t magic;
    uint32_t n_threads, n_slots, n_rows,
        n_epochs;                            /* thread 0 is the main one, also where it has no op */
    uint64_t threads_at, rows_at, epochs_at; /* epochs: uint32_t, how many threads take part */
    uint64_t n_calls[OPS_N_CALLS];
    uint64_t sample_every; /* one call in so many is timed by itself */
};

/* ---- what comes back, through a pipe ---- */

/* Calls that were timed one by one. */
struct ops_samples {
    uint64_t n, cycles;
};

enum ops_call_class { OPS_ACQUIRES, OPS_RESIZES, OPS_RELEASES, OPS_N_CLASSES };

struct ops_row_figures {
    uint64_t n_served, n_overflowed; /* acquisitions and resizes, by the technique or past it */
    uint64_t n_releases;
    struct ops_samples samples[OPS_N_CLASSES];
};

/* Bytes without what the replayer itself holds. */
struct ops_figures {
    uint64_t magic;
    uint64_t n_calls[OPS_N_CALLS];
    uint64_t n_failed;  /* calls that gave no memory */
    uint64_t cpu_ns;    /* of all threads, without waiting */
    uint64_t kernel_ns; /* about: of that, in the kernel, waiting not left out */
    uint64_t wall_ns;
    uint64_t faults;
    uint64_t peak_rss_bytes;
    uint64_t rss_at_peak_bytes, live_at_peak_bytes; /* when live bytes were highest */
    uint64_t tsc_hz;
    struct ops_samples samples[OPS_N_CLASSES];
    char module[OPS_MODULE_BYTES]; /* whose malloc it was */
};

/* Then as many ops_row_figures as the head has rows, plus one before them for calls of no row. */

#endif
