/* SPDX-License-Identifier: MIT */
/* How batches go round: a ring of them, with a count of those filled and a count of those emptied.
 *
 *   n_taken          n_filled
 *      v                v
 *   [ taken by us ][ waiting ]...[ being filled ][ empty ]
 *
 * Both counts are under one lock, which is met once per some thousand events. Who has to wait does so
 * until the belt is half full, so that threads are woken once for several batches. */
#include "reader/belt.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

struct belt {
    const struct belt_work *work;
    struct outlet outlet; /* the filling thread's */
    struct batch batches[BELT_BATCHES];
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t filled, emptied;
    unsigned n_filled, n_taken; /* wrap */
    bool full_stop;             /* nothing more will be filled */
    bool cancelled;             /* nothing more will be taken */
    int fill_error;
};

bool belt_is_worth_a_thread(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

/* Announce the batch that was filled and wait for the next one to be empty. */
static int pass_on(struct outlet *outlet)
{
    struct belt *const belt = outlet->context;
    pthread_mutex_lock(&belt->lock);
    if (++belt->n_filled - belt->n_taken == BELT_BATCHES / 2)
        pthread_cond_signal(&belt->filled);
    if (belt->n_filled - belt->n_taken == BELT_BATCHES)
        while (belt->n_filled - belt->n_taken > BELT_BATCHES / 2 && !belt->cancelled)
            pthread_cond_wait(&belt->emptied, &belt->lock);
    const bool cancelled = belt->cancelled;
    outlet->batch = &belt->batches[belt->n_filled % BELT_BATCHES];
    pthread_mutex_unlock(&belt->lock);
    batch_clear(outlet->batch);
    return cancelled ? -ECANCELED : 0;
}

static void *fill(void *context)
{
    struct belt *const belt = context;
    const int error = belt->work->fill(belt->work->context, &belt->outlet);
    pthread_mutex_lock(&belt->lock);
    belt->n_filled++;
    belt->full_stop = true;
    belt->fill_error = error;
    pthread_cond_signal(&belt->filled);
    pthread_mutex_unlock(&belt->lock);
    return NULL;
}

/* Wait for the next batch; NULL after the last one. */
static const struct batch *next_batch(struct belt *belt)
{
    pthread_mutex_lock(&belt->lock);
    if (belt->n_taken == belt->n_filled)
        while (belt->n_filled - belt->n_taken < BELT_BATCHES / 2 && !belt->full_stop)
            pthread_cond_wait(&belt->filled, &belt->lock);
    const struct batch *const batch =
        belt->n_taken == belt->n_filled ? NULL : &belt->batches[belt->n_taken % BELT_BATCHES];
    pthread_mutex_unlock(&belt->lock);
    return batch;
}

static void give_back(struct belt *belt, bool cancelled)
{
    pthread_mutex_lock(&belt->lock);
    belt->n_taken++;
    belt->cancelled = cancelled;
    if (cancelled || belt->n_filled - belt->n_taken == BELT_BATCHES / 2)
        pthread_cond_signal(&belt->emptied);
    pthread_mutex_unlock(&belt->lock);
}

static int take_all(struct belt *belt)
{
    const struct batch *batch;
    int error = 0;
    while (error == 0 && (batch = next_batch(belt))) {
        error = belt->work->take(belt->work->context, batch);
        give_back(belt, error != 0);
    }
    return error;
}

/* Without a thread: the batch is emptied on the spot. */
static int take_at_once(struct outlet *outlet)
{
    const struct belt *const belt = outlet->context;
    const int error = belt->work->take(belt->work->context, outlet->batch);
    batch_clear(outlet->batch);
    return error;
}

static int run_alone(struct belt *belt)
{
    belt->outlet.pass = take_at_once;
    const int error = belt->work->fill(belt->work->context, &belt->outlet);
    return error ? error : take_at_once(&belt->outlet);
}

static int run(struct belt *belt, bool threaded)
{
    pthread_t thread;
    belt->outlet = (struct outlet){.batch = &belt->batches[0], .context = belt, .pass = pass_on};
    if (!threaded || pthread_create(&thread, NULL, fill, belt))
        return run_alone(belt);
    const int error = take_all(belt);
    pthread_join(thread, NULL);
    return error ? error : belt->fill_error;
}

int belt_run(const struct belt_work *work, bool threaded)
{
    struct belt belt = {.work = work,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .filled = PTHREAD_COND_INITIALIZER,
                        .emptied = PTHREAD_COND_INITIALIZER};
    int error = 0;
    for (unsigned i = 0; i < BELT_BATCHES && error == 0; i++)
        error = batch_init(&belt.batches[i]);
    if (error == 0)
        error = run(&belt, threaded);
    for (unsigned i = 0; i < BELT_BATCHES; i++)
        batch_fini(&belt.batches[i]);
    pthread_cond_destroy(&belt.filled);
    pthread_cond_destroy(&belt.emptied);
    pthread_mutex_destroy(&belt.lock);
    return error;
}
