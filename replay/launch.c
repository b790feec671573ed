/* SPDX-License-Identifier: MIT */
/* Which program and which library a run needs, and how it is started: the environment is the user's but
 * for LD_PRELOAD; ld.so's complaint about a library that is missing is not shown, for the replayer tells
 * whose malloc it has. */
#include "replay/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char player_name[] = "heapwise-replayer";

/* From the folder of the program; as the shim is found. */
static const char *const places[] = {
    "../replay",         "replay",          ".",
    HEAPWISE_SHIM_PLACE, "../lib/heapwise", "../lib/x86_64-linux-gnu/heapwise",
    "../lib64/heapwise",
};

static const struct known {
    const char *name;
    const char *libraries[3]; /* sonames, the first that is there is taken */
} known[] = {
    {"native", {NULL}},
    {"glibc", {NULL}},
    {"jemalloc", {"libjemalloc.so.2"}},
    {"mimalloc", {"libmimalloc.so.2.0", "libmimalloc.so.2", "libmimalloc.so.3"}},
    {"tcmalloc", {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4"}},
};

/* Descriptors in the replayer; above what a library may have opened by number. */
enum { OPS_FD = 198, RESULT_FD = 199, FIRST_FREE_FD = 200 };

int launch_find_player(char path_out[LAUNCH_PATH_BYTES])
{
    char folder[LAUNCH_PATH_BYTES], joined[2 * LAUNCH_PATH_BYTES];
    const ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n <= 0)
        return -ENOENT;
    folder[n] = 0;
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(joined, sizeof joined, "%s/%s/%s", folder, places[i], player_name);
        if (access(joined, X_OK) == 0 && realpath(joined, path_out))
            return 0;
    }
    return -ENOENT;
}

const char *launch_known(size_t i)
{
    return i < sizeof known / sizeof *known ? known[i].name : NULL;
}

/* ---- one run ---- */

/* The environment with LD_PRELOAD set or left out; `preload` is that variable's text. NULL: no memory. */
static char **make_environment(char *preload)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **const made = calloc(n + 2, sizeof *made);
    size_t at = 0;
    for (size_t i = 0; made && i < n; i++)
        if (strncmp(environ[i], "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0)
            made[at++] = environ[i];
    if (made && preload[0])
        made[at] = preload;
    return made;
}

static int spawn(const struct launch *launch, const char *mode, int result_fd, pid_t *pid_out)
{
    char preload[LAUNCH_PATH_BYTES + 16] = "", row[16], ops[16], result[16];
    char *const arguments[] = {(char *)launch->player, ops, result, (char *)mode, row, NULL};
    posix_spawn_file_actions_t actions;
    if (launch->allocator && launch->allocator->preload[0])
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", launch->allocator->preload);
    snprintf(row, sizeof row, "%d", launch->row);
    snprintf(ops, sizeof ops, "%d", OPS_FD);
    snprintf(result, sizeof result, "%d", RESULT_FD);
    char **const environment = make_environment(preload);
    if (!environment)
        return -ENOMEM;
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        /* First these: started without standard streams, we have the operations under such a number. */
        if (launch->ops_fd >= 0)
            posix_spawn_file_actions_adddup2(&actions, launch->ops_fd, OPS_FD);
        posix_spawn_file_actions_adddup2(&actions, result_fd, RESULT_FD);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
        error = posix_spawn(pid_out, launch->player, &actions, NULL, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    free(environment);
    return -error;
}

static bool receive(int fd, void *bytes, size_t n_bytes)
{
    uint8_t *at = bytes;
    while (n_bytes) {
        const ssize_t n = read(fd, at, n_bytes);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? n : 0;
        n_bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Whoever started us with SIGCHLD ignored leaves no status: the figures alone tell then. */
static int reap(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno == ECHILD ? 0 : -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* Run with `mode`; rows is NULL where none come. */
static int run(const struct launch *launch, const char *mode, struct ops_figures *figures,
               struct ops_row_figures *rows)
{
    int low[2], ends[2];
    pid_t pid;
    if (pipe2(low, O_CLOEXEC))
        return -errno;
    /* Above the numbers that are given out in the child. */
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    close(low[0]);
    close(low[1]);
    int error = ends[0] < 0 || ends[1] < 0 ? -EMFILE : spawn(launch, mode, ends[1], &pid);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error == 0) {
        const bool is_whole =
            receive(ends[0], figures, sizeof *figures) &&
            (!rows || receive(ends[0], rows, (launch->n_rows + 1) * sizeof *rows));
        const int ended = reap(pid);
        error = is_whole && figures->magic == OPS_MAGIC ? ended : -EIO;
    }
    if (ends[0] >= 0)
        close(ends[0]);
    return error;
}

int launch_run(const struct launch *launch, struct ops_figures *figures_out,
               struct ops_row_figures *rows)
{
    const int error = run(launch, launch->allocator ? "run" : "empty", figures_out, rows);
    figures_out->module[OPS_MODULE_BYTES - 1] = 0;
    return error;
}

/* ---- allocators ---- */

/* Whose malloc it is when found->preload is preloaded. */
static int probe(const char *player, struct launch_allocator *found)
{
    struct ops_figures figures = {.magic = 0};
    const struct launch launch = {.player = player, .allocator = found, .ops_fd = -1};
    const int error = run(&launch, "probe", &figures, NULL);
    if (error)
        return error == -ENOMEM || error == -EMFILE ? error : -ENOEXEC;
    memcpy(found->module, figures.module, sizeof found->module);
    found->module[OPS_MODULE_BYTES - 1] = 0;
    return 0;
}

static bool is_c_library(const char *module)
{
    const char *const slash = strrchr(module, '/');
    return strncmp(slash ? slash + 1 : module, "libc.so", strlen("libc.so")) == 0;
}

static int find_file(const char *player, const char *name, struct launch_allocator *found)
{
    char path[LAUNCH_PATH_BYTES];
    if (!realpath(name, path))
        return -ENOENT;
    if (strpbrk(path, " :\t\n"))
        return -EINVAL;
    memcpy(found->preload, path, sizeof path);
    const int error = probe(player, found);
    return error ? error : is_c_library(found->module) ? -EINVAL : 0;
}

static int find_known(const char *player, const struct known *row, struct launch_allocator *found)
{
    int error = row->libraries[0] ? -ENOENT : probe(player, found);
    for (size_t i = 0; i < 3 && row->libraries[i]; i++) {
        snprintf(found->preload, sizeof found->preload, "%s", row->libraries[i]);
        error = probe(player, found);
        if (error || !is_c_library(found->module))
            return error;
        error = -ENOENT;
    }
    return error;
}

int launch_find_allocator(const char *player, const char *name, struct launch_allocator *found_out)
{
    struct launch_allocator found = {.name = name};
    int error = -ENOENT;
    const struct known *row = known;
    while (row < known + sizeof known / sizeof *known && strcmp(row->name, name) != 0)
        row++;
    if (row < known + sizeof known / sizeof *known)
        error = find_known(player, row, &found);
    else if (strchr(name, '/') || strstr(name, ".so"))
        error = find_file(player, name, &found);
    if (error == 0)
        *found_out = found;
    return error;
}
