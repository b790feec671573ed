/* SPDX-License-Identifier: MIT */
/* `heapwise run`: record a command, then say in a few lines what came of it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd_report.h"
#include "cli/commands.h"
#include "cli/launcher.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/status.h"
#include "collector/shim_path.h"
#include "collector/status_line.h"
#include "symbols/target.h"
#include "trace/session_layout.h"
#include "trace/trace_format.h"

struct values {
    const char *output, *on_full, *symbols, *report, *progress;
    bool no_follow, no_alloc, no_io, no_latency, exact_times, free_stacks, other_users, quiet;
    uint64_t depth, max_bytes, buffer_bytes;
};

enum run_defaults {
    DEFAULT_DEPTH = 128,
    MIN_TRACE_BYTES = 64 * 1024, /* below that there is no room for an orderly end */
    MIN_BUFFER_BYTES = 64 * 1024,
    MAX_BUFFER_BYTES = 256 * 1024 * 1024, /* per thread */
};

static const char *const on_full_names[] = {"block", "drop", NULL};
static const char *const symbols_names[] = {"now", "later", NULL};
static const char *const progress_names[] = {"auto", "always", "never", NULL};
static const char *const report_names[] = {"text", "json", "markdown", "csv", NULL};

static const struct option_spec specs[] = {
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL,
     "write the trace there (heapwise.NAME.PID.hwt)"},
    {"no-follow", 0, OPTION_FLAG, offsetof(struct values, no_follow), NULL, NULL,
     "leave the processes it starts alone"},
    {"no-alloc", 0, OPTION_FLAG, offsetof(struct values, no_alloc), NULL, NULL,
     "do not record allocations"},
    {"no-io", 0, OPTION_FLAG, offsetof(struct values, no_io), NULL, NULL, "do not record I/O"},
    {"no-latency", 0, OPTION_FLAG, offsetof(struct values, no_latency), NULL, NULL,
     "do not time one call in 64 of the allocator"},
    {"exact-times", 0, OPTION_FLAG, offsetof(struct values, exact_times), NULL, NULL,
     "read the clock at every event, in dense stretches, too"},
    {"free-stacks", 0, OPTION_FLAG, offsetof(struct values, free_stacks), NULL, NULL,
     "record where every block is freed (one in 64 otherwise)"},
    {"depth", 0, OPTION_COUNT, offsetof(struct values, depth), "N", NULL,
     "frames kept per stack (128); 0: record no stacks"},
    {"max-size", 0, OPTION_SIZE, offsetof(struct values, max_bytes), "SIZE", NULL,
     "stop recording when the trace is so large; the program goes on"},
    {"buffer", 0, OPTION_SIZE, offsetof(struct values, buffer_bytes), "SIZE", NULL,
     "memory per thread between program and recorder (1M)"},
    {"on-full", 0, OPTION_CHOICE, offsetof(struct values, on_full), "block|drop", on_full_names,
     "when that memory is full: wait (default), or drop and count"},
    {"symbols", 0, OPTION_CHOICE, offsetof(struct values, symbols), "now|later", symbols_names,
     "look names up at the end (default), or leave it to the report"},
    {"report", 0, OPTION_TEXT_OPTIONAL, offsetof(struct values, report), "FORMAT", report_names,
     "print a report when the command ends"},
    {"other-users", 0, OPTION_FLAG, offsetof(struct values, other_users), NULL, NULL,
     "record processes that change to another user, too"},
    {"quiet", 'q', OPTION_FLAG, offsetof(struct values, quiet), NULL, NULL,
     "no summary; warnings stay"},
    {"progress", 0, OPTION_CHOICE, offsetof(struct values, progress), "WHEN", progress_names,
     "status line: auto (default, on a terminal), always, never"},
};

static const struct option_set set = {specs, sizeof specs / sizeof *specs, OPTIONS_FIRST};

