/* SPDX-License-Identifier: MIT */
/* How the launcher stands in for the command.
 *
 * All signals are blocked and read from a signalfd, which also says who sent them: what the terminal
 * sends has reached the command as well, being in the same process group; what was sent to us by
 * kill(2) is passed on. No disposition is touched, so the command inherits the caller's. */
#include "cli/launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cli/message.h"
#include "collector/descriptors.h"
#include "collector/status_line.h"
#include "collector/ticks.h"

enum launcher_periods {
    DRAW_MS = 250,              /* four times a second is enough for an eye */
    LOOK_MS = 500,              /* while waiting for descendants */
    FIRST_DRAW_NS = 1000000000, /* a short run shows no line at all */
};
static const uint64_t announce_after_ns = UINT64_C(2000000000);

struct launcher {
    const struct launch *launch;
    struct board *board;
    pid_t collector_pid;
    int collector_status;
    bool collector_gone;
    int signal_fd;
    int bell_fd;
    sigset_t held;    /* signals to pass on that came before the command was there */
    bool passed_stop; /* one to stop was passed on, and none to continue since */
    uint32_t n_stops; /* of the board's, acted upon */
    uint64_t waiting_since_ns;
    bool announced; /* whom we wait for was said */
    bool packs;     /* BOARD_PACKING was seen */
    bool line_drawn;
};

/* ---- the status line ---- */

/* Only where it disturbs nobody: our terminal, in line mode (an editor switches that off), and we are
 * in its foreground. */
static bool may_draw(const struct launcher *launcher)
{
    struct termios mode;
    if (launcher->launch->progress != LAUNCH_PROGRESS_AUTO)
        return launcher->launch->progress == LAUNCH_PROGRESS_ALWAYS;
    return tcgetattr(STDERR_FILENO, &mode) == 0 && (mode.c_lflag & ICANON) &&
           (mode.c_lflag & ECHO) && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void clear_line(struct launcher *launcher)
{
    if (!launcher->line_drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    launcher->line_drawn = false;
}

static void draw_line(struct launcher *launcher)
{
    char line[128];
    const uint64_t now_ns = ticks_monotonic_ns();
    const uint64_t started_ns = atomic_load(&launcher->board->started_ns);
    if (started_ns == 0 || now_ns - started_ns < FIRST_DRAW_NS || !may_draw(launcher))
        return;
    status_line_format(launcher->board, now_ns, line, sizeof line);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    launcher->line_drawn = true;
}

/* ---- what /proc says of a process ---- */

/* State letter and parent out of /proc/PID/stat; the name before them may hold anything. */
static bool read_stat(int pid, char *state_out, int *parent_out)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *const file = fopen(path, "re");
    if (!file)
        return false;
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    const char *const after_name = strrchr(text, ')');
    return after_name && sscanf(after_name, ") %c %d", state_out, parent_out) == 2;
}

static bool is_stopped(int pid)
{
    char state;
    int parent;
    return read_stat(pid, &state, &parent) && (state == 'T' || state == 't');
}

/* Tell whether `pid` descends from the collector: the command or something it started. */
static bool is_recorded(const struct launcher *launcher, int pid)
{
    char state;
    for (unsigned i = 0; i < 64 && pid > 1; i++) {
        if (!read_stat(pid, &state, &pid))
            return false;
        if (pid == launcher->collector_pid)
            return true;
    }
    return false;
}

/* ---- signals ---- */

static bool command_runs(const struct launcher *launcher)
{
    return atomic_load(&launcher->board->phase) == BOARD_RUNNING;
}

static bool stops(int signal_number)
{
    return signal_number == SIGTSTP || signal_number == SIGTTIN || signal_number == SIGTTOU;
}

static bool undoes(int signal_number, int other)
{
    return signal_number == SIGCONT ? stops(other) : stops(signal_number) && other == SIGCONT;
}

/* Keep it until the command is there. As in the kernel, a stop and a continuation undo each other:
 * both are pending for the moment between, and the command would stop when it is to go on. */
static void hold(sigset_t *held, int signal_number)
{
    for (int i = 1; i < NSIG; i++)
        if (undoes(signal_number, i))
            sigdelset(held, i);
    sigaddset(held, signal_number);
}

/* A command that runs has had the continuation itself. But a stop that we passed on may have come after that, and not
 * be seen yet: it would never be undone. */
static bool wants_continuation(const struct launcher *launcher, int pid)
{
    return launcher->passed_stop || is_stopped(pid);
}

static void pass_on(struct launcher *launcher, int signal_number)
{
    const int pid = atomic_load(&launcher->board->command_pid);
    /* What is held comes first: a continuation that overtook its stop would leave the command stopped. */
    const bool holding = !sigisemptyset(&launcher->held);
    if (holding || atomic_load(&launcher->board->phase) == BOARD_STARTING) {
        hold(&launcher->held, signal_number);
        return;
    }
    if (!command_runs(launcher) || (signal_number == SIGCONT && !wants_continuation(launcher, pid)))
        return;
    kill(pid, signal_number);
    if (stops(signal_number) || signal_number == SIGCONT)
        launcher->passed_stop = stops(signal_number);
}

/* A command that stopped has had its stop, in the group that is ours, too. */
static void pass_on_held(struct launcher *launcher)
{
    const bool stopped = is_stopped(atomic_load(&launcher->board->command_pid));
    const sigset_t held = launcher->held;
    sigemptyset(&launcher->held);
    for (int i = 1; i < NSIG; i++)
        if (sigismember(&held, i) == 1 && !(stopped && stops(i)))
            pass_on(launcher, i);
}

/* A wish to end, once the command itself has ended: said first, granted the second time; at once where
 * only packing is left. What came before we saw that, was meant for the command. */
static void wish_to_end(struct launcher *launcher)
{
    if (launcher->packs)
        atomic_store(&launcher->board->packing_unwanted, 1);
    else if (launcher->announced)
        atomic_store(&launcher->board->end_requested, 1);
    else
        launcher->waiting_since_ns = 1; /* say at once whom we wait for */
}

static void handle_signal(struct launcher *launcher, const struct signalfd_siginfo *info)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    const int number = (int)info->ssi_signo;
    if (number == SIGCHLD)
        return; /* looked at after every wake-up */
    if (atomic_load(&launcher->board->phase) >= BOARD_WAITING) {
        for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
            if (number == ending[i])
                wish_to_end(launcher);
        return;
    }
    if (info->ssi_code > 0 || number == SIGPIPE)
        return; /* the kernel's: the terminal told the command too; a broken pipe is ours alone */
    const int sender = (int)info->ssi_pid;
    /* A program that signals its own group means itself; twice would be once too often. */
    if (sender == getpid() || (sender > 0 && is_recorded(launcher, sender)))
        return;
    pass_on(launcher, number);
}

