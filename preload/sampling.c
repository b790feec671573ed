/* SPDX-License-Identifier: MIT */
/* Which release is sampled next. Distances are even between 1 and 127. What is left of one at a moment that
 * knows nothing of it is short more often than long, as the smaller of two such numbers is: with that a thread
 * begins, and all of its releases are equally likely. */
#include "preload/sampling.h"

#include "preload/xorshift.h"

enum { LONGEST_DISTANCE = 127 }; /* TRACE_FREES_SAMPLED is their mean */
_Static_assert((1 + LONGEST_DISTANCE) / 2 == TRACE_FREES_SAMPLED, "what traces say");

/* 1 to LONGEST_DISTANCE. */
static uint32_t next_distance(struct thread_state *thread)
{
    thread->sampling_state = xorshift_next(thread->sampling_state);
    return 1 + (uint32_t)((uint64_t)thread->sampling_state * LONGEST_DISTANCE >> 32);
}

/* One that differs between threads of an image, and between images: children of one fork do the same work. */
static void begin(struct thread_state *thread)
{
    const uint32_t ordinal = atomic_fetch_add(&session.n_sampling, 1);
    const uint64_t seed = ((uint64_t)session.image_id << 32 | ordinal) + 1;
    const uint32_t state = (uint32_t)(seed * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    thread->sampling_state = state ? state : 1;
}

unsigned sampling_decide(void)
{
    struct thread_state *const thread = &thread_state;
    if (thread->sampling_state == 0) {
        begin(thread);
        const uint32_t one = next_distance(thread), other = next_distance(thread);
        const uint32_t distance = one < other ? one : other;
        thread->until_sampled = (int32_t)distance - 2;
        if (distance > 1)
            return sampling_usual();
    }
    thread->until_sampled = (int32_t)next_distance(thread) - 1;
    return session.max_depth ? SAMPLING_STACK | SAMPLING_TIME : SAMPLING_TIME;
}

void sampling_forget(struct thread_state *thread)
{
    thread->sampling_state = 0;
    thread->until_sampled = 0;
}
