/* SPDX-License-Identifier: MIT */
#include "preload/folder.h"

#include "preload/event.h"
#include "preload/session.h"
#include "preload/syscalls.h"

void folder_tell(struct lane *lane)
{
    char *const path = (char *)lane->pcs; /* the lane's scratch: the stack may be small */
    if (atomic_load(&session.syscalls_risky))
        return;
    if (arch_syscall(SYS_getcwd, path, sizeof lane->pcs) > 0 && path[0] == '/')
        event_text(lane, TRACE_FOLDER, path);
}

void folder_moved(void)
{
    if (session_is_guest())
        return;
    struct lane *const lane = session_enter();
    if (lane)
        folder_tell(lane);
    session_leave(lane);
}