static void read_signals(struct launcher *launcher)
{
    struct signalfd_siginfo info;
    while (read(launcher->signal_fd, &info, sizeof info) == sizeof info)
        handle_signal(launcher, &info);
}

/* ---- stopping with the command ---- */

static void unblock_and_raise(int signal_number)
{
    sigset_t set;
    struct sigaction before;
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigaction(signal_number, &by_default, &before);
    kill(getpid(), signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL); /* stops here */
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(signal_number, &before, NULL);
}

static void stop_by(int signal_number)
{
    if (stops(signal_number))
        unblock_and_raise(signal_number);
    else
        kill(getpid(), SIGSTOP);
}

/* The command stopped: do the same by the same signal, so that the shell sees its job stop. */
static void stop_too(struct launcher *launcher, int pid, int signal_number)
{
    read_signals(launcher); /* to stop would make a continuation undone that came just now */
    if (!is_stopped(pid))
        return;
    clear_line(launcher);
    atomic_store(&launcher->board->launcher_stopped, 1);
    if (atomic_load(&launcher->board->phase) <= BOARD_RUNNING) /* else nobody would continue us */
        stop_by(signal_number);
    atomic_store(&launcher->board->launcher_stopped, 0);
    if (is_stopped(pid))
        kill(pid, SIGCONT); /* only we were continued */
}

/* ---- what the board says ---- */

static void announce_waiting(struct launcher *launcher)
{
    struct board *const board = launcher->board;
    const uint64_t now_ns = ticks_monotonic_ns();
    if (launcher->waiting_since_ns == 0)
        launcher->waiting_since_ns = now_ns;
    const uint32_t n = atomic_load(&board->n_alive);
    if (launcher->announced || now_ns - launcher->waiting_since_ns < announce_after_ns ||
        atomic_load(&board->alive_version) == 0)
        return;
    launcher->announced = true;
    clear_line(launcher);
    message_hint("waiting for %u process%s that still run%s: %.*s", n, n == 1 ? "" : "es",
                 n == 1 ? "s" : "", (int)sizeof board->alive - 1, board->alive);
    message_hint("Ctrl-C ends the recording; programs go on");
}

static void read_board(struct launcher *launcher)
{
    struct board *const board = launcher->board;
    const uint32_t n_stops = atomic_load(&board->n_stops);
    if (command_runs(launcher) && !sigisemptyset(&launcher->held))
        pass_on_held(launcher);
    if (n_stops != launcher->n_stops && command_runs(launcher)) {
        launcher->n_stops = n_stops;
        stop_too(launcher, atomic_load(&board->command_pid), atomic_load(&board->stop_signal));
    }
    if (atomic_load(&board->phase) == BOARD_WAITING)
        announce_waiting(launcher);
    launcher->packs = atomic_load(&board->phase) == BOARD_PACKING;
}

static void reap_collector(struct launcher *launcher)
{
    if (!launcher->collector_gone && waitpid(launcher->collector_pid, &launcher->collector_status,
                                             WNOHANG) == launcher->collector_pid)
        launcher->collector_gone = true;
}

