/* SPDX-License-Identifier: MIT */
/* How shim and collector share memory: one session object, a header and then equal slots.
 *
 *   0                    SESSION_HEADER_BYTES        + slot_bytes          + 2 * slot_bytes
 *   | session_header ... | slot 0                    | slot 1              | ...
 *                        | slot_header | main ring | signal ring |
 *
 * The collector creates the object (a memfd; a tmpfs file with --other-users), allocates a slot's
 * pages before it offers the slot, and reads. A shim opens it once per exec through the path in
 * HEAPWISE_SESSION, maps the header, closes the descriptor, and from then on reaches further slots
 * by growing the mapping (mremap of length 0), which needs no descriptor. A slot is one thread's.
 *
 * A ring has one writer. It writes a record, then publishes `head`; on x86-64 plain release stores
 * suffice, so a record that was torn by a kill is never visible. `head` and `tail` count bytes since
 * the slot was claimed; the position in the ring is their value modulo the ring's size (a power of
 * two). A record never wraps: the writer fills the rest of a lap with nil bytes (0xc0).
 *
 * The collector believes nothing it reads here: a target may scribble over its own rings.
 */
#ifndef HEAPWISE_SESSION_LAYOUT_H
#define HEAPWISE_SESSION_LAYOUT_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define SESSION_ENVIRONMENT    "HEAPWISE_SESSION"
#define SESSION_MAGIC          UINT64_C(0x31736e7773697768) /* "hwiswns1" */
#define SESSION_LAYOUT_VERSION 3

enum session_limits {
    SESSION_HEADER_BYTES = 128 * 1024,
    SESSION_MAX_SLOTS = 8192,
    SESSION_PATH_BYTES = 4096,
    SLOT_HEADER_BYTES = 4096,
    SESSION_MAIN_RING_BYTES = 1 << 20, /* default of --buffer */
    SESSION_SIGNAL_RING_BYTES = 1 << 16,
};

enum session_flags {
    SESSION_FREE_STACKS = 1 << 0,
    SESSION_DROP_WHEN_FULL = 1 << 1, /* --on-full drop */
    SESSION_NO_FOLLOW = 1 << 2,
    SESSION_NO_ALLOC = 1 << 3,
    SESSION_NO_IO = 1 << 4,
    SESSION_COUNT_LIVE = 1 << 5, /* keep ring.live_* for the status line */
    SESSION_OTHER_USERS = 1 << 6,
    SESSION_CLOCK_MONOTONIC = 1 << 7, /* ticks are CLOCK_MONOTONIC nanoseconds, not the TSC */
    SESSION_NO_LATENCY = 1 << 8,      /* do not time the allocator */
    SESSION_EXACT_TIMES = 1 << 9,     /* no two events share a reading of the counter */
};

/* A slot's word in the table: state in the low 4 bits, then 30 bits of pid and 30 of tid, so that
 * one compare-and-swap both claims a slot and says for whom. */
enum slot_state {
    SLOT_ABSENT = 0,  /* no memory behind it */
    SLOT_FREE = 1,    /* offered: allocated, zeroed header, nobody's */
    SLOT_CLAIMED = 2, /* a thread's */
};
#define SLOT_WORD(state, pid, tid)                                                                 \
    ((uint64_t)(state) | ((uint64_t)(uint32_t)(pid) << 4) | ((uint64_t)(uint32_t)(tid) << 34))
#define SLOT_STATE(word) ((enum slot_state)((word)&15))
#define SLOT_PID(word)   ((int)(((word) >> 4) & 0x3fffffff))
#define SLOT_TID(word)   ((int)(((word) >> 34) & 0x3fffffff))

