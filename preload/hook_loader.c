/* SPDX-License-Identifier: MIT */
/* Hooks of dlopen, dlmopen and dlclose.
 *
 * Opening needs no work after it: a module is noted when a stack first touches it. The loader looks
 * at its caller's return address for RPATH, $ORIGIN and namespace, so the opening hooks are jumps
 * (arch_x86_64.S) that pass through here for a look. RTLD_DEEPBIND is left as it is: allocations that
 * the opened library binds to libc directly are not seen, and the user is told so. */
#include <dlfcn.h>
#include <errno.h>

#include "preload/event.h"
#include "preload/modules.h"
#include "preload/real.h"
#include "preload/session.h"

#define EXPORT __attribute__((visibility("default")))

void *loader_saw_dlopen(const char *path, int flags);
void *loader_saw_dlmopen(Lmid_t namespace, const char *path, int flags);

static void look(const char *path, int flags)
{
    session_start();
    if (!(flags & RTLD_DEEPBIND))
        return;
    const int error = errno;
    struct lane *const lane = session_enter();
    if (lane)
        event_number_text(lane, TRACE_REMARK, TRACE_REMARK_DEEPBIND, path ? path : "");
    session_leave(lane);
    errno = error;
}

void *loader_saw_dlopen(const char *path, int flags)
{
    look(path, flags);
    return (void *)(uintptr_t)real.dlopen_jump;
}

void *loader_saw_dlmopen(Lmid_t namespace, const char *path, int flags)
{
    (void)namespace;
    look(path, flags);
    return (void *)(uintptr_t)real.dlmopen_jump;
}

EXPORT int dlclose(void *handle)
{
    if (!real.dlclose)
        session_start();
    const int result = real.dlclose(handle);
    const int error = errno;
    struct lane *const lane = session_enter();
    if (lane)
        modules_sweep(lane);
    session_leave(lane);
    errno = error;
    return result;
}
