/* SPDX-License-Identifier: MIT */
/* Which release ends which allocation, in one process image.
 *
 * For one address, acquisition and release alternate. Stamps of different threads may be inverted by
 * some hundred cycles, so two findings wait PAIRING_WINDOW_TICKS for their other half:
 *
 *   acquired while still live    the old block's release is on its way; if it does not come, it was lost
 *   released while not live      its acquisition is on its way; if it does not come, it is unknown
 */
#ifndef HEAPWISE_READER_PAIRING_H
#define HEAPWISE_READER_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/live.h"

enum pairing_limits {
    PAIRING_WINDOW_TICKS = 1000, /* older traces count cycles: 729 were the most ever seen */
    PAIRING_MAX_WAITING = 64,    /* of each kind; beyond, the oldest stops waiting */
};

/* Who released a block: nothing to the pairing, handed on with it. */
struct pairing_releaser {
    uint32_t thread;
    uint32_t node; /* of the stack that freed it, 0 not known */
};

/* What comes of it. `token` is 0 for a release that ends its block, else what was given to
 * pairing_withdraw(). All return 0 or a negative errno that is passed on. */
struct pairing_sink {
    void *context;
    int (*began)(void *context, const struct block *block);
    int (*ended)(void *context, const struct block *block, uint64_t ticks,
                 struct pairing_releaser by);
    int (*withdrawn)(void *context, const struct block *block, uint64_t token); /* found late */
    int (*missed)(void *context, const struct block *block); /* its release never came */
    int (*unknown)(void *context, uint64_t address, uint64_t token);
};

struct pairing_acquired {
    struct block block;
    uint64_t deadline_ticks;
};

struct pairing_released {
    uint64_t address, ticks, token;
    struct pairing_releaser by;
};

/* Zero it and set `sink` to begin. */
struct pairing {
    const struct pairing_sink *sink;
    struct live live;
    struct pairing_acquired *acquired; /* each for an address that is in `live` */
    struct pairing_released *released; /* each for an address that is not */
    uint32_t n_acquired, acquired_capacity, n_released, released_capacity;
};

/* Whether nothing waits for its other half: then an address that is not live is free to be acquired, and
 * one that is can be released, without more ado. */
static inline bool pairing_is_quiet(const struct pairing *pairing)
{
    return (pairing->n_acquired | pairing->n_released) == 0;
}

/* A block was acquired at `ticks`. */
int pairing_acquire(struct pairing *pairing, const struct block *block, uint64_t ticks);

/* A block was given back at `ticks`; `by` is the caller's, for sink.ended. */
int pairing_release(struct pairing *pairing, uint64_t address, uint64_t ticks,
                    struct pairing_releaser by);

/* A resize takes a block out at `ticks`; `token` (not 0) names it to the sink if it is found late.
 * Sets *found_out, and *block_out if it was there. Nobody is told that it ended. */
int pairing_withdraw(struct pairing *pairing, uint64_t address, uint64_t ticks, uint64_t token,
                     struct block *block_out, bool *found_out);

/* A withdrawn block is back unchanged. Nobody is told that it began. */
int pairing_restore(struct pairing *pairing, const struct block *block);

/* Stop waiting for whatever is due before `ticks`; UINT64_MAX: for everything. */
int pairing_expire(struct pairing *pairing, uint64_t ticks);

void pairing_fini(struct pairing *pairing);

#endif
