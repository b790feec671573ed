/* SPDX-License-Identifier: MIT */
/* The few system calls the shim makes, by name; none goes through libc, none sets errno. */
#ifndef HEAPWISE_PRELOAD_SYSCALLS_H
#define HEAPWISE_PRELOAD_SYSCALLS_H

#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#include "preload/arch_x86_64.h"

static inline long sys_open(const char *path, int flags)
{
    return arch_syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static inline long sys_close(long fd)
{
    return arch_syscall(SYS_close, fd);
}

static inline long sys_read(long fd, void *bytes, size_t n_bytes)
{
    return arch_syscall(SYS_read, fd, bytes, n_bytes);
}

static inline long sys_readlink(const char *path, char *target, size_t n_bytes)
{
    return arch_syscall(SYS_readlinkat, AT_FDCWD, path, target, n_bytes);
}

/* Memory of our own: private, zeroed. Returns NULL on failure. */
static inline void *sys_map(size_t n_bytes)
{
    const long at = arch_syscall(SYS_mmap, 0, n_bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

/* Private memory for a table that is read all over: in huge pages where the kernel gives them, as a
 * look-up there costs a walk of the page tables, too, twice under a hypervisor. */
static inline void *sys_map_table(size_t n_bytes)
{
    enum { HUGE_PAGE_BYTES = 2 << 20 };
    if (n_bytes < HUGE_PAGE_BYTES)
        return sys_map(n_bytes);
    uint8_t *const all = sys_map(n_bytes + HUGE_PAGE_BYTES);
    if (!all)
        return sys_map(n_bytes);
    const size_t n_before = -(uintptr_t)all % HUGE_PAGE_BYTES;
    if (n_before)
        arch_syscall(SYS_munmap, all, n_before);
    arch_syscall(SYS_munmap, all + n_before + n_bytes, HUGE_PAGE_BYTES - n_before);
    arch_syscall(SYS_madvise, all + n_before, n_bytes, MADV_HUGEPAGE);
    return all + n_before;
}

static inline void sys_unmap(void *at, size_t n_bytes)
{
    arch_syscall(SYS_munmap, at, n_bytes);
}

static inline void sys_futex_wake(_Atomic uint32_t *word, int n_waiters)
{
    arch_syscall(SYS_futex, word, FUTEX_WAKE, n_waiters, 0, 0, 0);
}

/* By the kernel itself: the vDSO's way reads the counter, which the program may have forbidden. */
static inline uint64_t sys_monotonic_us(void)
{
    struct timespec now = {.tv_sec = 0};
    arch_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Sleep until *word is not `seen`, at most `milliseconds`. May return early for no reason, and does at
 * each signal that is handled. Returns how long it slept, in microseconds, never more than asked for: a machine
 * or a process group that was suspended meanwhile counts for nothing. */
static inline uint32_t sys_futex_wait(_Atomic uint32_t *word, uint32_t seen, uint32_t milliseconds)
{
    const struct timespec limit = {.tv_sec = milliseconds / 1000,
                                   .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    const uint64_t start_us = sys_monotonic_us();
    arch_syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, 0, 0);
    const uint64_t slept_us = sys_monotonic_us() - start_us;
    return slept_us < milliseconds * 1000 ? (uint32_t)slept_us : milliseconds * 1000;
}

static inline pid_t sys_pid(void)
{
    return (pid_t)arch_syscall(SYS_getpid);
}

static inline pid_t sys_tid(void)
{
    return (pid_t)arch_syscall(SYS_gettid);
}

#endif
