/* SPDX-License-Identifier: MIT */
/* How the command gets under way.
 *
 *   collector                       child
 *   fork ------------------------->  blocks on the gate, all signals still blocked
 *   own session, limits, files
 *   session path -> gate --------->  environment, the caller's signal mask, execve
 *   end of file  <- exec pipe -----  closed by a successful exec, or errno written
 *
 * execve is called as a bare system call: should this process itself be recorded by an outer
 * session, that session's exec hook must not put its own entries back. */
#include "collector/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/session_layout.h"

enum { LOOK_MS = 20 }; /* between two looks at a child whose exec takes long */

static const char preload_key[] = "LD_PRELOAD=";
static const char session_key[] = SESSION_ENVIRONMENT "=";
static const char shim_name[] = "libheapwise-preload.so";

static bool starts_with(const char *text, const char *key)
{
    return strncmp(text, key, strlen(key)) == 0;
}

static bool is_a_shim(const char *entry, size_t n)
{
    const size_t n_name = sizeof shim_name - 1;
    return n >= n_name && memcmp(entry + n - n_name, shim_name, n_name) == 0 &&
           (n == n_name || entry[n - n_name - 1] == '/');
}

/* Append the entries of an old LD_PRELOAD value that are not shims of ours. */
static void append_entries(char *value, const char *old)
{
    char *at = value + strlen(value);
    while (*old) {
        const size_t n = strcspn(old, ": ");
        if (n && !is_a_shim(old, n)) {
            *at++ = ':';
            memcpy(at, old, n);
            at += n;
        }
        old += n + (old[n] != 0);
    }
    *at = 0;
}

char **command_environment(char *const *environment, const char *shim_path,
                           const char *session_path)
{
    size_t n = 0;
    const char *old = "";
    for (; environment[n]; n++)
        if (starts_with(environment[n], preload_key))
            old = environment[n] + strlen(preload_key);
    const size_t n_preload = sizeof preload_key + strlen(shim_path) + strlen(old) + 2;
    const size_t n_session = sizeof session_key + strlen(session_path);
    char **const made = malloc((n + 3) * sizeof *made + n_preload + n_session);
    if (!made)
        return NULL;
    char *const preload = (char *)(made + n + 3);
    char *const session = preload + n_preload;
    strcpy(stpcpy(preload, preload_key), shim_path);
    append_entries(preload, old);
    strcpy(stpcpy(session, session_key), session_path);
    bool preloads = false;
    size_t n_made = 0;
    for (size_t i = 0; i < n; i++) {
        if (starts_with(environment[i], session_key) ||
            (preloads && starts_with(environment[i], preload_key)))
            continue;
        const bool here = starts_with(environment[i], preload_key);
        made[n_made++] = here ? preload : environment[i];
        preloads |= here;
    }
    if (!preloads)
        made[n_made++] = preload;
    made[n_made++] = session;
    made[n_made] = NULL;
    return made;
}

static void tell_errno(int exec_fd, int error)
{
    const int32_t told = error;
    signal(SIGPIPE, SIG_IGN); /* nobody listens who saw us stopped */
    if (write(exec_fd, &told, sizeof told) != sizeof told)
        return; /* the exit status says as much */
}

/* The child's part: wait at the gate, then become the command. */
static _Noreturn void become_command(const struct command_plan *plan, int gate_fd, int exec_fd)
{
    char session_path[SESSION_PATH_BYTES];
    size_t n = 0;
    ssize_t got;
    while ((got = read(gate_fd, session_path + n, sizeof session_path - n)) != 0) {
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            break;
    }
    if (n == 0 || n == sizeof session_path)
        _exit(125);
    session_path[n] = 0;
    char **const environment = command_environment(environ, plan->shim_path, session_path);
    if (plan->ignores_children)
        signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_SETMASK, &plan->signal_mask, NULL);
    if (environment)
        syscall(SYS_execve, plan->program, plan->argv, environment);
    const int error = environment ? errno : ENOMEM;
    tell_errno(exec_fd, error);
    _exit(error == ENOENT ? 127 : 126);
}

int command_fork(const struct command_plan *plan, struct command_process *command_out)
{
    int gate[2];
    int exec[2];
    if (pipe2(gate, O_CLOEXEC))
        return -errno;
    if (pipe2(exec, O_CLOEXEC)) {
        const int error = -errno;
        close(gate[0]);
        close(gate[1]);
        return error;
    }
    const pid_t pid = fork();
    const int error = pid < 0 ? -errno : 0;
    if (pid == 0) {
        close(gate[1]);
        close(exec[0]);
        become_command(plan, gate[0], exec[1]);
    }
    close(gate[0]);
    close(exec[1]);
    if (error) {
        close(gate[1]);
        close(exec[0]);
        return error;
    }
    *command_out = (struct command_process){.pid = pid, .gate_fd = gate[1], .exec_fd = exec[0]};
    return 0;
}

/* Tell whether the child was stopped; its parent may still wait for the news. */
static bool is_stopped(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Wait until the exec pipe says something. Returns false where it may not for long, the child having
 * been stopped on its way: a ^Z that was pending acts as soon as the caller's signal mask is back. */
static bool wait_for_exec(const struct command_process *command)
{
    struct pollfd polled = {.fd = command->exec_fd, .events = POLLIN};
    while (poll(&polled, 1, LOOK_MS) <= 0)
        if (is_stopped(command->pid))
            return false;
    return true;
}

void command_go(struct command_process *command, const char *session_path)
{
    const size_t n = strlen(session_path);
    command->gate_opened = write(command->gate_fd, session_path, n) == (ssize_t)n;
    close(command->gate_fd);
}

int command_wait(struct command_process *command)
{
    int32_t error = command->gate_opened ? 0 : ECHILD;
    ssize_t got = 0;
    if (!wait_for_exec(command)) {
        close(command->exec_fd);
        return 0;
    }
    do
        got = read(command->exec_fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(command->exec_fd);
    return -error;
}

void command_cancel(struct command_process *command)
{
    close(command->gate_fd);
    close(command->exec_fd);
    waitpid(command->pid, NULL, 0);
}
