/* SPDX-License-Identifier: MIT */
/* Hooks of exec and posix_spawn: children that exec are followed also when their environment was
 * scrubbed, and our entry is taken out where the new image's loader could not use it.
 *
 * In a vfork child the memory is the parent's: its exec is not recorded there, and all is done on the stack.
 * The variants with a list of arguments collect it on the stack, too; alloca is bounded by
 * what the kernel accepts, and a larger environment is handed on as it is. */
#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "preload/environment.h"
#include "preload/event.h"
#include "preload/kernel_io.h"
#include "preload/newimage.h"
#include "preload/real.h"
#include "preload/session.h"
#include "preload/syscalls.h"

#define EXPORT __attribute__((visibility("default")))

enum {
    STACK_BYTES = 256 * 1024, /* most that an environment may take of the caller's stack */
};

/* Everything one exec needs to know; the functions below fill the gaps by it. */
struct launch {
    const char *path;
    bool search; /* by PATH, as execvp */
    struct newimage image;
    struct environment_plan plan;
};

static void count_unattached(enum trace_unattached reason, int64_t n)
{
    if (reason)
        atomic_fetch_add(&session.header->n_unattached[reason], (uint64_t)n);
}

static struct launch prepare(const char *path, bool search, char *const *environment)
{
    struct launch launch = {.path = path, .search = search, .plan = {.as_it_is = true}};
    session_start();
    if (!session.header || !path)
        return launch;
    const bool follow = session_follows() && atomic_load(&session.state) == SESSION_ON;
    if (follow && !atomic_load(&session.syscalls_risky))
        launch.image = newimage_inspect(path, search);
    launch.plan = environment_plan(environment, follow && !launch.image.drop_entry);
    if (launch.plan.n_pointers * sizeof(char *) + launch.plan.n_text_bytes > STACK_BYTES)
        launch.plan.as_it_is = true;
    count_unattached(launch.image.reason, 1);
    return launch;
}

static void record_exec(const struct launch *launch)
{
    kernel_io_end();
    struct lane *const lane = session_enter();
    if (lane && !session_is_guest())
        event_text(lane, TRACE_EXEC, launch->path ? launch->path : "");
    session_leave(lane);
}

/* Only a failed exec comes back. */
static void record_failure(const struct launch *launch)
{
    const int error = errno;
    count_unattached(launch->image.reason, -1);
    struct lane *const lane = session_enter();
    if (lane && !session_is_guest())
        event_number(lane, TRACE_EXEC_FAIL, error);
    session_leave(lane);
    errno = error;
}

/* Build the environment in the calling function's frame: alloca must not be in a callee. */
#define NEW_ENVIRONMENT(fresh, launch, given)                                                      \
    char **const pointers = alloca((launch).plan.as_it_is ? 0 : (launch).plan.n_pointers * 8);     \
    char *const text = alloca((launch).plan.as_it_is ? 0 : (launch).plan.n_text_bytes);            \
    char *const *const fresh =                                                                     \
        (launch).plan.as_it_is ? (given) : built(&(launch).plan, (given), pointers, text)

static char *const *built(const struct environment_plan *plan, char *const *given, char **pointers,
                          char *text)
{
    environment_build(plan, given, pointers, text);
    return pointers;
}

static int run(const char *path, bool search, char *const *arguments, char *const *environment)
{
    const struct launch launch = prepare(path, search, environment);
    NEW_ENVIRONMENT(fresh, launch, environment);
    record_exec(&launch);
    const int result =
        search ? real.execvpe(path, arguments, fresh) : real.execve(path, arguments, fresh);
    record_failure(&launch);
    return result;
}

EXPORT int execve(const char *path, char *const *arguments, char *const *environment)
{
    return run(path, false, arguments, environment);
}

EXPORT int execv(const char *path, char *const *arguments)
{
    return run(path, false, arguments, environ);
}

EXPORT int execvp(const char *file, char *const *arguments)
{
    return run(file, true, arguments, environ);
}

EXPORT int execvpe(const char *file, char *const *arguments, char *const *environment)
{
    return run(file, true, arguments, environment);
}

static size_t count_arguments(va_list list)
{
    size_t n = 1;
    while (va_arg(list, char *))
        n++;
    return n;
}

