/* SPDX-License-Identifier: MIT */
/* The other side of heapwise.h: what a recorded program says of itself. */
#include "preload/heapwise.h"

#include <errno.h>

#include "preload/event.h"
#include "preload/session.h"
#include "preload/stamp.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int heapwise_api_is_recording(void)
{
    session_start();
    return atomic_load(&session.state) == SESSION_ON && atomic_load(&session.header->recording);
}

EXPORT void heapwise_api_mark(const char *text)
{
    const int error = errno;
    struct lane *const lane = text ? session_enter() : NULL;
    if (lane) {
        event_number_text(lane, TRACE_REMARK, TRACE_REMARK_MARK, text);
        stamp_end_groups(lane);
    }
    session_leave(lane);
    errno = error;
}
