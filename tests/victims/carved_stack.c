/* SPDX-License-Identifier: MIT */
/* 30 blocks of 41 bytes, each freed at once: 20 deep in a recursion of the main thread's, 10 in a coroutine on a part
 * of the same stack that ends at a guard. The coroutine's are asked for by the same frames at the same places, as far
 * as it reaches. A profiler that looks there for the outer frames of the recursion dies here. */
#include "victim.h"

#include <ucontext.h>

enum { FRAMES = 80, FRAME_BYTES = 1024, N_DEEP = 20, N_COROUTINE = 10 };
enum { PAGE = 4096, PART_BYTES = 4 * PAGE };

static ucontext_t scheduler, coroutine;
static uintptr_t place; /* of make_one()'s frame */
static int n_blocks;

SITE static void make_one(void)
{
    place = (uintptr_t)__builtin_frame_address(0);
    for (int i = 0; i < n_blocks; i++)
        free(malloc(41));
}

SITE static void small(int depth)
{
    if (depth > 0)
        small(depth - 1);
    else
        make_one();
}

SITE static void large(int depth)
{
    char room[FRAME_BYTES];
    memset(room, depth, sizeof room);
    if (depth > 0)
        large(depth - 1);
    else
        small(16);
}

static void body(void)
{
    large(2);
}

/* On the stack that ends there. */
static void run_below(uintptr_t end)
{
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = (void *)(end - PART_BYTES);
    coroutine.uc_stack.ss_size = PART_BYTES;
    coroutine.uc_link = &scheduler;
    makecontext(&coroutine, body, 0);
    swapcontext(&scheduler, &coroutine);
}

int main(void)
{
    static _Alignas(16) char elsewhere[PART_BYTES];
    const uintptr_t elsewhere_end = (uintptr_t)elsewhere + PART_BYTES;
    run_below(elsewhere_end);
    const uintptr_t depth_bytes = elsewhere_end - place;
    n_blocks = N_DEEP;
    large(FRAMES);
    const uintptr_t end = place + depth_bytes;
    if (mprotect((void *)((end + PAGE - 1) / PAGE * PAGE), PART_BYTES, PROT_NONE) != 0)
        return 1;
    n_blocks = N_COROUTINE;
    run_below(end);
    expect_freed("make_one", N_DEEP + N_COROUTINE, (N_DEEP + N_COROUTINE) * 41);
    return 0;
}
