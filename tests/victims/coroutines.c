/* SPDX-License-Identifier: MIT */
/* 300 coroutines on stacks of their own, each resumed 10 times and allocating 1 block of 41 bytes each time; a
 * finished coroutine's stack is unmapped at once: 3000 blocks, freed by the scheduler. A profiler that
 * keeps addresses of old stacks and looks there again dies here. */
#include "victim.h"

#include <ucontext.h>

enum { COROUTINES = 300, RESUMES = 10, STACK_BYTES = 64 * 1024 };

static ucontext_t scheduler, coroutine;
static void *made;

SITE static void make_one(void)
{
    made = malloc(41);
}

SITE static void nested(int depth)
{
    if (depth > 0)
        nested(depth - 1);
    else
        make_one();
}

static void body(void)
{
    for (int i = 0; i < RESUMES; i++) {
        nested(i);
        swapcontext(&coroutine, &scheduler);
    }
}

int main(void)
{
    for (int i = 0; i < COROUTINES; i++) {
        void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

        getcontext(&coroutine);
        coroutine.uc_stack.ss_sp = stack;
        coroutine.uc_stack.ss_size = STACK_BYTES;
        coroutine.uc_link = &scheduler;
        makecontext(&coroutine, body, 0);
        for (int resume = 0; resume < RESUMES; resume++) {
            swapcontext(&scheduler, &coroutine);
            free(made);
        }
        munmap(stack, STACK_BYTES);
    }
    expect_freed("make_one", COROUTINES * RESUMES, COROUTINES * RESUMES * 41);
    return 0;
}
