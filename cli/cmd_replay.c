/* SPDX-License-Identifier: MIT */
/* `heapwise replay`: the recorded sequence of allocations once more, measured. */
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/replay_failure.h"
#include "cli/status.h"
#include "cli/trace_input.h"
#include "findings/findings.h"
#include "findings/prove.h"
#include "replay/replay.h"

#include <errno.h>
#include <string.h>

struct values {
    struct option_list allocators;
    const char *plan, *format, *output;
    uint64_t runs, process;
    bool each_row, pools;
};

/* `process` as long as nobody set it. */
#define UNSET UINT64_MAX

static const char *const format_names[] = {"text", "json", NULL};

static const struct option_spec specs[] = {
    {"allocator", 'a', OPTION_LIST, offsetof(struct values, allocators), "NAME", NULL,
     "native, jemalloc, mimalloc, tcmalloc or a FILE.so; may be repeated"},
    {"pools", 0, OPTION_FLAG, offsetof(struct values, pools), NULL, NULL,
     "also with the pools, arenas and buffers that `findings` suggests"},
    {"plan", 0, OPTION_TEXT, offsetof(struct values, plan), "FILE", NULL,
     "pools, arenas and the like for call sites, as JSON: measure them, too"},
    {"each-row", 0, OPTION_FLAG, offsetof(struct values, each_row), NULL, NULL,
     "measure each row of the plan alone besides"},
    {"runs", 'r', OPTION_COUNT, offsetof(struct values, runs), "N", NULL,
     "runs of each variant, of which medians are shown (5)"},
    {"format", 'f', OPTION_CHOICE, offsetof(struct values, format), "FORMAT", format_names,
     "text (default) or json"},
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL,
     "write there; - is standard output"},
    {"process", 'p', OPTION_COUNT, offsetof(struct values, process), "ID", NULL,
     "this process of the report's section PROCESSES; else the busiest"},
};

static const struct option_set set = {specs, sizeof specs / sizeof *specs, OPTIONS_ANYWHERE};

static int print_help(void)
{
    puts("usage: heapwise replay [OPTION]... TRACE\n\n"
         "Run the allocations, resizes and frees of one process of TRACE again, in fresh "
         "processes, and "
         "measure time\nand memory. Without --allocator: native, and what is installed of the "
         "others.\n");
    options_print(&set, stdout);
    puts("\nexample: heapwise replay --allocator native --allocator jemalloc heapwise.jq.4711.hwt");
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

/* What cannot be wrong any more before the trace is read, which may take long. */
static int check(const struct values *values, const char *trace)
{
    const bool is_id = values->process > 0 && values->process <= UINT32_MAX;
    if (values->process != UNSET && !is_id) {
        message_error("--process", "no process has such an id");
        return STATUS_USAGE;
    }
    if (values->plan && values->pools) {
        message_error("--pools", "and --plan: only one of them");
        return STATUS_USAGE;
    }
    return replay_check(trace, values->runs);
}

static int read_plan(const char *path, struct replay_plan *plan)
{
    char why[200] = "";
    const int result = plan_read(path, plan, why);
    if (result == 0)
        return STATUS_OK;
    message_error(path, "%s", why[0] ? why : strerror(-result));
    return STATUS_USAGE;
}

/* The plan that the findings of the trace come to. */
static int find_plan(const struct values *values, const char *trace, struct replay_plan *plan)
{
    const struct profile_options options = {
        .process_id = values->process == UNSET ? 0 : (uint32_t)values->process, .habits = true};
    const struct findings_config config = {.n_limits = 0};
    struct profile *profile = NULL;
    struct findings *findings = NULL;
    const int status = trace_input_load(trace, &options, &profile);
    if (status != 0)
        return status;
    int result = findings_make(profile, &config, FINDINGS_TOP, &findings);
    if (result == 0)
        result = prove_plan_all(findings, plan);
    findings_free(findings);
    profile_free(profile);
    if (result == 0)
        return STATUS_OK;
    message_error("--pools", "%s", strerror(-result));
    return STATUS_USAGE;
}

static int make_plan(const struct values *values, const char *trace, struct replay_plan *plan)
{
    if (values->plan)
        return read_plan(values->plan, plan);
    const int status = values->pools ? find_plan(values, trace, plan) : STATUS_OK;
    if (status == 0 && values->pools && plan->n_rows == 0)
        message_error("--pools", "the findings suggest nothing that can be tried");
    return status;
}

static int emit(const struct values *values, const char *trace,
                const struct replay_result *replayed)
{
    struct output output;
    int status = output_open(&output, values->output, trace);
    if (status != 0)
        return status;
    const int result = strcmp(values->format, "json") == 0
                           ? replay_print_json(replayed, trace, output.stream)
                           : replay_print_text(replayed, output.stream);
    status = output_close(&output, result == 0);
    if (result < 0 && status == 0) {
        message_error("replay", "%s", strerror(-result));
        status = STATUS_USAGE;
    }
    return status;
}

static void warn(const struct values *values, const struct replay_result *replayed)
{
    if (replayed->lost_events)
        message_error("replay", "%llu events were lost when recording: the sequence has holes",
                      (unsigned long long)replayed->lost_events);
    /* Findings are of all processes; a plan of the user's is for this one. */
    for (size_t i = 0; i < replayed->n_rows && values->plan; i++)
        if (!replayed->rows[i].is_found)
            message_error("--plan", "the process has no call site %s",
                          replayed->rows[i].plan->site);
}

static int replay(const struct values *values, const char *trace)
{
    struct replay_plan plan = {.n_rows = 0};
    struct replay_result *replayed = NULL;
    struct trace_error error = {.record = ""};
    int status = check(values, trace);
    if (status == 0)
        status = make_plan(values, trace, &plan);
    if (status != 0)
        return status;
    const struct replay_options options = {
        .allocators = values->allocators.values,
        .n_allocators = values->allocators.n,
        .plan = &plan,
        .each_row = values->each_row,
        .n_runs = (unsigned)values->runs,
        .process_id = values->process == UNSET ? 0 : (uint32_t)values->process,
    };
    const int result = replay_measure(trace, &options, &replayed, &error);
    if (result == 0) {
        warn(values, replayed);
        status = emit(values, trace, replayed);
    } else {
        status = replay_failure(trace, result, &error);
    }
    replay_free(replayed);
    plan_fini(&plan);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    static const struct trace_command command = {"replay", &set, print_help};
    struct values values = {.format = "text", .runs = REPLAY_RUNS, .process = UNSET};
    const char *trace;
    const int status = trace_input_arguments(&command, argc, argv, &values, &trace);
    return trace ? replay(&values, trace) : status;
}
