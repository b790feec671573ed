/* SPDX-License-Identifier: MIT */
/* /proc/thread-self/schedstat (proc(5)): ns on a processor, ns in a run queue, turns. What is waited is held against what is
 * run, not against the time that passes: frames written in less time would make it look less crowded.
 * Waited / run on two processors: a single program 0.01 to 0.05; redis-server and its client 0.31, where
 * frames are stored 0.18; beside one loop of somebody else 0.3 to 1. */
#include "collector/crowding.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum crowding_tuning {
    FADES_BY = 16, /* a sixteenth with each look; one frame's time holds only a few waits */
    CROWDED_PERCENT = 10,
};

void crowding_open(struct crowding *crowding)
{
    *crowding = (struct crowding){
        .fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC | O_NOCTTY)};
}

void crowding_close(struct crowding *crowding)
{
    if (crowding->fd >= 0)
        close(crowding->fd);
    crowding->fd = -1;
}

static uint64_t fade(uint64_t sum)
{
    return sum - sum / FADES_BY;
}

bool crowding_weigh(struct crowding *crowding, const struct crowding_turns *turns)
{
    struct crowding_turns *const recent = &crowding->recent;
    recent->ran_ns = fade(recent->ran_ns) + (turns->ran_ns - crowding->last.ran_ns);
    recent->waited_ns = fade(recent->waited_ns) + (turns->waited_ns - crowding->last.waited_ns);
    crowding->last = *turns;
    return recent->waited_ns > recent->ran_ns / 100 * CROWDED_PERCENT;
}

bool crowding_look(struct crowding *crowding)
{
    char text[96];
    unsigned long long ran_ns, waited_ns;
    if (crowding->fd < 0)
        return false;
    const ssize_t n = pread(crowding->fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "%llu %llu", &ran_ns, &waited_ns) != 2)
        return false;
    return crowding_weigh(crowding,
                          &(struct crowding_turns){.ran_ns = ran_ns, .waited_ns = waited_ns});
}
