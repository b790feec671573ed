/* SPDX-License-Identifier: MIT */
/* `heapwise findings`: read a trace, say what to change in the program. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/replay_failure.h"
#include "cli/status.h"
#include "cli/trace_input.h"
#include "findings/findings.h"
#include "findings/prove.h"
#include "findings/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
    const char *format, *output, *severity, *config, *root;
    uint64_t top, process, runs;
    bool no_snippets, prove;
};

/* `process` as long as nobody set it. */
#define UNSET UINT64_MAX

static const char *const format_names[] = {"text", "json", "hotspots", "sarif", "markdown", NULL};
static const char *const severity_names[] = {"info", "low", "medium", "high", "critical", NULL};

static const struct option_spec specs[] = {
    {"format", 'f', OPTION_CHOICE, offsetof(struct values, format), "FORMAT", format_names,
     "text (default), json, hotspots, sarif or markdown"},
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL,
     "write there; - is standard output"},
    {"top", 'n', OPTION_COUNT, offsetof(struct values, top), "N", NULL,
     "findings shown (20); 0 is all"},
    {"min-severity", 0, OPTION_CHOICE, offsetof(struct values, severity), "SEVERITY",
     severity_names, "exit with 1 when a finding is at least info, low, medium, high or critical"},
    {"config", 'c', OPTION_TEXT, offsetof(struct values, config), "FILE", NULL,
     "limits of rules, frames to pass over, threads that must not wait"},
    {"process", 'p', OPTION_COUNT, offsetof(struct values, process), "ID", NULL,
     "only this process of the report's section PROCESSES"},
    {"prove", 0, OPTION_FLAG, offsetof(struct values, prove), NULL, NULL,
     "measure what is suggested by replaying the recording with it in place"},
    {"runs", 'r', OPTION_COUNT, offsetof(struct values, runs), "N", NULL,
     "with --prove: runs of each variant, of which medians are taken (5)"},
    {"root", 0, OPTION_TEXT, offsetof(struct values, root), "DIR", NULL,
     "folder of the source: paths below it are shown relative (default: .)"},
    {"no-snippets", 0, OPTION_FLAG, offsetof(struct values, no_snippets), NULL, NULL,
     "quote no lines of the source"},
};

static const struct option_set set = {specs, sizeof specs / sizeof *specs, OPTIONS_ANYWHERE};

static int print_help(void)
{
    puts(
        "usage: heapwise findings [OPTION]... TRACE\n\n"
        "Say what to change in the recorded program, what that saves and how to check it. TRACE is "
        "a .hwt file, or - for standard input.\n");
    options_print(&set, stdout);
    puts("\nexample: heapwise findings --min-severity high --format sarif -o out.sarif "
         "heapwise.jq.4711.hwt");
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

/* ---- arguments ---- */

static int load_config(const char *path, struct findings_config *config_out)
{
    struct config_error error = {.reason = ""};
    const int result = config_load(path, config_out, &error);
    if (result == 0)
        return STATUS_OK;
    message_error(path, "%s", error.reason[0] ? error.reason : strerror(-result));
    return STATUS_USAGE;
}

/* The folder's path without links, to free(3). */
static int find_root(const char *folder, char **root_out)
{
    char *const root = realpath(folder ? folder : ".", NULL);
    if (!root && folder) {
        message_error(folder, "%s", strerror(errno));
        return STATUS_USAGE;
    }
    *root_out = root; /* where there is no current folder, none is meant */
    return STATUS_OK;
}

static int check(const struct values *values, const char *trace)
{
    const bool is_id = values->process > 0 && values->process <= UINT32_MAX;
    if (values->process == UNSET || is_id)
        return values->prove ? replay_check(trace, values->runs) : STATUS_OK;
    message_error("--process", "no process has such an id");
    return STATUS_USAGE;
}

/* ---- the command ---- */

/* Exit code by --min-severity. Findings beyond the top count as well. */
static int judge(const struct findings *findings, const char *severity)
{
    if (!severity || findings->n_all == 0)
        return STATUS_OK;
    for (size_t i = findings->worst + (size_t)1; severity_names[i]; i++)
        if (strcmp(severity_names[i], severity) == 0)
            return STATUS_OK;
    return STATUS_EXCEEDED;
}

static int show(const struct values *values, const char *root, const char *trace,
                const struct findings *findings)
{
    const bool is_terminal = page_is_terminal(values->output);
    const struct show_options options = {
        .root = root && strcmp(root, "/") != 0 ? root : NULL,
        .snippets = !values->no_snippets,
        .width = page_width(is_terminal),
        .colour = page_wants_colour(is_terminal),
        .utf8 = page_is_utf8(),
    };
    struct output output;
    int status = output_open(&output, values->output, trace);
    if (status != 0)
        return status;
    const int result = show_find_format(values->format)->show(findings, &options, output.stream);
    status = output_close(&output, result == 0);
    if (result < 0 && status == 0) {
        message_error("findings", "%s", strerror(-result));
        status = STATUS_USAGE;
    }
    return status;
}

static uint32_t process_of(const struct values *values)
{
    return values->process == UNSET ? 0 : (uint32_t)values->process;
}

static int prove(const struct values *values, const char *trace, struct findings *findings)
{
    struct trace_error error = {.record = ""};
    const int result =
        prove_all(findings, trace, (unsigned)values->runs, process_of(values), &error);
    return result ? replay_failure(trace, result, &error) : STATUS_OK;
}

static int find(const struct values *values, const struct findings_config *config,
                const struct profile *profile, struct findings **findings_out)
{
    const int result = findings_make(profile, config, (size_t)values->top, findings_out);
    if (result == 0)
        return STATUS_OK;
    message_error("findings", "%s", strerror(-result));
    return STATUS_USAGE;
}

static int find_and_show(const struct values *values, const struct findings_config *config,
                         const char *trace, const char *root)
{
    const struct profile_options options = {
        .process_id = process_of(values),
        .habits = true,
        .hidden = config->hidden,
        .n_hidden = config->n_hidden,
    };
    struct profile *profile = NULL;
    struct findings *findings = NULL;
    int status = trace_input_load(trace, &options, &profile);
    status = status ? status : find(values, config, profile, &findings);
    if (status == STATUS_OK && values->prove)
        status = prove(values, trace, findings);
    status = status ? status : show(values, root, trace, findings);
    status = status ? status : judge(findings, values->severity);
    findings_free(findings);
    profile_free(profile);
    return status;
}

static int run(const struct values *values, const char *trace)
{
    struct findings_config config = {.n_limits = 0};
    char *root = NULL;
    int status = check(values, trace);
    status = status ? status : find_root(values->root, &root);
    status = status ? status : load_config(values->config, &config);
    status = status ? status : find_and_show(values, &config, trace, root);
    config_fini(&config);
    free(root);
    return status;
}

int cmd_findings(int argc, char **argv)
{
    static const struct trace_command command = {"findings", &set, print_help};
    struct values values = {
        .format = "text", .top = FINDINGS_TOP, .runs = REPLAY_RUNS, .process = UNSET};
    const char *trace;
    const int status = trace_input_arguments(&command, argc, argv, &values, &trace);
    return trace ? run(&values, trace) : status;
}
