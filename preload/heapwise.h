/* SPDX-License-Identifier: MIT */
/* What a program may say to heapwise while it is being recorded.
 *
 * Nothing to link with: the recorder's library provides the functions when it is preloaded; without it
 * the calls here do nothing. Compile as position-independent code (the default of most compilers).
 * All are thread-safe and may be called in signal handlers; none changes errno. */
#ifndef HEAPWISE_H
#define HEAPWISE_H

#ifdef __cplusplus
extern "C" {
#endif

/* The library's own entry points; use the functions below. */
extern int heapwise_api_is_recording(void) __attribute__((weak));
extern void heapwise_api_mark(const char *text) __attribute__((weak));

/* Tell whether this process is being recorded now: 1 or 0. */
static inline int heapwise_is_recording(void)
{
    return heapwise_api_is_recording ? heapwise_api_is_recording() : 0;
}

/* Put a mark into the trace: `text`, at most 400 bytes, stands in the report with its time, in order.
 * For phases of a run ("configuration loaded", "warm"); the report keeps the first hundred. */
static inline void heapwise_mark(const char *text)
{
    if (heapwise_api_mark)
        heapwise_api_mark(text);
}

#ifdef __cplusplus
}
#endif

#endif
