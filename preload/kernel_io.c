/* SPDX-License-Identifier: MIT */
#include "preload/kernel_io.h"

#include <string.h>

#include "preload/session.h"
#include "preload/syscalls.h"

enum { TEXT_BYTES = 512 }; /* seven lines of a word and a number */

static bool number_of(const char *text, const char *key, uint64_t *number_out)
{
    const char *at = strstr(text, key);
    if (!at)
        return false;
    uint64_t number = 0;
    for (at += strlen(key); *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    *number_out = number;
    return true;
}

bool kernel_io_parse(const char *text, struct event_kernel_io *counts_out)
{
    struct event_kernel_io counts;
    if (!number_of(text, "syscr: ", &counts.n_reads) ||
        !number_of(text, "syscw: ", &counts.n_writes) ||
        !number_of(text, "rchar: ", &counts.read_bytes) ||
        !number_of(text, "wchar: ", &counts.written_bytes))
        return false;
    *counts_out = counts;
    return true;
}

/* Returns the length of the text that was read, 0 where there is none. */
static size_t read_counts(struct event_kernel_io *counts_out)
{
    char text[TEXT_BYTES];
    const long fd = sys_open("/proc/self/io", O_RDONLY);
    if (fd < 0)
        return 0;
    const long n = sys_read(fd, text, sizeof text - 1);
    sys_close(fd);
    text[n > 0 ? n : 0] = '\0';
    return kernel_io_parse(text, counts_out) ? (size_t)n : 0;
}

void kernel_io_begin(struct lane *lane)
{
    struct event_kernel_io counts;
    if (atomic_load(&session.syscalls_risky))
        return;
    const size_t n = read_counts(&counts);
    if (n == 0)
        return;
    counts.n_reads += 1;
    counts.read_bytes += n;
    atomic_store(&session.n_own_reads, 0);
    atomic_store(&session.own_read_bytes, 0);
    event_kernel_io(lane, TRACE_KERNEL_IO_START, &counts);
}

static void take_off(uint64_t *count, _Atomic uint64_t *own)
{
    const uint64_t n = atomic_load_explicit(own, memory_order_relaxed);
    *count = *count > n ? *count - n : 0;
}

void kernel_io_end(void)
{
    struct event_kernel_io counts;
    if (atomic_load(&session.state) != SESSION_ON || (session.flags & SESSION_NO_IO) ||
        atomic_load(&session.syscalls_risky))
        return;
    session_check_fork();
    if (session_is_guest())
        return;
    struct lane *const lane = session_enter();
    const size_t n = lane ? read_counts(&counts) : 0;
    if (n > 0) {
        take_off(&counts.n_reads, &session.n_own_reads);
        take_off(&counts.read_bytes, &session.own_read_bytes);
        event_kernel_io(lane, TRACE_KERNEL_IO_END, &counts);
        kernel_io_own((long)n);
        const struct event_kernel_io own = {.n_reads = atomic_load(&session.n_own_reads),
                                            .read_bytes = atomic_load(&session.own_read_bytes)};
        event_kernel_io(lane, TRACE_KERNEL_IO_OWN, &own);
    }
    session_leave(lane);
}

/* The last of all destructors, for the shim was initialized first; stdio's flush is still to come. */
__attribute__((destructor)) static void tell_at_exit(void)
{
    kernel_io_end();
}