static int choose_timeout_ms(const struct launcher *launcher)
{
    if (atomic_load(&launcher->board->phase) == BOARD_WAITING)
        return LOOK_MS;
    return launcher->launch->progress == LAUNCH_PROGRESS_NEVER ? -1 : DRAW_MS;
}

static void empty_bell(int bell_fd)
{
    char byte;
    while (recv(bell_fd, &byte, 1, MSG_DONTWAIT) > 0)
        ;
}

static void wait_for_collector(struct launcher *launcher)
{
    while (!launcher->collector_gone) {
        struct pollfd polled[] = {{.fd = launcher->signal_fd, .events = POLLIN},
                                  {.fd = launcher->bell_fd, .events = POLLIN}};
        const int n = poll(polled, 2, choose_timeout_ms(launcher));
        read_signals(launcher); /* before the board: a Ctrl-C that ended the command came first */
        empty_bell(launcher->bell_fd);
        reap_collector(launcher);
        read_board(launcher);
        if (n == 0 && atomic_load(&launcher->board->phase) == BOARD_RUNNING)
            draw_line(launcher);
        if (polled[1].revents & POLLHUP)
            launcher->bell_fd = -1; /* poll passes over it; SIGCHLD follows */
    }
    clear_line(launcher);
}

/* ---- a collector that died ---- */

/* Its children have become ours (we are a subreaper): wait for the command alone. */
static void wait_without_collector(struct launcher *launcher)
{
    struct board *const board = launcher->board;
    const int pid = atomic_load(&board->command_pid);
    int status;
    if (board->session_file[0]) {
        unlink(board->session_file);
        *strrchr(board->session_file, '/') = 0;
        rmdir(board->session_file);
    }
    while (pid > 0) {
        const pid_t got = waitpid(pid, &status, WUNTRACED | WNOHANG);
        if (got < 0 && errno != EINTR)
            return;
        if (got == pid && !WIFSTOPPED(status))
            return;
        if (got == pid)
            stop_too(launcher, pid, WSTOPSIG(status));
        struct pollfd polled = {.fd = launcher->signal_fd, .events = POLLIN};
        poll(&polled, 1, LOOK_MS);
        read_signals(launcher);
    }
}

static enum launch_outcome judge(struct launcher *launcher)
{
    const uint32_t phase = atomic_load(&launcher->board->phase);
    if (phase == BOARD_FAILED)
        return LAUNCH_FAILED;
    if (phase == BOARD_NO_EXEC)
        return LAUNCH_NO_EXEC;
    if (phase == BOARD_DONE)
        return LAUNCH_RECORDED;
    const int status = launcher->collector_status;
    message_error("collector",
                  WIFSIGNALED(status) ? "killed by signal %d; the trace ends here"
                                      : "ended with status %d; the trace ends here",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (phase <= BOARD_RUNNING)
        wait_without_collector(launcher);
    return LAUNCH_COLLECTOR_DIED;
}

/* ---- setting out ---- */

static void block_signals(sigset_t *before_out)
{
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++)
        sigdelset(&all, synchronous[i]);
    sigprocmask(SIG_SETMASK, &all, before_out);
}

/* A caller that ignores SIGCHLD hands that on through exec, and then the kernel reaps our children
 * itself: neither the collector nor the command could be waited for. Tells whether it was so. */
static bool stop_ignoring_children(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    struct sigaction before;
    return sigaction(SIGCHLD, &by_default, &before) == 0 && before.sa_handler == SIG_IGN;
}

static int open_signal_fd(void)
{
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    return signalfd(-1, &blocked, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void let_go_of_the_rest(const struct launcher *launcher)
{
    int keep[] = {launcher->signal_fd, launcher->bell_fd};
    descriptors_to_null(STDIN_FILENO);
    if (!launcher->launch->keep_stdout)
        descriptors_to_null(STDOUT_FILENO);
    descriptors_close_others(keep, sizeof keep / sizeof *keep);
}

enum launch_outcome launcher_run(struct launch *launch, const struct board **board_out)
{
    struct launcher launcher = {.launch = launch};
    int bell[2];
    descriptors_fill_standard();
    launcher.board = mmap(NULL, sizeof *launcher.board, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (launcher.board == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bell))
        return LAUNCH_NO_MEMORY;
    *board_out = launcher.board;
    sigemptyset(&launcher.held);
    block_signals(&launch->collector.command.signal_mask);
    launch->collector.command.ignores_children = stop_ignoring_children();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    launcher.collector_pid = fork();
    if (launcher.collector_pid < 0)
        return LAUNCH_NO_MEMORY;
    if (launcher.collector_pid == 0) {
        close(bell[0]);
        _exit(collector_run(&launch->collector, launcher.board, bell[1]));
    }
    close(bell[1]);
    launcher.bell_fd = bell[0];
    launcher.signal_fd = open_signal_fd();
    let_go_of_the_rest(&launcher);
    wait_for_collector(&launcher);
    return judge(&launcher);
}
