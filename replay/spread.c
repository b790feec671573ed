/* SPDX-License-Identifier: MIT */
/* Medians, by sorting: there are a handful of runs. */
#include "replay/spread.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct replay_spread spread_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return (struct replay_spread){.median = (values[(n - 1) / 2] + values[n / 2]) / 2,
                                  .least = values[0],
                                  .most = values[n - 1]};
}
