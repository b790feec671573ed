/* SPDX-License-Identifier: MIT */
/* Why can a trace not be read, in words a user can act on? */
#include "cli/trace_input.h"

#include "cli/message.h"
#include "cli/status.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *display_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int trace_input_arguments(const struct trace_command *command, int argc, char **argv, void *values,
                          const char **trace_out)
{
    struct option_error error;
    int first = 0;
    const int result = options_parse(command->options, argc, argv, values, &first, &error);
    *trace_out = NULL;
    if (result == OPTIONS_HELP)
        return command->print_help();
    if (result < 0) {
        message_error(error.what, "%s", error.why);
        return STATUS_USAGE;
    }
    if (argc - first == 1) {
        *trace_out = argv[first];
        return STATUS_OK;
    }
    message_error(command->name,
                  argc == first ? "needs a trace file" : "takes one trace file only");
    message_hint("usage: heapwise %s [OPTION]... TRACE", command->name);
    return STATUS_USAGE;
}

int trace_input_check(const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        if (!isatty(STDIN_FILENO))
            return STATUS_OK;
        message_error(display_name(path), "is a terminal; give a file or a pipe");
        return STATUS_USAGE;
    }
    if (stat(path, &status) != 0) {
        message_error(path, "%s", strerror(errno));
        return STATUS_USAGE;
    }
    if (S_ISDIR(status.st_mode)) {
        message_error(path, "%s", strerror(EISDIR));
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

int trace_input_error(const char *path, int result, const struct trace_error *error)
{
    const char *reason = error->reason[0] ? error->reason : strerror(-result);
    const char *record = error->record ? error->record : "";
    if (result == -EINVAL && strcmp(record, "suppressions") == 0)
        message_error("--suppressions", "%s", reason);
    else if (result == -ENOENT && strcmp(record, "process") == 0)
        message_error("--process", "%s", reason);
    else
        message_error(display_name(path), "%s", reason);
    if (result == -EPROTONOSUPPORT)
        message_hint("read it with the heapwise that wrote it, or a newer one");
    return STATUS_USAGE;
}

int trace_input_load(const char *path, const struct profile_options *options,
                     struct profile **profile_out)
{
    struct trace_error error = {.record = ""};
    const int status = trace_input_check(path);
    if (status != 0)
        return status;
    const int result = profile_load(path, options, profile_out, &error);
    return result == 0 ? STATUS_OK : trace_input_error(path, result, &error);
}
