/* SPDX-License-Identifier: MIT */
/* What one stack costs, by each of the ways to get it: nanoseconds, medians of interleaved rounds.
 *
 *   bench/unwind [DEPTH]      default 20 frames below the capture
 *
 * libunwind comes by dlopen, so that its _Unwind_* names do not replace the runtime's. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/unwind.h"

enum { ROUNDS = 41, STACKS_PER_ROUND = 5000 };

_Atomic uint32_t modules_generation_now; /* nothing is unloaded here */

static int (*unw_backtrace)(void **, int);
static struct ring ring;
static struct lane lane;
static struct arch_frame caller;

static size_t by_libunwind(void)
{
    static void *pcs[1024];
    return (size_t)unw_backtrace(pcs, 1024);
}

static size_t by_runtime(void)
{
    enum unwind_end end;
    return unwind_library(&caller, lane.pcs, 1024, &end);
}

static size_t by_rules(void)
{
    enum unwind_end end;
    return unwind_fast(&caller, lane.pcs, 1024, &end);
}

static size_t by_rules_with_memo(void)
{
    unwind_stack(&caller, &lane, 1024);
    return lane.stack.n;
}

static const struct way {
    const char *name;
    size_t (*unwind)(void);
} ways[] = {
    {"libunwind's unw_backtrace", by_libunwind},
    {"the runtime's unwinder (unwind_library)", by_runtime},
    {"rules (unwind_fast)", by_rules},
    {"rules with memo, same stack again (unwind_stack)", by_rules_with_memo},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void __attribute__((noinline)) measure(void)
{
    static double ns[N_WAYS][ROUNDS];
    size_t n_frames[N_WAYS];
    caller = ARCH_CALLER_FRAME();
    for (int round = 0; round < ROUNDS; round++) {
        for (int w = 0; w < N_WAYS; w++) {
            const double start = now_ns();
            for (int i = 0; i < STACKS_PER_ROUND; i++)
                n_frames[w] = ways[w].unwind();
            ns[w][round] = (now_ns() - start) / STACKS_PER_ROUND;
        }
    }
    for (int w = 0; w < N_WAYS; w++)
        qsort(ns[w], ROUNDS, sizeof *ns[w], compare);
    printf("%9s %8s %7s\n", "ns/stack", "frames", "ratio");
    for (int w = 0; w < N_WAYS; w++)
        printf("%9.1f %8zu %6.1fx  %s\n", ns[w][ROUNDS / 2], n_frames[w],
               ns[w][ROUNDS / 2] / ns[N_WAYS - 2][ROUNDS / 2], ways[w].name);
}

static int __attribute__((noinline)) descend(int depth)
{
    if (depth == 0) {
        measure();
        return 0;
    }
    return descend(depth - 1) + 1;
}

int main(int argc, char **argv)
{
    void *const library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "unwind: libunwind is not installed\n");
        return 77;
    }
    *(void **)&unw_backtrace = dlsym(library, "unw_backtrace");
    lane.ring = &ring;
    return descend((argc > 1 ? atoi(argv[1]) : 20) - 4) <
           0; /* main and what calls it are frames too */
}
