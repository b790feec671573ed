/* SPDX-License-Identifier: MIT */
/* The collector's life: start, pass after pass, end.
 *
 * A pass: note who exited, sample memory, empty the rings, take slots back, offer new ones, write
 * ends, now and then flush. Between passes it sleeps on the session's `wake` word, which writers of
 * filling rings and our own SIGCHLD handler change; never longer than the sampling period. */
#include "collector/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "collector/descriptors.h"
#include "collector/drain.h"
#include "collector/finish.h"
#include "collector/futex.h"
#include "collector/host.h"
#include "collector/rlimits.h"
#include "collector/recording.h"

enum collector_periods {
    SAMPLE_NS = 10 * 1000000,  /* resident sizes; also the longest sleep */
    MIN_SLEEP_NS = 200 * 1000, /* shorter would only turn passes into overhead */
    FLUSH_NS = 200 * 1000000,  /* what a killed collector may lose */
    HOUSEKEEPING_NS = 1000 * 1000000,
    ALIVE_NS = 500 * 1000000, /* whom we wait for is counted twice a second */
};

enum { MAX_CONTINUATIONS = 10000 }; /* ten seconds, should it be held by others */
enum { MIN_CHUNK_BYTES = 2048 };    /* below that, a chunk's head weighs as much as its records */

/* The word the SIGCHLD handler changes, so that an exit that falls between the last waitpid and the
 * sleep ends the sleep. */
static _Atomic uint32_t *wake_word;

static void note_child(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(wake_word, 1);
}

/* ---- becoming the collector ---- */

/* Signals that a terminal, a closing session or a limit sends must not end a recording. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGTTIN,
                                  SIGHUP, SIGPIPE, SIGXFSZ, SIGXCPU};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

static void listen_for_children(struct recording *recording)
{
    const struct sigaction action = {.sa_handler = note_child, .sa_flags = SA_RESTART};
    sigset_t none;
    wake_word = &recording->session.header->wake;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void leave_the_callers_world(const struct recording *recording)
{
    int keep[] = {recording->bell_fd, recording->file.fd, recording->file.folder_fd,
                  recording->command.gate_fd, recording->command.exec_fd};
    ignore_signals();
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "heapwise-scribe");
    descriptors_to_null(STDIN_FILENO);
    descriptors_to_null(STDOUT_FILENO);
    descriptors_close_others(keep, sizeof keep / sizeof *keep);
}

static int fail(const struct recording *recording, enum board_phase phase, const char *what,
                int error)
{
    snprintf(recording->board->failure, sizeof recording->board->failure, "%.*s",
             (int)sizeof recording->board->failure - 1, what);
    atomic_store(&recording->board->error, -error);
    recording_enter(recording, phase);
    return 1;
}

/* ---- the first records ---- */

static void write_beginning(struct recording *recording)
{
    const struct collector_settings *const settings = recording->settings;
    const struct ticks_moment now = ticks_moment_now(recording->session.tsc);
    struct host host;
    host_describe(&host);
    char *const folder = getcwd(NULL, 0);
    const struct scribe_run run = {
        .command = settings->command.argv,
        .folder = folder ? folder : "",
        .kernel = host.kernel,
        .libc = host.libc,
        .cpu = host.cpu,
        .cores = host.n_cores,
        .page_bytes = host.page_bytes,
        .tsc = recording->session.tsc,
        .started_realtime_ns = (uint64_t)now.realtime_ns,
        .root_pid = recording->command.pid,
        .depth = settings->max_depth,
        .flags = recording->session.flags,
    };
    scribe_header(recording->out);
    scribe_run(recording->out, &run);
    scribe_clock(recording->out, &now);
    compress_flush(recording->out);
    free(folder);
    recording->started_ns = now.monotonic_ns;
    atomic_store(&recording->board->started_ns, now.monotonic_ns);
}

/* ---- opening everything ---- */

