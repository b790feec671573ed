/* SPDX-License-Identifier: MIT */
/* `heapwise report`: read a trace, print what it says. */
#include "cli/cmd_report.h"

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/status.h"
#include "cli/trace_input.h"
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *format, *output, *sort, *suppressions;
    uint64_t top, stacks, process;
    bool no_builtin_suppressions, no_symbols;
};

/* `top` as long as nobody set it. */
#define UNSET UINT64_MAX

static const char *const format_names[] = {"text", "json", "markdown", "csv", NULL};

static const struct option_spec specs[] = {
    {"format", 'f', OPTION_CHOICE, offsetof(struct values, format), "FORMAT", format_names,
     "text (default), json, markdown or csv"},
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL,
     "write there; - is standard output"},
    {"top", 'n', OPTION_COUNT, offsetof(struct values, top), "N", NULL,
     "entries per section (10) or sites and files (50); 0 is all"},
    {"stacks", 's', OPTION_COUNT, offsetof(struct values, stacks), "N", NULL,
     "call paths below one entry (5); 0 is all"},
    {"sort", 0, OPTION_TEXT, offsetof(struct values, sort), "METRIC", NULL,
     "order call sites by it, or I/O sites and files; may add a section"},
    {"process", 'p', OPTION_COUNT, offsetof(struct values, process), "ID", NULL,
     "only this process of the section PROCESSES"},
    {"suppressions", 0, OPTION_TEXT, offsetof(struct values, suppressions), "FILE", NULL,
     "leaks to keep apart: lines leak:PATTERN"},
    {"no-builtin-suppressions", 0, OPTION_FLAG, offsetof(struct values, no_builtin_suppressions),
     NULL, NULL, "list what the runtime keeps on purpose, too"},
    {"no-symbols", 0, OPTION_FLAG, offsetof(struct values, no_symbols), NULL, NULL,
     "leave names out: faster, for totals"},
};

static const struct option_set set = {specs, sizeof specs / sizeof *specs, OPTIONS_ANYWHERE};

static int print_help(void)
{
    puts("usage: heapwise report [OPTION]... TRACE\n\n"
         "Print where the recorded program allocates, reads and writes. TRACE is a .hwt file, or - "
         "for standard "
         "input.\n");
    options_print(&set, stdout);
    puts("\nexample: heapwise report --sort slack_bytes --top 5 heapwise.jq.4711.hwt");
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

static int find_metric(const char *name, const struct metric **metric_out)
{
    struct nearest best = {0};
    const struct metric *metric = metrics_find(name);
    if (metric && metric->scope != METRIC_PROCESS) {
        *metric_out = metric;
        return 0;
    }
    for (size_t i = 0; i < metrics_count(); i++) {
        if (metrics_at(i)->scope != METRIC_PROCESS)
            nearest_offer(&best, name, metrics_at(i)->name);
    }
    if (metric)
        message_error("--sort", "%s is not measured per call site", name);
    else if (best.word)
        message_error("--sort", "unknown metric '%s'; did you mean %s?", name, best.word);
    else
        message_error("--sort", "unknown metric '%s'; `heapwise explain` lists them", name);
    return STATUS_USAGE;
}

/* What cannot be wrong any more before the trace is read, which may take long. */
static int check(const struct values *values, const struct metric **sort_out)
{
    const bool is_id = values->process > 0 && values->process <= UINT32_MAX;
    if (values->process != UNSET && !is_id) {
        message_error("--process", "no process has such an id");
        return STATUS_USAGE;
    }
    return values->sort ? find_metric(values->sort, sort_out) : 0;
}

static int emit(const struct values *values, const struct metric *sort, const char *trace,
                const struct profile *profile)
{
    const struct report_format *format = report_find_format(values->format);
    const bool is_terminal = page_is_terminal(values->output);
    const struct report_options options = {
        .has_top = values->top != UNSET,
        .top = (size_t)values->top,
        .stacks = (size_t)values->stacks,
        .sort = sort,
        .process_id = values->process == UNSET ? 0 : (uint32_t)values->process,
        .width = page_width(is_terminal),
        .colour = page_wants_colour(is_terminal),
        .utf8 = page_is_utf8(),
    };
    struct output output;
    int status = output_open(&output, values->output, trace);
    if (status != 0)
        return status;
    const int result = report_emit(format, profile, &options, output.stream);
    status = output_close(&output, result == 0);
    if (result < 0 && status == 0) {
        message_error("report", "%s", strerror(-result));
        status = STATUS_USAGE;
    }
    return status;
}

static int print_report(const struct values *values, const char *trace)
{
    const struct metric *sort = NULL;
    int status = check(values, &sort);
    if (status != 0)
        return status;
    const struct profile_options options = {
        .process_id = values->process == UNSET ? 0 : (uint32_t)values->process,
        .suppressions = values->suppressions,
        .no_builtin_suppressions = values->no_builtin_suppressions,
        .no_symbols = values->no_symbols,
    };
    struct profile *profile = NULL;
    status = trace_input_load(trace, &options, &profile);
    if (status != 0)
        return status;
    status = emit(values, sort, trace, profile);
    profile_free(profile);
    return status;
}

int report_print(const char *trace, const char *format)
{
    const struct values values = {
        .format = format ? format : "text",
        .top = UNSET,
        .stacks = REPORT_STACKS,
        .process = UNSET,
    };
    if (!report_find_format(values.format)) {
        message_error(values.format, "unknown report format");
        return STATUS_USAGE;
    }
    return print_report(&values, trace);
}

int cmd_report(int argc, char **argv)
{
    static const struct trace_command command = {"report", &set, print_help};
    struct values values = {
        .format = "text", .top = UNSET, .stacks = REPORT_STACKS, .process = UNSET};
    const char *trace;
    const int status = trace_input_arguments(&command, argc, argv, &values, &trace);
    return trace ? print_report(&values, trace) : status;
}
