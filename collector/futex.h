/* SPDX-License-Identifier: MIT */
/* The two futex calls that talk to other processes through shared memory; futex(2). */
#ifndef HEAPWISE_COLLECTOR_FUTEX_H
#define HEAPWISE_COLLECTOR_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleep while *word is `value`, at most `timeout_ns`; may return early. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000U),
                                     .tv_nsec = (long)(timeout_ns % 1000000000U)};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

/* Wake everyone who sleeps on it. */
static inline void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

#endif
