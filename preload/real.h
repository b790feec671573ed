/* SPDX-License-Identifier: MIT */
/* The functions that our hooks stand before: the next definition of each name in hooks.def. */
#ifndef HEAPWISE_PRELOAD_REAL_H
#define HEAPWISE_PRELOAD_REAL_H

#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <wchar.h>

#include "trace/trace_format.h"

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

/* What is known of the word before each block of the real allocator. */
enum real_blocks {
    REAL_BLOCKS_FOREIGN, /* nothing: it may not even be mapped */
    REAL_BLOCKS_TRIED,   /* glibc's, and being compared with malloc_usable_size() */
    REAL_BLOCKS_KNOWN,   /* it tells the usable size as glibc's does */
};
extern _Atomic uint32_t real_blocks __attribute__((visibility("hidden")));

/* glibc keeps the size of a block and of its own two words, a multiple of 16, in the word before it, with three
 * bits below. Source: glibc malloc/malloc.c, "struct malloc_chunk". */
enum real_block_bits { REAL_BLOCK_MAPPED = 2, REAL_BLOCK_BITS = 7, REAL_BLOCK_WORD = 8 };

static inline uint64_t real_block_word(const void *address)
{
    return ((const _Atomic uint64_t *)address)[-1];
}

/* Tell at little cost that the usable bytes of a block are those usual for a request of n_bytes. False
 * says nothing. */
static inline bool real_is_usual(const void *address, size_t n_bytes)
{
    if (__builtin_expect(
            atomic_load_explicit(&real_blocks, memory_order_relaxed) != REAL_BLOCKS_KNOWN, 0))
        return false;
    const uint64_t bits = REAL_BLOCK_BITS & ~REAL_BLOCK_MAPPED;
    return (real_block_word(address) & ~bits) == TRACE_USUAL_USABLE(n_bytes) + REAL_BLOCK_WORD;
}

/* Usable bytes of a live block of the real allocator. The function is asked; what it says of the first
 * blocks is compared with the word before them, which is believed in its stead once enough
 * agreed. */
size_t real_usable_bytes(const void *address);

/* The next function of this name, where it is of the same module as the malloc that is forwarded to; else NULL. */
void *real_beside_malloc(const char *name);

/* Path of the module whose malloc the program really uses: libc's, a preloaded allocator's, or the
 * executable's own, in which case our hooks see nothing. "" where unknown. */
const char *real_allocator_path(void);

#endif
