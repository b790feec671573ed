/* SPDX-License-Identifier: MIT */
/* What several runs have in common. */
#ifndef HEAPWISE_REPLAY_SPREAD_H
#define HEAPWISE_REPLAY_SPREAD_H

#include <stddef.h>

#include "replay/replay.h"

/* Of values[0..n), n > 0, which are sorted in place. The median of an even number is the mean of the two. */
struct replay_spread spread_of(double *values, size_t n);

#endif
