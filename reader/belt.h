/* SPDX-License-Identifier: MIT */
/* Two halves of one work beside each other: a thread that fills batches and one that empties them.
 *
 * At most BELT_BATCHES are under way, so neither half runs away from the other. Where there is one
 * processor only, or no thread can be had, each batch is emptied as soon as it is full; the order
 * of all calls to `take` is the same either way. */
#ifndef HEAPWISE_READER_BELT_H
#define HEAPWISE_READER_BELT_H

#include <stdbool.h>

#include "reader/batch.h"

enum { BELT_BATCHES = 8 }; /* a power of two: counts of batches wrap */

/* Both return 0 or a negative errno. When take() fails, the outlet fails with -ECANCELED. */
struct belt_work {
    void *context;
    int (*fill)(void *context, struct outlet *outlet);     /* until there is nothing more */
    int (*take)(void *context, const struct batch *batch); /* on the calling thread */
};

/* Whether a second thread is worth while on this machine. */
bool belt_is_worth_a_thread(void);

/* Do the work; what is left in the last batch is taken, too. Returns 0, the errno of fill() or
 * take() (of both: take's), or -ENOMEM. */
int belt_run(const struct belt_work *work, bool threaded);

#endif
