/* SPDX-License-Identifier: MIT */
#include "tests/support/shapes.h"

#include <alloca.h>
#include <pthread.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline, noclone))

/* A call that is no tail call: something remains to be done after it. */
#define AFTERWARDS() __asm__ volatile("" ::: "memory")

/* ---- a random walk through unlike frames ---- */

struct walk {
    unsigned seed;
    unsigned n_left;
    unsigned depth;
    long sum;
};

static unsigned random_of(struct walk *walk, unsigned n)
{
    walk->seed = walk->seed * 1664525 + 1013904223;
    return (walk->seed >> 16) % n;
}

static void step(struct walk *walk);

static NOINLINE void small_frame(struct walk *walk)
{
    step(walk);
    AFTERWARDS();
}

static NOINLINE void alloca_frame(struct walk *walk)
{
    const size_t n = 16 * (1 + random_of(walk, 6));
    volatile char *const bytes = alloca(n);
    bytes[n - 1] = (char)n;
    step(walk);
    walk->sum += bytes[n - 1];
}

static NOINLINE void wide_frame(struct walk *walk)
{
    volatile char bytes[700];
    bytes[0] = 1;
    step(walk);
    walk->sum += bytes[0];
}

static NOINLINE void aligned_frame(struct walk *walk)
{
    alignas(64) volatile long words[8] = {walk->sum};
    step(walk);
    walk->sum += words[0] + ((uintptr_t)words % 64 != 0);
}

/* Both at once: the compiler needs rbp for the aligned part and another register for arguments. */
static NOINLINE void aligned_alloca_frame(struct walk *walk, long a, long b, long c, long d, long e,
                                          long f, long on_stack)
{
    alignas(32) volatile long words[4] = {a + b + c + d + e + f + on_stack};
    volatile char *const bytes = alloca(16 * (1 + random_of(walk, 4)));
    bytes[0] = 1;
    step(walk);
    walk->sum += words[0] + bytes[0] + on_stack;
}

static NOINLINE void aligned_alloca_call(struct walk *walk)
{
    aligned_alloca_frame(walk, 1, 2, 3, 4, 5, 6, 7);
    AFTERWARDS();
}

/* More values live across the call than registers: rbp is one of them. */
static NOINLINE void register_hungry(struct walk *walk)
{
    long a = walk->sum, b = a * 3, c = b ^ 5, d = c + a, e = d * b, f = e ^ c, g = f + d;
    step(walk);
    a += b;
    step(walk);
    walk->sum += a + b + c + d + e + f + g;
}

static NOINLINE void frame_with_many_arguments(struct walk *walk, long a, long b, long c, long d,
                                               long e, long f, long g)
{
    step(walk);
    walk->sum += a + b + c + d + e + f + g;
}

static NOINLINE void many_arguments(struct walk *walk)
{
    frame_with_many_arguments(walk, 1, 2, 3, 4, 5, 6, walk->sum);
    step(walk);
    AFTERWARDS();
}

static NOINLINE void tail_call(struct walk *walk)
{
    small_frame(walk);
}

static struct walk *walk_of_callback;

static int compare_and_step(const void *a, const void *b)
{
    if (walk_of_callback->n_left % 3 == 0)
        step(walk_of_callback);
    return *(const int *)a - *(const int *)b;
}

static NOINLINE void through_qsort(struct walk *walk)
{
    int numbers[5] = {4, 2, 5, 1, 3};
    walk_of_callback = walk;
    qsort(numbers, 5, sizeof *numbers, compare_and_step);
    walk->sum += numbers[0];
}

static NOINLINE void through_bsearch(struct walk *walk)
{
    static const int numbers[] = {1, 2, 3, 4, 5, 6, 7};
    const int wanted = (int)(1 + random_of(walk, 7));
    walk_of_callback = walk;
    walk->sum += bsearch(&wanted, numbers, 7, sizeof *numbers, compare_and_step) != NULL;
}

static void (*const frames[])(struct walk *) = {
    small_frame,     alloca_frame,   wide_frame, aligned_frame, aligned_alloca_call,
    register_hungry, many_arguments, tail_call,  through_qsort, through_bsearch,
};

static NOINLINE void step(struct walk *walk)
{
    if (walk->n_left == 0)
        return;
    walk->n_left--;
    const unsigned choice = random_of(walk, 100);
    if (choice < 40 || walk->depth >= 60) {
        unwind_point("random walk");
        return;
    }
    walk->depth++;
    /* Frames with alignment may need the library; rare, else no stack is ever kept. */
    const unsigned n_frames = choice < 43 ? 5 : 3;
    frames[choice < 80 ? random_of(walk, n_frames) : 5 + random_of(walk, 5)](walk);
    walk->depth--;
    AFTERWARDS();
}

void shapes_walk(unsigned seed, unsigned n_steps)
{
    struct walk walk = {.seed = seed, .n_left = n_steps};
    while (walk.n_left > 0)
        step(&walk);
}

/* ---- single shapes ---- */

static NOINLINE long recurse(unsigned n)
{
    if (n == 0) {
        unwind_point("recursion");
        return 1;
    }
    return 1 + recurse(n - 1);
}

static void in_handler(int signal_number)
{
    (void)signal_number;
    unwind_point("signal handler");
    AFTERWARDS();
}

static void in_nested_handler(int signal_number)
{
    (void)signal_number;
    raise(SIGUSR1);
    AFTERWARDS();
}

