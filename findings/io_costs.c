/* SPDX-License-Identifier: MIT */
/* What does a call cost? */
#include "findings/io_costs.h"

/* Nanoseconds. The copies: 64 MiB by 4 and by 64 KiB in 36 and 18 ms, by copy_file_range or sendfile in 15.
 * The mapping: 100,000 places of 64 MiB in 3 ms, by pread in 40. */
static const double costs_ns[IO_N_COSTS] = {
    [IO_COST_SEEK] = 98,        [IO_COST_CLOSE] = 300,          [IO_COST_FWRITE] = 20,
    [IO_COST_PUTC] = 1.3,       [IO_COST_MAPPED] = 30,          [IO_COST_COPY_PAIR] = 1100,
    [IO_COST_MOVED_BYTE] = 0.2, [IO_COST_THROUGH_BYTE] = 0.047,
};

double io_costs_seconds(enum io_cost cost)
{
    return 1e-9 * costs_ns[cost];
}

/* From here on what bytes cost (new pages of the page cache above all) hides the price of the call in the median; the
 * fastest call is nearest to it. Writes of 3,500 bytes: 1,740 ns in the middle, 330 at best, and 270 saved
 * for each by joining it to another. */
enum { MANY_BYTES = 512 };

double io_costs_fixed_seconds(const struct io_site *site)
{
    const double median = 1e-9 * (double)site->latency_ns.p50;
    const double fixed = median - (double)site->sizes.p50 * io_costs_seconds(IO_COST_MOVED_BYTE);
    if (site->sizes.p50 >= MANY_BYTES)
        return 1e-9 * (double)site->latency_ns.min;
    return fixed > median / 4 ? fixed : median / 4;
}