static int print_help(void)
{
    puts("usage: heapwise run [OPTION]... [--] COMMAND [ARGUMENT]...\n\n"
         "Record COMMAND and the processes it starts; write a trace and say what to do with it.\n");
    options_print(&set, stdout);
    puts("\nexample: heapwise run -o jq.hwt -- jq . big.json");
    struct output output = {.stream = stdout};
    return output_close(&output, true);
}

static bool is(const char *text, const char *other)
{
    return text && strcmp(text, other) == 0;
}

/* ---- before the run ---- */

/* Refuse what the option table cannot judge. Returns 0 or the exit status. */
static int check_values(const struct values *values)
{
    static const char range[] = "must be between %s and %s";
    if (is(values->output, "-"))
        message_error("-o -", "standard output is the program's; name a file");
    else if (values->depth > TRACE_MAX_DEPTH)
        message_error("--depth", range, "0", "1024");
    else if (values->max_bytes < MIN_TRACE_BYTES)
        message_error("--max-size", "must be at least 64K");
    else if (values->buffer_bytes < MIN_BUFFER_BYTES || values->buffer_bytes > MAX_BUFFER_BYTES)
        message_error("--buffer", range, "64K", "256M");
    else
        return 0;
    return STATUS_RUN_FAILED;
}

static bool is_file(const char *path, const struct stat *other)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == other->st_dev &&
           status.st_ino == other->st_ino;
}

/* A trace must not be written over what the program itself is made of, reads or prints; under another
 * name, /dev/stdout or a link, that is easily asked for. Returns 0 or the exit status. */
static int check_output(const char *output, const struct target *target)
{
    static const char *const streams[] = {"standard input", "standard output", "standard error"};
    struct stat status;
    if (stat(output, &status) != 0)
        return 0;
    if (is_file(target->path, &status) || is_file(target->executable, &status)) {
        message_error(output, "is the program to be recorded; choose another name");
        return STATUS_RUN_FAILED;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat stream;
        /* /dev/null may be as many things as it likes. */
        if (fstat(fd, &stream) == 0 && is_file(output, &stream) &&
            (!S_ISCHR(stream.st_mode) || isatty(fd))) {
            message_error(output, "is the program's %s; name another file", streams[fd]);
            return STATUS_RUN_FAILED;
        }
    }
    return 0;
}

static uint32_t flags_of(const struct values *values)
{
    const bool draws =
        !is(values->progress, "never") && (is(values->progress, "always") || isatty(STDERR_FILENO));
    return (values->free_stacks ? SESSION_FREE_STACKS : 0U) |
           (is(values->on_full, "drop") ? SESSION_DROP_WHEN_FULL : 0U) |
           (values->no_follow ? SESSION_NO_FOLLOW : 0U) |
           (values->no_alloc ? SESSION_NO_ALLOC : 0U) | (values->no_io ? SESSION_NO_IO : 0U) |
           (values->no_latency ? SESSION_NO_LATENCY : 0U) |
           (values->exact_times ? SESSION_EXACT_TIMES : 0U) |
           (values->other_users ? SESSION_OTHER_USERS : 0U) | (draws ? SESSION_COUNT_LIVE : 0U);
}

/* Say no before anything is started. Returns 0 or the exit status. */
static int inspect(const char *command, struct target *target)
{
    target_inspect(command, target);
    if (target->kind != TARGET_OK) {
        const char *const way_out = target_way_out(target->kind);
        if (target->detail[0])
            message_error(command, "%s (%s)", target_reason(target->kind), target->detail);
        else
            message_error(command, "%s", target_reason(target->kind));
        if (*way_out)
            message_hint("%s", way_out);
        return target_exit_status(target->kind);
    }
    if (target->defines_malloc)
        message_error(command, "warning: it has a malloc of its own, whose calls cannot be seen");
    return 0;
}

/* ---- after the run ---- */

struct reason {
    uint32_t code;
    const char *text;
};

static const struct reason losses[] = {
    {TRACE_LOSS_RING_FULL, "the recorder did not keep up"},
    {TRACE_LOSS_NESTED, "they came from a signal handler inside another one"},
    {TRACE_LOSS_NO_SLOT, "there was no memory for another thread's buffer"},
    {TRACE_LOSS_CORRUPT, "the program wrote over its own buffer"},
    {TRACE_LOSS_STOPPED, "recording had stopped"},
};

