/* SPDX-License-Identifier: MIT */
/* The process that the user sees: it stays in the terminal's process group in place of the command,
 * passes signals on, stops and continues with it, and reports what the collector puts on the board. */
#ifndef HEAPWISE_CLI_LAUNCHER_H
#define HEAPWISE_CLI_LAUNCHER_H

#include <stdbool.h>

#include "collector/board.h"
#include "collector/collector.h"

enum launch_progress {
    LAUNCH_PROGRESS_AUTO, /* when standard error is a terminal that shows lines, in the foreground */
    LAUNCH_PROGRESS_ALWAYS,
    LAUNCH_PROGRESS_NEVER,
};

struct launch {
    struct collector_settings
        collector; /* command.signal_mask and .ignores_children are filled in here */
    enum launch_progress progress;
    bool keep_stdout; /* a report will be printed there */
};

enum launch_outcome {
    LAUNCH_RECORDED, /* the command ran and its recording was ended properly */
    LAUNCH_FAILED,   /* the command was not run; the board says why */
    LAUNCH_NO_EXEC,  /* it could not be executed; the board says why */
    LAUNCH_COLLECTOR_DIED,
    LAUNCH_NO_MEMORY, /* not even the collector could be started */
};

/* Run the command under the collector and wait for both.
 *
 * Takes the calling process over: from then on all its signals are blocked and its descriptors other than
 * standard error (and standard output if asked for) are closed. The board stays mapped. */
enum launch_outcome launcher_run(struct launch *launch, const struct board **board_out);

#endif
