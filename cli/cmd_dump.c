/* SPDX-License-Identifier: MIT */
/* `heapwise dump`: every record of a trace. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/status.h"
#include "cli/trace_input.h"
#include "reader/dump.h"

#include <stdio.h>
#include <string.h>

struct values {
    const char *format, *output;
};

static const char *const format_names[] = {"json", "msgpack", NULL};

static const struct option_spec specs[] = {
    {"format", 'f', OPTION_CHOICE, offsetof(struct values, format), "FORMAT", format_names,
     "json (default): a record per line; or msgpack"},
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL,
     "write there; - is standard output"},
};

static const struct option_set set = {specs, sizeof specs / sizeof *specs, OPTIONS_ANYWHERE};

static int print_help(void)
{
    puts("usage: heapwise dump [OPTION]... TRACE\n\n"
         "Print every record of TRACE (- is standard input), in the order of the file.\n");
    options_print(&set, stdout);
    puts("\nexample: heapwise dump heapwise.jq.4711.hwt | head");
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

static int dump(const struct values *values, const char *trace)
{
    struct output output;
    struct trace_error error = {.record = ""};
    int status = trace_input_check(trace);
    if (status == 0)
        status = output_open(&output, values->output, trace);
    if (status != 0)
        return status;
    const enum dump_format format =
        strcmp(values->format, "msgpack") == 0 ? DUMP_MSGPACK : DUMP_JSON;
    const int result = dump_trace(trace, format, output.stream, &error);
    /* What could be read of a damaged trace is worth keeping: it shows where the damage begins. */
    status = output_close(&output, true);
    return result < 0 && status == 0 ? trace_input_error(trace, result, &error) : status;
}

int cmd_dump(int argc, char **argv)
{
    static const struct trace_command command = {"dump", &set, print_help};
    struct values values = {.format = "json"};
    const char *trace;
    const int status = trace_input_arguments(&command, argc, argv, &values, &trace);
    return trace ? dump(&values, trace) : status;
}
