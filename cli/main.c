/* SPDX-License-Identifier: MIT */
/* The command `heapwise`: find the command that the first word names and hand over.
 *
 * A first word that is none of ours is a program to record. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/nearest.h"
#include "cli/status.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int unknown_option(const char *option)
{
    struct nearest best = {0};
    static const char *const known[] = {"--help", "--version"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        nearest_offer(&best, option, known[i]);
    if (best.word)
        message_error(option, "unknown option; did you mean %s?", best.word);
    else
        message_error(option, "unknown option; options follow a command, see `heapwise help`");
    return STATUS_USAGE;
}

/* A program that was not found may have been meant as one of our commands. */
static void hint_command(const char *word)
{
    struct nearest best = {0};
    for (size_t i = 0; commands_at(i); i++)
        nearest_offer(&best, word, commands_at(i)->name);
    if (best.word)
        message_hint("did you mean `heapwise %s`?", best.word);
}

/* `heapwise CMD ARG...` as `heapwise run -- CMD ARG...`. */
static int run_program(int argc, char **argv, bool suggest)
{
    const struct command *run = commands_find("run");
    if (!run) {
        message_error(argv[0], "no such command; `heapwise help` lists them");
        return STATUS_USAGE;
    }
    char **words = calloc((size_t)argc + 3, sizeof *words);
    if (!words) {
        message_error("run", "out of memory");
        return STATUS_RUN_FAILED;
    }
    char name[] = "run", end[] = "--";
    words[0] = name;
    words[1] = end;
    memcpy(&words[2], argv, (size_t)argc * sizeof *argv);
    const int status = run->run(argc + 2, words);
    free(words);
    if (status == STATUS_RUN_MISSING && suggest)
        hint_command(argv[0]);
    return status;
}

int main(int argc, char **argv)
{
    /* For the width of characters. Numbers stay as they are in every language. */
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        message_error("command line", "names no command");
        message_hint(
            "usage: heapwise COMMAND [ARGUMENT]...; `heapwise help` says what else there is");
        return STATUS_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return cmd_help(argc - 1, argv + 1);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        return cmd_version(argc - 1, argv + 1);
    const struct command *command = commands_find(first);
    if (command)
        return command->run(argc - 1, argv + 1);
    if (strcmp(first, "--") == 0)
        return run_program(argc - 2, argv + 2, false);
    if (first[0] == '-')
        return unknown_option(first);
    return run_program(argc - 1, argv + 1, true);
}