static const struct reason unattached[] = {
    {TRACE_UNATTACHED_STATIC, "statically linked"},
    {TRACE_UNATTACHED_SETUID, "set-user-ID or privileged"},
    {TRACE_UNATTACHED_FOREIGN, "of another architecture or C library"},
    {TRACE_UNATTACHED_UNREADABLE, "where the preload library cannot be read"},
    {TRACE_UNATTACHED_UNKNOWN, "for an unknown reason"},
};

static const struct reason stops[] = {
    {TRACE_STOP_MAX_SIZE, "--max-size was reached"},
    {TRACE_STOP_NO_SPACE, "the disk is full"},
    {TRACE_STOP_FILE_LIMIT, "the file size limit was reached"},
    {TRACE_STOP_IO_ERROR, "the trace could not be written"},
};

static void warn_of_stop(const struct board *board)
{
    const uint32_t code = atomic_load(&board->stop_reason);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (code == stops[i].code)
            message_error("warning", "recording stopped early: %s; the program went on",
                          stops[i].text);
}

static void warn_of_losses(const struct board *board)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        const uint64_t n = atomic_load(&board->n_lost[losses[i].code]);
        if (n)
            message_error("warning", "%llu event%s lost: %s", (unsigned long long)n,
                          n == 1 ? "" : "s", losses[i].text);
    }
    for (size_t i = 0; i < sizeof unattached / sizeof *unattached; i++) {
        const uint64_t n = atomic_load(&board->n_unattached[unattached[i].code]);
        if (n)
            message_error("warning", "%llu program%s not recorded: %s", (unsigned long long)n,
                          n == 1 ? "" : "s", unattached[i].text);
    }
}

static void warn(const struct board *board, const char *command)
{
    if (!atomic_load(&board->command_attached))
        message_error(command, "warning: it ended before, or without, being recorded");
    warn_of_stop(board);
    warn_of_losses(board);
}

/* A word as a shell would need it. */
static void quote(const char *word, char *quoted, size_t cap)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (*word && word[strspn(word, plain)] == 0) {
        snprintf(quoted, cap, "%s", word);
        return;
    }
    size_t n = 0;
    quoted[n++] = '\'';
    for (; *word && n + 6 < cap; word++) {
        if (*word == '\'') {
            memcpy(quoted + n, "'\\''", 4);
            n += 4;
        } else {
            quoted[n++] = *word;
        }
    }
    quoted[n++] = '\'';
    quoted[n] = 0;
}

static void summarize(const struct board *board, const char *command)
{
    char duration[32], events[32], size[32], how[64], path[BOARD_PATH_BYTES + 64];
    const int status = atomic_load(&board->wait_status);
    const uint64_t n_processes = atomic_load(&board->n_processes);
    const uint64_t n_events = atomic_load(&board->n_events);
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was killed by SIG%s", sigabbrev_np(WTERMSIG(status)) ?: "?");
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    message_error(command, "%s after %s; %llu process%s, %s event%s", how,
                  status_line_duration(
                      atomic_load(&board->ended_ns) - atomic_load(&board->started_ns), duration),
                  (unsigned long long)n_processes, n_processes == 1 ? "" : "es",
                  status_line_count(n_events, events), n_events == 1 ? "" : "s");
    quote(board->trace_path, path, sizeof path);
    message_hint("wrote %s (%s)", path, status_line_bytes(atomic_load(&board->trace_bytes), size));
    struct stat trace;
    if (stat(board->trace_path, &trace) != 0 || !S_ISREG(trace.st_mode))
        return;
    message_hint("next: heapwise report %s", path);
    message_hint("      heapwise findings %s", path);
}