static void copy_arguments(va_list list, const char *first, char **arguments_out, size_t n)
{
    arguments_out[0] = (char *)(uintptr_t)first;
    for (size_t i = 1; i <= n; i++)
        arguments_out[i] = va_arg(list, char *);
}

/* Gather (first, ..., NULL) into `arguments`; the same lines in three functions, because a list can be
 * walked only where it was begun. */
#define GATHER(arguments, list, first)                                                             \
    va_start(list, first);                                                                         \
    const size_t n_arguments = first ? count_arguments(list) : 0;                                  \
    va_end(list);                                                                                  \
    char **const arguments = alloca((n_arguments + 1) * sizeof(char *));                           \
    va_start(list, first);                                                                         \
    if (n_arguments)                                                                               \
        copy_arguments(list, first, arguments, n_arguments);                                       \
    else                                                                                           \
        arguments[0] = NULL

EXPORT int execl(const char *path, const char *first, ...)
{
    va_list list;
    GATHER(arguments, list, first);
    va_end(list);
    return run(path, false, arguments, environ);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
    va_list list;
    GATHER(arguments, list, first);
    va_end(list);
    return run(file, true, arguments, environ);
}

EXPORT int execle(const char *path, const char *first, ...)
{
    va_list list;
    GATHER(arguments, list, first);
    char *const *const environment = va_arg(list, char *const *);
    va_end(list);
    return run(path, false, arguments, environment);
}

/* The file that an open descriptor stands for, as a path: "/proc/self/fd/N", then "/" and `name` where
 * there is one. stdio is not for the shim. */
static void name_descriptor(char *path_out, size_t cap, int fd, const char *name)
{
    static const char folder[] = "/proc/self/fd/";
    char digits[12];
    size_t n_digits = 0;
    for (unsigned rest = fd < 0 ? 0 : (unsigned)fd; n_digits == 0 || rest; rest /= 10)
        digits[n_digits++] = (char)('0' + rest % 10);
    char *at = path_out;
    memcpy(at, folder, sizeof folder - 1);
    at += sizeof folder - 1;
    while (n_digits > 0)
        *at++ = digits[--n_digits];
    const size_t n_left = cap - (size_t)(at - path_out);
    const size_t n_name = name ? strlen(name) : 0;
    if (n_name > 0 && n_name + 2 <= n_left) {
        *at++ = '/';
        memcpy(at, name, n_name);
        at += n_name;
    }
    *at = '\0';
}

EXPORT int fexecve(int fd, char *const *arguments, char *const *environment)
{
    char path[64];
    name_descriptor(path, sizeof path, fd, NULL);
    const struct launch launch = prepare(path, false, environment);
    NEW_ENVIRONMENT(fresh, launch, environment);
    record_exec(&launch);
    const int result = real.fexecve(fd, arguments, fresh);
    record_failure(&launch);
    return result;
}

EXPORT int execveat(int folder, const char *path, char *const *arguments, char *const *environment,
                    int flags)
{
    char name[4352];
    const bool is_named = path && (path[0] == '/' || folder == AT_FDCWD);
    if (!is_named)
        name_descriptor(name, sizeof name, folder, path);
    const struct launch launch = prepare(is_named ? path : name, false, environment);
    NEW_ENVIRONMENT(fresh, launch, environment);
    record_exec(&launch);
    const int result = real.execveat(folder, path, arguments, fresh, flags);
    record_failure(&launch);
    return result;
}

/* posix_spawn runs in a vfork child inside libc and calls no hook there. */
EXPORT int posix_spawn(pid_t *child_out, const char *path,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const *arguments,
                       char *const *environment)
{
    const struct launch launch = prepare(path, false, environment);
    NEW_ENVIRONMENT(fresh, launch, environment);
    const int error = real.posix_spawn(child_out, path, actions, attributes, arguments, fresh);
    if (error)
        count_unattached(launch.image.reason, -1);
    return error;
}

EXPORT int posix_spawnp(pid_t *child_out, const char *file,
                        const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const *arguments,
                        char *const *environment)
{
    const struct launch launch = prepare(file, true, environment);
    NEW_ENVIRONMENT(fresh, launch, environment);
    const int error = real.posix_spawnp(child_out, file, actions, attributes, arguments, fresh);
    if (error)
        count_unattached(launch.image.reason, -1);
    return error;
}
