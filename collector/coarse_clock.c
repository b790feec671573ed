/* SPDX-License-Identifier: MIT */
/* How the coarse clock is stepped, and the order of its two words.
 *
 * A pass of the collector takes coarse_clock_bound() as the time before which no thread can stamp by the word. So our copy
 * may lag behind the word, never be ahead: it changes first when the clock starts, last when it steps or stops. */
#include "collector/coarse_clock.h"

#include <signal.h>
#include <sys/prctl.h>

#include "collector/futex.h"
#include "collector/ticks.h"

enum {
    STEP_NS = 250 * 1000,
    SLACK_NS = 1000,
    KEEP_NS = 20 * 1000000, /* to go on unwanted */
    NAP_NS = 1000000000,
};

enum order { ORDER_STAND, ORDER_RUN, ORDER_END };

static void show(struct coarse_clock *clock, uint64_t ticks)
{
    atomic_store(&clock->session->header->coarse_ticks, ticks);
}

static void run(struct coarse_clock *clock)
{
    const bool tsc = clock->session->tsc;
    atomic_store(&clock->ticks, ticks_now(tsc));
    while (atomic_load(&clock->order) == ORDER_RUN) {
        const uint64_t ticks = ticks_now(tsc);
        show(clock, ticks);
        atomic_store(&clock->ticks, ticks);
        futex_wait(&clock->order, ORDER_RUN, STEP_NS);
    }
    show(clock, 0);
    atomic_store(&clock->ticks, 0);
}

static void *keep(void *of_clock)
{
    struct coarse_clock *const clock = of_clock;
    uint32_t order;
    prctl(PR_SET_TIMERSLACK, (unsigned long)SLACK_NS);
    while ((order = atomic_load(&clock->order)) != ORDER_END) {
        if (order == ORDER_RUN)
            run(clock);
        else
            futex_wait(&clock->order, ORDER_STAND, NAP_NS);
    }
    return NULL;
}

/* Signals are for the thread that keeps the recording. */
static void start_thread(struct coarse_clock *clock)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    clock->has_thread = pthread_create(&clock->thread, NULL, keep, clock) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    clock->failed = !clock->has_thread;
}

static void give_order(struct coarse_clock *clock, enum order order)
{
    if (atomic_exchange(&clock->order, (uint32_t)order) != (uint32_t)order && clock->has_thread)
        futex_wake_all(&clock->order);
}

void coarse_clock_want(struct coarse_clock *clock, bool wanted, uint64_t now_ns)
{
    if (wanted) {
        clock->unwanted_since_ns = 0;
        if (!clock->has_thread && !clock->failed)
            start_thread(clock);
        give_order(clock, ORDER_RUN);
        return;
    }
    if (clock->unwanted_since_ns == 0)
        clock->unwanted_since_ns = now_ns;
    if (now_ns - clock->unwanted_since_ns >= KEEP_NS)
        give_order(clock, ORDER_STAND);
}

uint64_t coarse_clock_bound(struct coarse_clock *clock)
{
    return atomic_load(&clock->ticks);
}

void coarse_clock_fini(struct coarse_clock *clock)
{
    if (!clock->has_thread)
        return;
    give_order(clock, ORDER_END);
    pthread_join(clock->thread, NULL);
    clock->has_thread = false;
}
