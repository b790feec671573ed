/* SPDX-License-Identifier: MIT */
/* The collector process: starts the command, drains all rings into the trace until every process of
 * the run is gone, then ends the trace.
 *
 * collector_run() is called in a process forked for it, a member of the caller's process group, with
 * all signals blocked; it takes the process over (a session of its own, its descriptors, its
 * limits). What it finds is told through the board; it prints nothing. */
#ifndef HEAPWISE_COLLECTOR_COLLECTOR_H
#define HEAPWISE_COLLECTOR_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/board.h"
#include "collector/command.h"

struct collector_settings {
    struct command_plan command;
    const char *trace_path;  /* NULL: heapwise.<basename>.<pid>.hwt in the current folder */
    const char *link_folder; /* to be removed with the link in it, once nothing needs it; or NULL */
    uint32_t flags;          /* session_flags */
    uint32_t max_depth;      /* 1 to TRACE_MAX_DEPTH */
    uint64_t main_ring_bytes;
    uint64_t max_trace_bytes; /* UINT64_MAX for none */
    bool names_now;           /* look symbols up at the end */
};

/* Record one run. `bell_fd` is rung (one byte) whenever the board changed in a way that the launcher
 * acts on. Returns the exit status for the process: 0, or 1 when the board says why not. */
int collector_run(const struct collector_settings *settings, struct board *board, int bell_fd);

#endif
