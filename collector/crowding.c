/* SPDX-License-Identifier: MIT */
/* /proc/thread-self/schedstat (proc(5)): ns on a processor, ns in a run queue, turns. What is waited is held against what is
 * run, not against the time that passes: frames written in less time would make it look less crowded.
 * Waited / run on two processors: a single program 0.01 to 0.05; redis-server and its client 0.31, where
 * frames are stored 0.18; beside one loop of somebody else 0.3 to 1. But a single program has more than 0.1, too, where
 * other guests keep the host busy. There the fourth number of /proc/loadavg helps, of threads that run or could: with it
 * and ourselves they are as many as processors, with redis half of one more. */
#include "collector/crowding.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum crowding_tuning {
    FADES_BY = 16, /* a sixteenth with each look; one frame's time holds only a few waits */
    CROWDED_PERCENT = 10,
    SURPLUS_PARTS = 8, /* runnable beyond the processors: an eighth of one on average */
    LOOK_UNITS = 1024, /* a look, in sums that fade by whole numbers */
};

static int open_proc(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

void crowding_open(struct crowding *crowding)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    *crowding = (struct crowding){.turns_fd = open_proc("/proc/thread-self/schedstat"),
                                  .load_fd = open_proc("/proc/loadavg"),
                                  .n_processors = n > 0 ? (unsigned)n : 1};
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void crowding_close(struct crowding *crowding)
{
    close_one(&crowding->turns_fd);
    close_one(&crowding->load_fd);
}

static uint64_t fade(uint64_t sum)
{
    return sum - sum / FADES_BY;
}

static bool waits(struct crowding *crowding, const struct crowding_turns *turns)
{
    struct crowding_turns *const recent = &crowding->recent;
    recent->ran_ns = fade(recent->ran_ns) + (turns->ran_ns - crowding->last.ran_ns);
    recent->waited_ns = fade(recent->waited_ns) + (turns->waited_ns - crowding->last.waited_ns);
    crowding->last = *turns;
    return recent->waited_ns > recent->ran_ns / 100 * CROWDED_PERCENT;
}

static bool are_too_many(struct crowding *crowding, unsigned n_runnable)
{
    const uint64_t look = LOOK_UNITS, runnable = (uint64_t)n_runnable * LOOK_UNITS;
    crowding->recent_looks = fade(crowding->recent_looks) + look;
    crowding->recent_runnable = fade(crowding->recent_runnable) + runnable;
    const uint64_t all_busy = crowding->recent_looks * crowding->n_processors;
    return crowding->recent_runnable > all_busy + crowding->recent_looks / SURPLUS_PARTS;
}

bool crowding_weigh(struct crowding *crowding, const struct crowding_sight *sight)
{
    const bool long_waits = waits(crowding, &sight->turns);
    const bool too_many = are_too_many(crowding, sight->n_runnable);
    return long_waits && too_many;
}

static bool read_text(int fd, char *text, size_t cap)
{
    const ssize_t n = fd < 0 ? -1 : pread(fd, text, cap - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

bool crowding_look(struct crowding *crowding)
{
    char turns[96], load[96];
    unsigned long long ran_ns, waited_ns;
    struct crowding_sight sight;
    if (!read_text(crowding->turns_fd, turns, sizeof turns) ||
        !read_text(crowding->load_fd, load, sizeof load) ||
        sscanf(turns, "%llu %llu", &ran_ns, &waited_ns) != 2 ||
        sscanf(load, "%*s %*s %*s %u/", &sight.n_runnable) != 1)
        return false;
    sight.turns = (struct crowding_turns){.ran_ns = ran_ns, .waited_ns = waited_ns};
    return crowding_weigh(crowding, &sight);
}