/* Returns 0, or -ENAMETOOLONG: cut short, it would be the name of another file. */
static int name_trace(struct recording *recording)
{
    const struct collector_settings *const settings = recording->settings;
    char *const path = recording->board->trace_path;
    const size_t cap = sizeof recording->board->trace_path;
    if (settings->trace_path)
        return snprintf(path, cap, "%s", settings->trace_path) < (int)cap ? 0 : -ENAMETOOLONG;
    const char *const slash = strrchr(settings->command.argv[0], '/');
    const char *const name = slash ? slash + 1 : settings->command.argv[0];
    snprintf(path, cap, "heapwise.%.200s.%d.hwt", name, recording->command.pid);
    return 0;
}

static int open_session(struct recording *recording, const struct rlimits *limits)
{
    const struct session_options options = {
        .shim_path = recording->settings->command.shim_path,
        .flags = recording->settings->flags,
        .max_depth = recording->settings->max_depth,
        .main_ring_bytes = recording->settings->main_ring_bytes,
        .max_file_bytes = limits->own_file_bytes,
    };
    int error = session_open(&recording->session, &options);
    if (error)
        return error;
    strcpy(recording->board->session_file, recording->session.file);
    error = slots_init(&recording->slots, &recording->session);
    if (error)
        return error;
    slots_offer(&recording->slots);
    return recording->slots.n_offered ? 0 : -ENOMEM;
}

static int open_trace(struct recording *recording, const struct rlimits *limits)
{
    const struct trace_file_limits bounds = {
        .max_bytes = recording->settings->max_trace_bytes,
        .file_limit_bytes = limits->caller_file_bytes,
    };
    int error = name_trace(recording);
    if (error == 0)
        error = trace_file_open(&recording->file, recording->board->trace_path,
                                recording->settings->trace_path != NULL, &bounds);
    if (error)
        return error;
    recording->out = compress_new(&recording->file);
    recording->places = places_new();
    return recording->out && recording->places ? 0 : -ENOMEM;
}

/* A chunk is written if it were to fit uncompressed. Where all there is is not much more than the
 * largest chunk, the first would be refused and nothing recorded at all. */
static size_t choose_chunk_bytes(const struct trace_file *file)
{
    const uint64_t part = trace_file_room(file) / 32;
    return part < MIN_CHUNK_BYTES ? MIN_CHUNK_BYTES : part < SIZE_MAX ? (size_t)part : SIZE_MAX;
}

static int open_drain(struct recording *recording, const struct rlimits *limits)
{
    tree_init(&recording->tree, recording->command.pid, limits->files > 64 ? limits->files / 2 : 0);
    recording->clock.session = &recording->session;
    recording->drain = (struct drain){
        .slots = &recording->slots,
        .out = recording->out,
        .places = recording->places,
        .tree = &recording->tree,
        .clock = &recording->clock,
        .chunk_bytes = choose_chunk_bytes(&recording->file),
    };
    return drain_init(&recording->drain);
}

/* Open all files of the recording. Returns NULL, or what failed for the reason in *error_out. */
static const char *open_files(struct recording *recording, int *error_out)
{
    struct rlimits limits;
    rlimits_raise(&limits);
    /* While the caller's descriptors are here: the path may be one of them, as in -o >(command). */
    if ((*error_out = open_trace(recording, &limits)))
        return recording->board->trace_path;
    leave_the_callers_world(recording);
    compress_watch_crowding(recording->out);
    if ((*error_out = open_session(recording, &limits)))
        return *error_out == -EFBIG ? "the file size limit (ulimit -f) leaves no room for buffers"
                                    : "cannot create the shared session";
    if ((*error_out = open_drain(recording, &limits)))
        return "cannot create a buffer";
    return NULL;
}

/* Make everything the command needs, then let it go. Returns 0, or 1 with the board filled in. */
static int start(struct recording *recording)
{
    int error = command_fork(&recording->settings->command, &recording->command);
    if (error)
        return fail(recording, BOARD_FAILED, "cannot start a process", error);
    atomic_store(&recording->board->command_pid, recording->command.pid);
    const char *const failed = open_files(recording, &error);
    if (failed) {
        command_cancel(&recording->command);
        trace_file_discard(&recording->file, recording->board->trace_path);
        return fail(recording, BOARD_FAILED, failed, error);
    }
    listen_for_children(recording);
    write_beginning(recording);
    command_go(&recording->command, recording->session.header->session_path);
    slots_offer(&recording->slots); /* beside the exec */
    error = command_wait(&recording->command);
    if (error) {
        trace_file_discard(&recording->file, recording->board->trace_path);
        return fail(recording, BOARD_NO_EXEC, recording->settings->command.program, error);
    }
    if (chdir("/")) /* hold no folder that may be unmounted */
        return 0;
    return 0;
}

