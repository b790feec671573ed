/* SPDX-License-Identifier: MIT */
/* The commands. Each takes its own words, argv[0] being its name, prints its errors, and returns the
 * exit code. */
#ifndef HEAPWISE_CLI_COMMANDS_H
#define HEAPWISE_CLI_COMMANDS_H

#include <stddef.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* one line */
};

/* Commands in the order in which help lists them. NULL past the last. */
const struct command *commands_at(size_t i);
const struct command *commands_find(const char *name);

int cmd_run(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_findings(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