struct ring {
    /* Written by the thread only. */
    alignas(64) _Atomic uint64_t head; /* bytes published */
    _Atomic uint32_t in_event;   /* 1 from before a stamp is taken until its record is published */
    _Atomic uint32_t wants_room; /* 1 while the writer waits on tail_word */
    _Atomic uint32_t wants_coarse;      /* 1 while the writer would use coarse_ticks */
    _Atomic uint64_t n_lost[8];         /* events not recorded, by trace_loss_reason */
    _Atomic uint64_t n_fast;            /* stacks taken by the table unwinder alone */
    _Atomic uint64_t n_fallback;        /* stacks that needed the library */
    _Atomic uint64_t n_truncated;       /* stacks cut at --depth or where no table covers a pc */
    _Atomic uint64_t n_stdio_calls;     /* calls of stdio that programs made, with or without I/O */
    _Atomic uint64_t live_gained_bytes; /* usable bytes acquired and released, only with */
    _Atomic uint64_t live_dropped_bytes; /* SESSION_COUNT_LIVE; may lag, never read for results */
    /* Written by the collector only. */
    alignas(64) _Atomic uint64_t tail; /* bytes consumed */
    _Atomic uint32_t tail_word;        /* futex; changes whenever tail moved while wants_room */
};

struct slot_header {
    _Atomic uint32_t ready; /* 1 once all below is filled in and the rings may be read */
    uint32_t image_id;
    int32_t pid;
    int32_t tid;
    _Atomic uint32_t closed; /* 1 once its thread, though alive, will write to it no more */
    struct ring rings[2];    /* 0 main, 1 signal: hooks that interrupted a hook */
};

struct session_header {
    uint64_t magic;
    uint32_t layout_version;
    uint32_t flags;             /* session_flags; constant */
    uint32_t max_depth;         /* frames per stack, at most TRACE_MAX_DEPTH */
    uint32_t n_slots;           /* of the table that may ever be offered */
    uint64_t slot_bytes;        /* stride: header + both rings, whole pages */
    uint64_t main_ring_bytes;   /* power of two */
    uint64_t signal_ring_bytes; /* power of two */
    int32_t collector_pid;
    uint32_t n_filters; /* seccomp filters the collector is under, as in a container; 0 unknown */
    char shim_path[SESSION_PATH_BYTES];    /* as it stands in LD_PRELOAD */
    char session_path[SESSION_PATH_BYTES]; /* as it stands in HEAPWISE_SESSION */

    alignas(64) _Atomic uint32_t recording; /* 1; 0 once the collector stopped writing */
    _Atomic uint32_t wake;                  /* futex the collector sleeps on */
    _Atomic uint32_t asleep;                /* 1 while it does; writers wake it only then */
    _Atomic uint64_t heartbeat;             /* grows with each of the collector's passes */
    /* End of the last pass, in ticks: the time for threads that may not read any clock. Not before
     * the watermark of the next pass, so stamps taken from it keep that promise. */
    _Atomic uint64_t now_ticks;
    /* Held by the collector for life: the kernel sets FUTEX_OWNER_DIED in its word when it dies. */
    pthread_mutex_t alive;

    /* A coarse clock: the time in ticks, stepped about every third of a millisecond while a busy ring wants it; 0
     * while it stands still. Each step is stored with the time just before it. */
    alignas(64) _Atomic uint64_t coarse_ticks;

    alignas(64) _Atomic uint32_t next_image_id; /* counts up from 1 by attaching processes */
    _Atomic uint32_t slots_wanted;              /* threads waiting for a free slot */
    _Atomic uint32_t slots_epoch;               /* futex; changes when slots were offered */
    _Atomic uint32_t free_hint;                 /* where to begin looking for a free slot */
    _Atomic uint64_t n_lost_no_slot;            /* events of threads that never got one */
    _Atomic uint64_t n_unattached[8]; /* exec'd images that cannot be recorded, by reason */

    alignas(64) _Atomic uint64_t slots[SESSION_MAX_SLOTS];
};
_Static_assert(sizeof(struct session_header) <= SESSION_HEADER_BYTES,
               "the header has its own pages");
_Static_assert(sizeof(struct slot_header) <= SLOT_HEADER_BYTES, "so has a slot's");

/* The words of pthread_mutex_t that a shim may look at without calling into libpthread: glibc keeps
 * the owner's futex first (struct __pthread_mutex_s, bits/struct_mutex.h). */
static inline uint32_t session_owner_word(const pthread_mutex_t *alive)
{
    return atomic_load_explicit((const _Atomic uint32_t *)(const void *)alive,
                                memory_order_relaxed);
}

#endif
