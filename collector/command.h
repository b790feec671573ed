/* SPDX-License-Identifier: MIT */
/* Starting the command under test so that it cannot tell: the caller's signal mask, limits, folder,
 * descriptors and environment, plus our entry in LD_PRELOAD and HEAPWISE_SESSION.
 *
 * It is forked before this process changes anything about itself, then waits at a gate until the
 * session exists. */
#ifndef HEAPWISE_COLLECTOR_COMMAND_H
#define HEAPWISE_COLLECTOR_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct command_plan {
    const char *program;   /* file to execute */
    char *const *argv;     /* ends with NULL */
    const char *shim_path; /* as it is to stand in LD_PRELOAD */
    sigset_t signal_mask;  /* the caller's */
    bool ignores_children; /* so did the caller: SIGCHLD is to be ignored, which outlives exec */
};

struct command_process {
    pid_t pid;
    int gate_fd; /* the session's path goes in here */
    int exec_fd; /* errno of a failed exec comes out here; end of file on success */
    bool gate_opened;
};

/* Fork the command; it waits at the gate. Returns 0 or a negative errno. */
int command_fork(const struct command_plan *plan, struct command_process *command_out);

/* Open the gate: the command goes on to its exec while the caller does what it likes. */
void command_go(struct command_process *command, const char *session_path);

/* Wait for that exec. Returns 0 once the new program runs, or the child was stopped before it could
 * (should its exec fail later, it exits with 126 or 127), or the negative errno of its exec; -ECHILD
 * when it died before the gate was open. Closes the last descriptor. */
int command_wait(struct command_process *command);

/* Let it exit without having run anything. Closes both descriptors. */
void command_cancel(struct command_process *command);

/* The environment for the command: `environment` with LD_PRELOAD and HEAPWISE_SESSION as above.
 * Earlier entries of any heapwise shim in LD_PRELOAD are dropped: one session is recorded at a time,
 * the innermost. Returns an array to be freed as one block, NULL without memory. */
char **command_environment(char *const *environment, const char *shim_path,
                           const char *session_path);

#endif
