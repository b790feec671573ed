/* SPDX-License-Identifier: MIT */
/* The notice board between the launcher and the collector: one shared page that both keep mapped.
 *
 * The collector writes facts, then rings the bell (one byte on a socket whose loss does no harm,
 * since the launcher reads the whole board each time). A queue of messages would fill up while the
 * launcher is stopped; a board cannot. Every field has one writer, the collector unless it says
 * otherwise; texts are complete before the counter or phase that announces them changes. */
#ifndef HEAPWISE_COLLECTOR_BOARD_H
#define HEAPWISE_COLLECTOR_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

enum board_phase {
    BOARD_STARTING = 0,
    BOARD_FAILED,    /* the collector could not start: failure, error; the command was not run */
    BOARD_NO_EXEC,   /* the command could not be executed: error */
    BOARD_RUNNING,   /* command_pid, trace_path are set */
    BOARD_WAITING,   /* the command ended (wait_status); descendants may still run */
    BOARD_FINISHING, /* symbols are being looked up */
    BOARD_PACKING,   /* the trace is whole; it is being made smaller (repack.h) */
    BOARD_DONE,      /* everything below is final */
};

enum board_sizes {
    BOARD_TEXT_BYTES = 512,
    BOARD_PATH_BYTES = 4096,
    BOARD_REASONS = 8, /* as ring.n_lost and session_header.n_unattached have */
};

struct board {
    _Atomic uint32_t phase;         /* board_phase; only grows */
    _Atomic int32_t error;          /* errno */
    char failure[BOARD_TEXT_BYTES]; /* what failed, a path or a few words */

    _Atomic int32_t command_pid;
    _Atomic int32_t wait_status;
    _Atomic uint32_t n_stops;    /* how often the command was seen to stop */
    _Atomic int32_t stop_signal; /* by which signal last */

    /* Written by the launcher. */
    _Atomic uint32_t end_requested;    /* finish, let the programs go on */
    _Atomic uint32_t packing_unwanted; /* in BOARD_PACKING: the trace is fine as it is */
    _Atomic uint32_t
        launcher_stopped; /* it stops itself because the command did: continue it with it */

    _Atomic uint32_t n_alive; /* descendants still running in BOARD_WAITING, as last counted */
    _Atomic uint32_t alive_version; /* grows after `alive` was written */
    char alive[BOARD_TEXT_BYTES]; /* "1234 (redis-server), 1240 (worker)": control bytes replaced */

    _Atomic uint64_t started_ns; /* CLOCK_MONOTONIC */
    _Atomic uint64_t ended_ns;
    _Atomic uint64_t n_events;
    _Atomic uint64_t n_processes; /* that attached */
    _Atomic uint64_t live_bytes;  /* with SESSION_COUNT_LIVE */
    _Atomic uint64_t trace_bytes;
    _Atomic uint64_t n_lost[BOARD_REASONS];       /* by trace_loss_reason */
    _Atomic uint64_t n_unattached[BOARD_REASONS]; /* by trace_unattached */
    _Atomic uint32_t stop_reason;                 /* trace_stop_reason; 0 while recording goes on */
    _Atomic uint32_t command_attached;            /* 1 once the command itself was seen to record */

    char trace_path[BOARD_PATH_BYTES];
    char session_file[BOARD_PATH_BYTES]; /* to remove should the collector die; "" for a memfd */
};

#endif
