/* SPDX-License-Identifier: MIT */
/* The functions that our hooks stand before: the next definition of each name in hooks.def. */
#ifndef HEAPWISE_PRELOAD_REAL_H
#define HEAPWISE_PRELOAD_REAL_H

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <termios.h>

struct real {
#define HOOK(kind, result, name, parameters)    HOOK_##kind(result, name, parameters)
#define HOOK_NEEDED(result, name, parameters)   result(*name) parameters;
#define HOOK_OPTIONAL(result, name, parameters) result(*name) parameters;
#define HOOK_JUMP(result, name, parameters)     result(*name##_jump) parameters;
#define HOOK_ALIAS(result, name, parameters)
#include "preload/hooks.def"
#undef HOOK
#undef HOOK_NEEDED
#undef HOOK_OPTIONAL
#undef HOOK_JUMP
#undef HOOK_ALIAS
};
extern struct real real __attribute__((visibility("hidden")));

/* Fill in `real`. Optional names that no library has stay NULL. Runs once, in the first hook, under
 * session_begin_internal(): looking up a missing name allocates. */
void real_resolve(void);

/* Usable bytes of a live block of the real allocator. */
static inline size_t real_usable_bytes(const void *address)
{
    return real.malloc_usable_size((void *)(uintptr_t)address);
}

/* Path of the module whose malloc the program really uses: libc's, a preloaded allocator's, or the
 * executable's own, in which case our hooks see nothing. "" where unknown. */
const char *real_allocator_path(void);

#endif
