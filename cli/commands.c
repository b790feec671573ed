/* SPDX-License-Identifier: MIT */
/* Which commands are there? */
#include "cli/commands.h"

#include <string.h>

static const struct command commands[] = {
    {"run", cmd_run, "record a command and the processes it starts"},
    {"report", cmd_report, "say where a recorded program allocates"},
    {"findings", cmd_findings, "say what to change in it, and what that saves"},
    {"replay", cmd_replay, "run the recorded allocations again, under other allocators"},
    {"dump", cmd_dump, "print every record of a trace"},
    {"explain", cmd_explain, "say what a metric, a section or a rule means"},
    {"help", cmd_help, "list the commands, or explain one"},
    {"version", cmd_version, "print the version"},
};

const struct command *commands_at(size_t i)
{
    return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const struct command *commands_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
