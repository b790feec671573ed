/* SPDX-License-Identifier: MIT */
/* malloc and free of one small block from ever other stacks: a random walk over a tree of calls.
 *
 *     varied [N_PAIRS [SEED]]        default 1,600,000 pairs
 *
 * Churn's opposite: what a profiler keeps of the last stack serves it little, for each pair has another stack
 * than the pair before. A tree of 99,000 calls is drawn at the start; a walk goes down it by random children
 * and back, and asks for one block at every step. So neighbours share their outer frames, as those of a
 * parser or an interpreter do, and differ in some of the inner ones.
 *
 *     main - walk - trunk x 5 - step_7 - step_2 - step_11 - ...      step_k: 16 functions of unlike frames,
 *                                  \ step_5 - ...                    each calling the others by pointer
 *
 * Prints the nanoseconds of the walk, its pairs, distinct stacks and mean depth. */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    N_CALLS = 99000,   /* of the tree: as many distinct stacks, but for those never met */
    N_STEPS = 16,      /* functions; a power of two */
    N_SITES = 4,       /* places in each of them that call; each gives another return address */
    N_TRUNK = 5,       /* frames that all stacks share */
    BLOCK_BYTES = 24,  /* and up to 15 times 16 more */
    GO_DEEPER_OF_8 = 5 /* chance, in eighths, to enter one more child before going back */
};

/* A call of the tree. Its children are neighbours in `calls`, at most N_SITES. */
struct call {
    uint32_t first_child;
    uint8_t n_children, n_visits, step, depth;
};

static struct call calls[N_CALLS];
static uint64_t random_state;
static long n_left;
static unsigned long n_frames;

/* Steele and Vigna's splitmix64: a few instructions, so that the walk itself costs little. */
static uint64_t draw(void)
{
    uint64_t x = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

typedef void step_function(struct call *);
static step_function *const steps[N_STEPS];

/* Whether to go on below a call, and to which child. Returns its index among the children, or -1. */
static inline int choose(const struct call *call)
{
    const uint64_t random = draw();
    if (n_left <= 0 || call->n_children == 0 || (random & 7) >= GO_DEEPER_OF_8)
        return -1;
    return (int)((random >> 8) % call->n_children);
}

static inline void note_visit(struct call *call)
{
    n_left--;
    n_frames += call->depth;
    call->n_visits |= 1;
}

/* No tail call, and no merging of two calls: each place has a number of its own. */
#define PLACE(number)                                                                              \
    steps[next->step](next);                                                                       \
    __asm__ volatile("" ::"i"(number) : "memory");                                                 \
    break

/* One function of the tree: `room` makes its frame unlike the others', then comes a block, then calls from
 * four places. */
#define STEP(number, room_declaration)                                                             \
    static __attribute__((noinline)) void step_##number(struct call *call)                         \
    {                                                                                              \
        room_declaration;                                                                          \
        __asm__ volatile("" ::"r"(room) : "memory");                                               \
        void *volatile block = malloc(BLOCK_BYTES + 16 * (size_t)number);                          \
        note_visit(call);                                                                          \
        free(block);                                                                               \
        for (int child; (child = choose(call)) >= 0;) {                                            \
            struct call *const next = &calls[call->first_child + (unsigned)child];                 \
            switch (child) {                                                                       \
            case 0: PLACE(0);                                                                      \
            case 1: PLACE(1);                                                                      \
            case 2: PLACE(2);                                                                      \
            default: PLACE(3);                                                                     \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static step_function step_##number

STEP(0, char room[8]);
STEP(1, char room[24]);
STEP(2, char room[40]);
STEP(3, char room[56]);
STEP(4, char room[72]);
STEP(5, char room[104]);
STEP(6, char room[136]);
STEP(7, char room[200]);
STEP(8, char room[16]);
STEP(9, char room[32]);
STEP(10, char room[64]);
STEP(11, char room[96]);
STEP(12, char room[264]);
STEP(13, char room[12]);
STEP(14, char room[328]);
/* This one addresses its frame by rbp, as what calls alloca() must. */
STEP(15, char *const room = alloca(16 + (call->depth & 7) * 16));

static step_function *const steps[N_STEPS] = {step_0,  step_1,  step_2,  step_3, step_4,  step_5,
                                              step_6,  step_7,  step_8,  step_9, step_10, step_11,
                                              step_12, step_13, step_14, step_15};

/* Draw the tree breadth first: the children of a call are drawn when its turn comes. */
static void draw_tree(void)
{
    uint32_t n = 1;
    calls[0] = (struct call){.depth = N_TRUNK + 3, .step = draw() % N_STEPS};
    for (uint32_t i = 0; i < n; i++) {
        /* Two at the least, that the tree cannot die out; mostly two, that it grows deep. */
        const uint32_t n_wanted = 2 + (draw() % 8 == 0) + (draw() % 32 == 0);
        const uint32_t n_children = n_wanted < N_CALLS - n ? n_wanted : N_CALLS - n;
        calls[i].first_child = n;
        calls[i].n_children = (uint8_t)n_children;
        for (uint32_t child = 0; child < n_children; child++)
            calls[n++] = (struct call){.depth = calls[i].depth + 1, .step = draw() % N_STEPS};
    }
}

static __attribute__((noinline)) void walk(int n_trunk)
{
    if (n_trunk > 0)
        walk(n_trunk - 1);
    else
        while (n_left > 0)
            steps[calls[0].step](&calls[0]);
    __asm__ volatile("" ::: "memory");
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
    const long n_pairs = argc > 1 ? atol(argv[1]) : 1600000;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (n_pairs < 1)
        return 2;
    draw_tree();
    n_left = n_pairs;
    const long long started_ns = now_ns();
    walk(N_TRUNK);
    const long long took_ns = now_ns() - started_ns;
    long n_stacks = 0;
    for (uint32_t i = 0; i < N_CALLS; i++)
        n_stacks += calls[i].n_visits;
    printf("%lld\n%ld pairs from %ld stacks of %.1f frames\n", took_ns, n_pairs - n_left, n_stacks,
           (double)n_frames / (double)(n_pairs - n_left));
    return 0;
}
