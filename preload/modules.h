/* SPDX-License-Identifier: MIT */
/* Which loaded ELF object an address belongs to, told to the reader the first time it matters.
 *
 * A module's record is written when a new stack node lies in it, so short programs write few and no
 * hook has to walk the loader's list: _dl_find_object() (glibc 2.35) answers without a lock. That
 * also finds modules that libc loads by itself (gconv, NSS), which no dlopen hook sees. When one goes,
 * the generation moves and every lane names its stacks anew, so an address that is used again
 * never keeps the old name. Thread-safe and async-signal-safe; no malloc. */
#ifndef HEAPWISE_PRELOAD_MODULES_H
#define HEAPWISE_PRELOAD_MODULES_H

#include <stdatomic.h>
#include <stdint.h>

struct lane;

/* Write the record of the module that holds `pc` unless it was written before in this image. */
void modules_note(struct lane *lane, uintptr_t pc);

/* Look for noted modules that are no longer loaded; write their end and move the generation. */
void modules_sweep(struct lane *lane);

/* How often modules have gone; read by modules_generation(), for each event. */
extern _Atomic uint32_t modules_generation_now __attribute__((visibility("hidden")));

static inline uint32_t modules_generation(void)
{
    return atomic_load_explicit(&modules_generation_now, memory_order_acquire);
}

/* Forget what was written: a forked child has to tell it again. */
void modules_forget(void);

#endif