/* ---- passes ---- */

static void tell_numbers(struct recording *recording)
{
    struct board *const board = recording->board;
    atomic_store(&board->n_events, recording->drain.n_events);
    atomic_store(&board->n_processes, recording->tree.n_attached);
    atomic_store(&board->live_bytes, recording->drain.live_bytes);
    atomic_store(&board->trace_bytes,
                 recording->n_packed_bytes ? recording->n_packed_bytes : recording->file.n_bytes);
    for (size_t i = 0; i < BOARD_REASONS; i++)
        atomic_store(&board->n_lost[i], recording->drain.n_lost[i]);
}

/* Returns false where it neither stopped nor is about to. Again each pass: it may be only on its way into the stop. */
static bool continue_launcher(const struct recording *recording)
{
    if (!atomic_load(&recording->board->launcher_stopped) || getppid() != recording->launcher_pid)
        return false;
    kill(recording->launcher_pid, SIGCONT);
    return true;
}

static void tell_command_news(struct recording *recording, const struct tree_news *news)
{
    struct board *const board = recording->board;
    if (news->stop_signal) {
        atomic_store(&board->stop_signal, news->stop_signal);
        atomic_fetch_add(&board->n_stops, 1);
        recording_ring_bell(recording);
    }
    if (!recording->tree.command_stopped)
        continue_launcher(recording);
    if (recording->tree.command_ended && atomic_load(&board->phase) == BOARD_RUNNING) {
        atomic_store(&board->wait_status, recording->tree.command_status);
        recording_enter(recording, BOARD_WAITING);
    }
}

/* Say who keeps us waiting. */
static void tell_alive(struct recording *recording, uint64_t now_ns)
{
    struct board *const board = recording->board;
    if (!recording->tree.command_ended || now_ns < recording->next_alive_ns)
        return;
    recording->next_alive_ns = now_ns + ALIVE_NS;
    atomic_store(&board->n_alive, (uint32_t)tree_list_alive(board->alive, sizeof board->alive));
    atomic_fetch_add(&board->alive_version, 1);
}

static void sample(struct recording *recording, uint64_t now_ns, uint64_t ticks)
{
    if (now_ns < recording->next_sample_ns)
        return;
    tree_sample_rss(&recording->tree, ticks, recording->drain.discarding ? NULL : recording->out);
    /* With very many processes, sampling may cost a fiftieth of the time and no more. */
    const uint64_t cost_ns = ticks_monotonic_ns() - now_ns;
    recording->next_sample_ns = now_ns + (cost_ns * 50 > SAMPLE_NS ? cost_ns * 50 : SAMPLE_NS);
}

static void keep_house(struct recording *recording, uint64_t now_ns)
{
    if (now_ns >= recording->next_flush_ns && !recording->drain.discarding) {
        recording->next_flush_ns = now_ns + FLUSH_NS;
        compress_flush(recording->out);
    }
    if (now_ns >= recording->next_housekeeping_ns) {
        recording->next_housekeeping_ns = now_ns + HOUSEKEEPING_NS;
        drain_write_losses(&recording->drain);
        recording_write_unattached(recording);
        if (!recording->drain.discarding) {
            const struct ticks_moment now = ticks_moment_now(recording->session.tsc);
            scribe_clock(recording->out, &now);
        }
    }
    if (compress_error(recording->out) && !recording->drain.discarding)
        recording_stop(recording);
}