/* The status that the command's end stands for. */
static int status_of(const struct board *board)
{
    const int status = atomic_load(&board->wait_status);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int say_failure(const struct board *board, enum launch_outcome outcome)
{
    const int error = outcome == LAUNCH_NO_MEMORY ? errno : atomic_load(&board->error);
    if (outcome == LAUNCH_NO_MEMORY)
        message_error("run", "cannot start the recorder: %s", strerror(error));
    else if (outcome != LAUNCH_COLLECTOR_DIED)
        message_error(board->failure, "%s", strerror(error));
    if (outcome != LAUNCH_NO_EXEC)
        return STATUS_RUN_FAILED;
    return error == ENOENT ? STATUS_RUN_MISSING : STATUS_RUN_REFUSED;
}

/* Run, report, and choose the exit status: the command's own unless heapwise itself failed. */
static int run(struct launch *launch, const struct values *values, const struct shim_path *shim)
{
    const struct board *board = NULL;
    const char *const command = launch->collector.command.argv[0];
    const enum launch_outcome outcome = launcher_run(launch, &board);
    if (outcome != LAUNCH_RECORDED) {
        const int status = say_failure(board, outcome);
        shim_path_remove(shim); /* a collector that came to its end has seen to it */
        return status;
    }
    warn(board, command);
    if (!values->quiet)
        summarize(board, command);
    const int printed =
        values->report ? report_print(board->trace_path, values->report) : STATUS_OK;
    if (printed != STATUS_OK)
        return printed == STATUS_PIPE ? STATUS_PIPE : STATUS_RUN_FAILED;
    return status_of(board);
}

static struct launch launch_of(const struct values *values)
{
    const bool never = is(values->progress, "never");
    const bool automatic = !never && !is(values->progress, "always");
    return (struct launch){
        .collector = {.trace_path = values->output,
                      .flags = flags_of(values),
                      .max_depth = (uint32_t)values->depth,
                      .main_ring_bytes = values->buffer_bytes,
                      .max_trace_bytes = values->max_bytes,
                      .names_now = !is(values->symbols, "later")},
        .progress = never || (automatic && !isatty(STDERR_FILENO)) ? LAUNCH_PROGRESS_NEVER
                    : automatic                                    ? LAUNCH_PROGRESS_AUTO
                                                                   : LAUNCH_PROGRESS_ALWAYS,
        .keep_stdout = values->report != NULL,
    };
}

/* Everything here leads through /proc: the way to the shim, the session, who is still alive. */
static int say_missing(int error)
{
    if (access("/proc/self/exe", F_OK) != 0)
        message_error("/proc", "is not mounted, and recording needs it");
    else
        message_error("libheapwise-preload.so", "%s",
                      error == -ENOENT ? "is not beside the command; install both together"
                                       : strerror(-error));
    return STATUS_RUN_FAILED;
}

int cmd_run(int argc, char **argv)
{
    struct values values = {
        .depth = DEFAULT_DEPTH, .max_bytes = UINT64_MAX, .buffer_bytes = SESSION_MAIN_RING_BYTES};
    struct option_error error;
    struct shim_path shim;
    static struct target target; /* large */
    int first;
    const int parsed = options_parse(&set, argc, argv, &values, &first, &error);
    if (parsed == OPTIONS_HELP)
        return print_help();
    if (parsed) {
        message_error(error.what, "%s", error.why);
        return STATUS_RUN_FAILED;
    }
    if (first >= argc) {
        message_error("run", "no command given; see `heapwise run --help`");
        return STATUS_RUN_FAILED;
    }
    int status = check_values(&values);
    if (status || (status = inspect(argv[first], &target)) ||
        (values.output && (status = check_output(values.output, &target))))
        return status;
    const int missing = shim_path_find(values.other_users, &shim);
    if (missing)
        return say_missing(missing);
    struct launch launch = launch_of(&values);
    launch.collector.command.program = target.path;
    launch.collector.command.argv = argv + first;
    launch.collector.command.shim_path = shim.path;
    launch.collector.link_folder = shim.folder[0] ? shim.folder : NULL;
    return run(&launch, &values, &shim);
}
