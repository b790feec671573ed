/* SPDX-License-Identifier: MIT */
/* How the replayer knows its size: from /proc, read without stdio, which would allocate. */
#include "replay/player.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define UNKNOWN_MEMORY_BYTES (UINT64_C(1) << 40)

void *player_map(size_t n_bytes)
{
    void *const at = mmap(NULL, n_bytes ? n_bytes : 1, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* Read a small file of /proc, terminated. */
static void read_text(const char *path, char *text, size_t size)
{
    size_t n = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && n + 1 < size; n += (size_t)got)
        if ((got = read(fd, text + n, size - 1 - n)) <= 0)
            break;
    text[n] = 0;
    if (fd >= 0)
        close(fd);
}

/* The number behind `key` at a line's begin, in kB, as bytes; 0 where it is not. */
static uint64_t field(const char *text, const char *key)
{
    for (const char *at = text; (at = strstr(at, key)); at++)
        if (at == text || at[-1] == '\n')
            return strtoull(at + strlen(key), NULL, 10) * 1024;
    return 0;
}

uint64_t player_rss_bytes(void)
{
    char text[4096];
    read_text("/proc/self/smaps_rollup", text, sizeof text);
    const uint64_t exact = field(text, "Anonymous:");
    if (exact)
        return exact;
    read_text("/proc/self/status", text, sizeof text);
    return field(text, "RssAnon:");
}

void player_reset_peak(void)
{
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t written = write(fd, "5", 1);
    (void)written; /* not allowed: the peak then reaches back to the start, which is smaller */
    close(fd);
}

uint64_t player_peak_rss_bytes(void)
{
    char text[4096];
    read_text("/proc/self/status", text, sizeof text);
    const uint64_t peak = field(text, "VmHWM:");
    const uint64_t files = field(text, "RssFile:") + field(text, "RssShmem:");
    return peak > files ? peak - files : 0;
}

uint64_t player_limit_memory(void)
{
    char text[4096];
    struct rlimit limit;
    read_text("/proc/meminfo", text, sizeof text);
    const uint64_t available = field(text, "MemAvailable:");
    if (available == 0 || getrlimit(RLIMIT_DATA, &limit))
        return UNKNOWN_MEMORY_BYTES;
    const rlim_t most = available - available / 8;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most) {
        limit.rlim_cur = most;
        setrlimit(RLIMIT_DATA, &limit);
    }
    return limit.rlim_cur;
}
