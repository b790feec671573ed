/* SPDX-License-Identifier: MIT */
/* Everything one recording consists of, and what may happen to it at any time: it may have to stop
 * before the program does. Belongs to the collector process alone. */
#ifndef HEAPWISE_COLLECTOR_RECORDING_H
#define HEAPWISE_COLLECTOR_RECORDING_H

#include <stdint.h>

#include "collector/board.h"
#include "collector/coarse_clock.h"
#include "collector/collector.h"
#include "collector/command.h"
#include "collector/compress.h"
#include "collector/drain.h"
#include "collector/trace_file.h"
#include "collector/places.h"
#include "collector/session.h"
#include "collector/slots.h"
#include "collector/ticks.h"
#include "collector/tree.h"

struct recording {
    const struct collector_settings *settings;
    struct board *board;
    int bell_fd;
    int launcher_pid;
    struct command_process command;
    struct session session;
    struct slots slots;
    struct trace_file file;
    struct compress *out;
    struct places *places;
    struct tree tree;
    struct drain drain;
    struct coarse_clock clock;
    uint64_t started_ns;
    uint64_t next_sample_ns, next_flush_ns, next_housekeeping_ns, next_alive_ns;
    uint64_t n_unattached[BOARD_REASONS]; /* already written */
    uint64_t n_packed_bytes; /* of the file that took the trace's place; 0 if none did */
    bool broken;             /* not even the end can be written */
};

/* Say on the board how far it is, and wake the launcher. */
void recording_enter(const struct recording *recording, enum board_phase phase);
void recording_ring_bell(const struct recording *recording);

/* After a refused write: tell the shims to stop, make room, write STOPPED; rings are emptied and
 * thrown away from then on. The board says why. */
void recording_stop(struct recording *recording);

/* Write what shims counted of programs that cannot be recorded. */
void recording_write_unattached(struct recording *recording);

/* Release everything. The trace is closed as it stands. */
void recording_fini(struct recording *recording);

#endif
