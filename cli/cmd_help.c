/* SPDX-License-Identifier: MIT */
/* What can heapwise do? `help`, `help COMMAND` and `--version`. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/nearest.h"
#include "cli/output.h"
#include "cli/status.h"

#include <stdio.h>
#include <string.h>

static void print_overview(void)
{
    puts("heapwise - where a program allocates memory, how fast, for how long\n\n"
         "  heapwise COMMAND [ARG]...          record COMMAND (short for `heapwise run -- "
         "COMMAND`)\n"
         "  heapwise report FILE.hwt           then read the report\n\n"
         "commands:");
    for (size_t i = 0; commands_at(i); i++)
        printf("  %-9s %s\n", commands_at(i)->name, commands_at(i)->help);
    puts("\n`heapwise help COMMAND` lists its options; `man heapwise` has it all.");
}

int cmd_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0) {
        message_error(argv[1], "version takes no arguments");
        return STATUS_USAGE;
    }
    if (argc > 1)
        puts("usage: heapwise version");
    else
        puts("heapwise " HEAPWISE_VERSION);
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

static int unknown_command(const char *name)
{
    struct nearest best = {0};
    for (size_t i = 0; commands_at(i); i++)
        nearest_offer(&best, name, commands_at(i)->name);
    if (best.word)
        message_error(name, "no such command; did you mean %s?", best.word);
    else
        message_error(name, "no such command; `heapwise help` lists them");
    return STATUS_USAGE;
}

int cmd_help(int argc, char **argv)
{
    struct output output = {.stream = stdout};
    const char *name = argc > 1 ? argv[1] : NULL;
    if (argc > 2) {
        message_error(argv[2], "help takes one command at most");
        return STATUS_USAGE;
    }
    if (!name || strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0) {
        print_overview();
        return output_close(&output, true);
    }
    const struct command *command = commands_find(name);
    if (!command)
        return unknown_command(name);
    char help[] = "--help";
    char *words[] = {argv[1], help, NULL};
    return command->run(2, words);
}