/* Tell whether there is anything left to wait for. */
static bool goes_on(const struct recording *recording, bool children)
{
    if (atomic_load(&recording->board->end_requested))
        return false;
    if (!recording->tree.command_ended)
        return true;
    if (recording->settings->flags & SESSION_NO_FOLLOW)
        return false;
    return children || drain_count_live(&recording->drain) > 0;
}

/* One pass. Returns false when nothing is left to wait for. */
static bool run_pass(struct recording *recording, struct drain_pass *pass_out)
{
    struct session_header *const header = recording->session.header;
    const uint64_t now_ns = ticks_monotonic_ns();
    const uint64_t ticks = ticks_now(recording->session.tsc);
    struct tree_news news;
    atomic_fetch_add(&header->heartbeat, 1);
    const bool children = tree_reap(&recording->tree, ticks, &news);
    sample(recording, now_ns, ticks);
    *pass_out = drain_run(&recording->drain);
    coarse_clock_want(&recording->clock, pass_out->wants_clock, now_ns);
    drain_reclaim(&recording->drain, !children || atomic_load(&header->slots_wanted) > 0);
    const bool more = goes_on(recording, children);
    if (more) /* else nobody claims them any more, and they cost 0.15 ms each */
        slots_offer(&recording->slots);
    tree_write_ends(&recording->tree, recording->out);
    keep_house(recording, now_ns);
    tell_numbers(recording);
    tell_command_news(recording, &news);
    if (more)
        tell_alive(recording, now_ns);
    return more;
}

/* How long the fullest ring needs to fill a quarter at the rate of the last pass. */
static uint64_t choose_sleep_ns(const struct recording *recording, const struct drain_pass *pass,
                                uint64_t since_ns)
{
    const uint64_t quarter = recording->session.ring_bytes[0] / 4;
    if (pass->fullest_bytes == 0)
        return SAMPLE_NS;
    const double wanted = (double)since_ns * (double)quarter / (double)pass->fullest_bytes;
    if (wanted < MIN_SLEEP_NS)
        return pass->fullest_bytes > quarter ? 0 : MIN_SLEEP_NS;
    return wanted > SAMPLE_NS ? SAMPLE_NS : (uint64_t)wanted;
}

static void sleep_until_needed(const struct recording *recording, uint32_t wake_before,
                               uint64_t sleep_ns)
{
    struct session_header *const header = recording->session.header;
    if (sleep_ns == 0)
        return;
    atomic_store(&header->asleep, 1);
    if (atomic_load(&header->slots_wanted) == 0 || recording->slots.exhausted)
        futex_wait(&header->wake, wake_before, sleep_ns);
    atomic_store(&header->asleep, 0);
}

static void run_passes(struct recording *recording)
{
    uint64_t before_ns = ticks_monotonic_ns();
    for (;;) {
        struct drain_pass pass;
        const uint32_t wake = atomic_load(&recording->session.header->wake);
        if (!run_pass(recording, &pass))
            return;
        const uint64_t now_ns = ticks_monotonic_ns();
        sleep_until_needed(recording, wake, choose_sleep_ns(recording, &pass, now_ns - before_ns));
        before_ns = now_ns;
    }
}

/* The launcher may have been on its way into a stop, after the command's, when that went on and ended. */
static void see_launcher_go_on(const struct recording *recording)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    for (unsigned i = 0; i < MAX_CONTINUATIONS && continue_launcher(recording); i++)
        nanosleep(&pause, NULL);
}

int collector_run(const struct collector_settings *settings, struct board *board, int bell_fd)
{
    struct recording recording = {
        .settings = settings,
        .board = board,
        .bell_fd = bell_fd,
        .launcher_pid = getppid(),
        .session = {.fd = -1},
        .file = {.fd = -1, .folder_fd = -1},
    };
    int status = start(&recording);
    if (status == 0) {
        recording_enter(&recording, BOARD_RUNNING);
        run_passes(&recording);
        recording_enter(&recording, BOARD_FINISHING);
        see_launcher_go_on(&recording); /* from now on it begins no stop */
        finish_recording(&recording);
        tell_numbers(&recording);
        recording_enter(&recording, BOARD_DONE);
    }
    recording_fini(&recording);
    return status;
}
