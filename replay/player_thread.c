/* SPDX-License-Identifier: MIT */
/* How a thread goes through its list, and waits for others where it must.
 *
 * Nearly always the other thread is that far already. Else this one looks for some microseconds and then
 * sleeps in growing steps; what either takes of the processor is left out of the figures. */
#include "replay/player.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum {
    LOOKS = 200,              /* some microseconds */
    LOOKS_MAX_CYCLES = 40000, /* what they take at most, unless the thread was interrupted */
    YIELDS = 50,              /* while more threads than processors are ready */
    FIRST_NAP_NS = 20000,     /* about what waking up takes */
    LONGEST_NAP_NS = 500000,  /* none waits longer for nothing */
    STACK_BYTES = 256 * 1024,
    STATUS_FAILED = 1,
};

static bool has_turn(const _Atomic uint32_t *at, uint32_t wanted)
{
    return atomic_load_explicit(at, memory_order_acquire) == wanted;
}

static bool has_passed(const _Atomic uint32_t *at, uint32_t wanted)
{
    return atomic_load_explicit(at, memory_order_acquire) >= wanted;
}

static void wait_long(struct player_thread *thread, const _Atomic uint32_t *at, uint32_t wanted,
                      bool (*is_over)(const _Atomic uint32_t *at, uint32_t wanted))
{
    const uint64_t begin = player_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    struct timespec nap = {.tv_nsec = FIRST_NAP_NS};
    for (unsigned i = 0; !is_over(at, wanted); i++) {
        if (i < YIELDS) {
            sched_yield();
            continue;
        }
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < LONGEST_NAP_NS)
            nap.tv_nsec *= 2;
    }
    thread->excluded_ns += player_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void wait_for(struct player_thread *thread, const _Atomic uint32_t *at, uint32_t wanted,
                     bool (*is_over)(const _Atomic uint32_t *at, uint32_t wanted))
{
    if (is_over(at, wanted))
        return;
    const uint64_t begin = __rdtsc();
    unsigned i = 0;
    while (i++ < LOOKS && !is_over(at, wanted))
        __builtin_ia32_pause();
    const uint64_t took = __rdtsc() - begin;
    thread->looking_cycles += took < LOOKS_MAX_CYCLES ? took : LOOKS_MAX_CYCLES;
    if (i > LOOKS)
        wait_long(thread, at, wanted, is_over);
}

/* ---- epochs ---- */

/* The thread is done with the epoch it was in; so perhaps are all. */
static void leave_epoch(struct player_thread *thread)
{
    struct player *const player = thread->player;
    if (thread->epoch)
        atomic_fetch_sub(&player->epochs[thread->epoch - 1], 1);
    uint32_t done = player->n_done_epochs;
    while (done < player->head.n_epochs && player->epochs[done] == 0)
        if (atomic_compare_exchange_strong(&player->n_done_epochs, &done, done + 1))
            done++;
}

static void enter_epoch(struct player_thread *thread, uint32_t epoch)
{
    leave_epoch(thread);
    thread->epoch = epoch + 1;
    if (epoch >= 2)
        wait_for(thread, &thread->player->n_done_epochs, epoch - 1, has_passed);
}

/* ---- threads ---- */

static void *run(void *argument)
{
    struct player_thread *const thread = argument;
    player_play(thread);
    atomic_fetch_sub(&thread->player->n_running, 1);
    return NULL;
}

static void start(struct player_thread *thread, uint32_t number)
{
    struct player *const player = thread->player;
    const uint64_t begin = player_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&player->n_running, 1);
    if (pthread_create(&id, &attributes, run, &player->threads[number])) {
        _exit(STATUS_FAILED); /* others may wait for what it would have done */
    }
    pthread_attr_destroy(&attributes);
    thread->excluded_ns += player_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void start_early_ones(struct player_thread *thread)
{
    for (uint32_t i = 1; i < thread->player->head.n_threads; i++)
        if (thread->player->lists[i].is_unstarted)
            start(thread, i);
}

/* ---- the list ---- */

static void note_peak(struct player_thread *thread)
{
    struct player *const player = thread->player;
    const uint64_t begin = player_clock_ns(CLOCK_THREAD_CPUTIME_ID), rss = player_rss_bytes();
    int64_t live = 0;
    for (uint32_t i = 0; i < player->head.n_threads; i++)
        live += atomic_load_explicit(&player->threads[i].live_bytes, memory_order_relaxed);
    player->figures.rss_at_peak_bytes =
        rss > player->base_rss_bytes ? rss - player->base_rss_bytes : 0;
    player->figures.live_at_peak_bytes = live > 0 ? (uint64_t)live : 0;
    thread->excluded_ns += player_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void do_op(struct player_thread *thread, const struct ops_op *op)
{
    switch (op->kind) {
    case OPS_WAIT:
        wait_for(thread, &thread->player->slots[op->slot].turn, (uint32_t)op->bytes, has_turn);
        break;
    case OPS_THREAD: start(thread, op->slot); break;
    case OPS_EPOCH: enter_epoch(thread, (uint32_t)op->bytes); break;
    case OPS_GROW: thread->grown_slot = op->slot; break;
    default:
        player_call(thread, op);
        thread->grown_slot = 0;
        if (op->flags & OPS_PEAK)
            note_peak(thread);
    }
}

static void read_ops(const struct player_thread *thread, uint64_t at, uint32_t n)
{
    const size_t wanted = n * sizeof(struct ops_op);
    if (pread(thread->player->ops_fd, thread->ops, wanted, (off_t)at) != (ssize_t)wanted)
        _exit(STATUS_FAILED);
}

/* Do the ops of the list, chunk by chunk. */
static void play_list(struct player_thread *thread)
{
    uint64_t at = thread->list->first_at;
    uint32_t n_left = thread->list->n_first;
    while (n_left) {
        const uint32_t room = thread->player->n_buffered, n = n_left < room ? n_left : room;
        read_ops(thread, at, n);
        at += n * sizeof(struct ops_op);
        n_left -= n;
        for (const struct ops_op *op = thread->ops, *const end = op + n; op < end; op++) {
            if (op->kind == OPS_END)
                return;
            if (op->kind != OPS_JUMP) {
                do_op(thread, op);
                continue;
            }
            at = op->bytes; /* it is the chunk's last */
            n_left = op->slot;
        }
    }
}

void player_play(struct player_thread *thread)
{
    const uint64_t begin = player_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (thread == thread->player->threads)
        start_early_ones(thread);
    play_list(thread);
    leave_epoch(thread);
    thread->cpu_ns = player_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}