static void signals(void)
{
    char *const memory =
        mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t alternate = {.ss_sp = memory, .ss_size = 1 << 18};
    const stack_t none = {.ss_flags = SS_DISABLE};
    struct sigaction action = {.sa_handler = in_handler}, old[2];
    sigaction(SIGUSR1, &action, &old[0]);
    raise(SIGUSR1);
    action.sa_handler = in_nested_handler;
    sigaction(SIGUSR2, &action, &old[1]);
    raise(SIGUSR2);
    sigaltstack(&alternate, NULL);
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    sigaltstack(&none, NULL);
    sigaction(SIGUSR1, &old[0], NULL);
    sigaction(SIGUSR2, &old[1], NULL);
    munmap(memory, 1 << 18);
}

static NOINLINE long divide(volatile long *divisor)
{
    return 5 / *divisor;
}

static sigjmp_buf after_fault;

static void in_fault(int signal_number)
{
    (void)signal_number;
    unwind_point("fault");
    siglongjmp(after_fault, 1);
}

static void faults(void)
{
    struct sigaction action = {.sa_handler = in_fault}, old;
    volatile long zero = 0;
    sigaction(SIGFPE, &action, &old);
    if (sigsetjmp(after_fault, 1) == 0)
        divide(&zero);
    unwind_point("after a jump out of a handler");
    sigaction(SIGFPE, &old, NULL);
}

static ucontext_t main_context, coroutine_context;

static void coroutine(void)
{
    for (unsigned i = 0; i < 3; i++) {
        recurse(5 + i);
        shapes_walk(i + 50, 200);
        swapcontext(&coroutine_context, &main_context);
    }
}

static void coroutines(void)
{
    const size_t n_bytes = 1 << 19;
    void *const memory =
        mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (volatile unsigned round = 0; round < 3; round++) {
        getcontext(&coroutine_context);
        /* libunwind looks for a caller of the first frame, above the stack: leave it a page. */
        coroutine_context.uc_stack = (stack_t){.ss_sp = memory, .ss_size = n_bytes - 4096};
        coroutine_context.uc_link = &main_context;
        makecontext(&coroutine_context, coroutine, 0);
        for (unsigned i = 0; i < 4; i++) {
            swapcontext(&main_context, &coroutine_context);
            unwind_point("between coroutine calls");
            recurse(4);
        }
    }
    munmap(memory, n_bytes);
    unwind_point("after a coroutine's stack is gone");
}

static void *in_thread(void *argument)
{
    recurse(12);
    shapes_walk((unsigned)(uintptr_t)argument, 300);
    return NULL;
}

static void at_thread_end(void *value)
{
    (void)value;
    unwind_point("destructor of a thread's key");
    AFTERWARDS();
}

static void *with_key(void *argument)
{
    pthread_setspecific(*(const pthread_key_t *)argument, argument);
    return NULL;
}

static void threads(void)
{
    pthread_t member;
    pthread_key_t key;
    /* One after the other: libunwind's own per-thread memory is not safe when threads end together. */
    for (uintptr_t i = 0; i < 3; i++) {
        pthread_create(&member, NULL, in_thread, (void *)(i + 90));
        pthread_join(member, NULL);
    }
    pthread_key_create(&key, at_thread_end);
    pthread_create(&member, NULL, with_key, &key);
    pthread_join(member, NULL);
    pthread_key_delete(key);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_once(void)
{
    unwind_point("pthread_once");
    AFTERWARDS();
}

static jmp_buf jump_target;
static unsigned n_jumps;

static NOINLINE void jump(unsigned n)
{
    if (n > 0)
        jump(n - 1);
    else if (n_jumps++ < 1000)
        longjmp(jump_target, 1);
    AFTERWARDS();
}

static void jumps(void)
{
    for (volatile unsigned i = 0; i < 5; i++)
        if (setjmp(jump_target) == 0) {
            recurse(i * 3);
            jump(i * 5);
        } else {
            unwind_point("after longjmp");
        }
}

static void visit(const void *node, VISIT order, int depth)
{
    (void)node;
    (void)order;
    (void)depth;
    unwind_point("twalk");
    AFTERWARDS();
}

static void trees(void)
{
    static int numbers[] = {5, 2, 8, 1, 9};
    struct walk walk = {.seed = 3};
    void *root = NULL;
    walk_of_callback = &walk;
    for (unsigned i = 0; i < 5; i++)
        tsearch(&numbers[i], &root, compare_and_step);
    twalk(root, visit);
    for (unsigned i = 0; i < 5; i++)
        tdelete(&numbers[i], &root, compare_and_step);
}

__attribute__((constructor)) static void at_load(void)
{
    unwind_point("constructor");
    AFTERWARDS();
}

__attribute__((destructor)) static void at_unload(void)
{
    unwind_point("destructor");
    AFTERWARDS();
}

void shapes_run(void)
{
    for (unsigned n = 0; n < 300; n += 7)
        recurse(n);
    recurse(700); /* beyond the depth that is kept */
    recurse(3);
    signals();
    faults();
    coroutines();
    threads();
    pthread_once(&once, in_once);
    jumps();
    trees();
    AFTERWARDS();
}

/* ---- work to be interrupted ---- */

static NOINLINE long work(unsigned depth, long value)
{
    volatile char *const bytes = alloca(16 + (value & 48));
    alignas(32) volatile long words[4] = {value};
    bytes[0] = (char)value;
    if (depth == 0)
        return value * 7 + words[0] + bytes[0];
    return work(depth - 1, value + words[0] % 3) + bytes[0];
}

static NOINLINE long leaf_work(long a, long b)
{
    for (int i = 0; i < 50; i++)
        a = a * b + (a >> 3);
    return a;
}

long shapes_work(unsigned n_rounds)
{
    long sum = 0;
    for (unsigned i = 0; i < n_rounds; i++)
        sum += work(i % 20, sum) + leaf_work(sum, i);
    return sum;
}
