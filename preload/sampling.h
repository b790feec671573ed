/* SPDX-License-Identifier: MIT */
/* Which releases are recorded with their stack, and timed: one in 64 on average, so that it costs next to nothing. With
 * --free-stacks all have a stack.
 *
 *     const unsigned what = sampling_is_due() ? sampling_decide() : sampling_usual();
 *
 * A fixed distance would meet a program that frees A, B, A, B always at A. So the distance from one to the
 * next varies between 1 and 127, differently in each thread of each image, and is the same from run to run: it
 * depends on neither addresses nor time. A release of a young thread is as likely to be taken as one of an old.
 * Async-signal-safe; a counter and a branch a release. */
#ifndef HEAPWISE_PRELOAD_SAMPLING_H
#define HEAPWISE_PRELOAD_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/session.h"

enum sampling {
    SAMPLING_STACK = 1, /* record where it is */
    SAMPLING_TIME = 2,  /* time the allocator */
};

/* Choose the next release. Returns which of enum sampling this one gets. */
unsigned sampling_decide(void);

/* The thread's image has become another one: it is to begin anew. */
void sampling_forget(struct thread_state *thread);

/* Count a release; true where it is to go on with sampling_decide(). So it is in a thread's first one, and
 * until that has been called. The counter changes in a single instruction, so a signal handler finds it whole. */
static inline bool sampling_is_due(void)
{
    return __builtin_expect(--thread_state.until_sampled < 0, 0);
}

/* What any other release gets. */
static inline unsigned sampling_usual(void)
{
    return session.flags & SESSION_FREE_STACKS && session.max_depth ? SAMPLING_STACK : 0;
}

/* The caller where a release is to have a stack, NULL where not. For the hooks that are not timed. */
static inline const struct arch_frame *sampling_caller(const struct arch_frame *caller)
{
    const unsigned what = sampling_is_due() ? sampling_decide() : sampling_usual();
    return what & SAMPLING_STACK ? caller : NULL;
}

#endif
