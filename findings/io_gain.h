/* SPDX-License-Identifier: MIT */
/* What a change to calls of I/O takes away from a run, and the finding that says so. */
#ifndef HEAPWISE_FINDINGS_IO_GAIN_H
#define HEAPWISE_FINDINGS_IO_GAIN_H

#include "findings/finder.h"

enum io_gain_buffers {
    IO_GAIN_BUFFER_BYTES = 65536, /* more hardly gains: a call is then 3 % of what its bytes take */
    IO_GAIN_STDIO_BYTES = 4096,   /* what glibc gives a stream, st_blksize of most file systems */
};

struct io_gain {
    double calls;   /* reads and writes that are not made any more */
    double seconds; /* that they took, less what takes their place */
};

/* The limits of a rule that fires only where the time is worth it: GAIN_LIMITS stands among its limits. */
#define IO_GAIN_LIMITS                                                                             \
    {"min_saved_percent", 1, "share of wall time that the change is predicted to save; or ..."},   \
    {                                                                                              \
        "min_saved_ms", 1, "... so many milliseconds: either will do"                              \
    }

bool io_gain_matters(const struct finder *finder, const struct rule *rule,
                     const struct io_gain *gain);

/* What a buffer of so many bytes takes away from a site. All zero where it would not make four calls into one:
 * where each file gets few calls, or where each call already took all that there was. */
struct io_gain io_gain_of_buffer(const struct finder *finder, const struct io_site *site,
                                 uint64_t buffer_bytes);

/* Add a finding about the site: its share of all I/O calls, what goes away, the calls as evidence. NULL when out of
 * memory. Title and suggestion are the caller's. */
struct finding *io_gain_tell(struct finder *finder, const struct rule *rule,
                             const struct io_site *site, const struct io_gain *gain);

/* Say in the suggestion which buffer, and how many of the site's calls are left with it. */
void io_gain_set_buffer(struct finding *finding, uint64_t buffer_bytes, const struct io_gain *gain);

/* Calls from the site as a share of all reads and writes, in percent. */
double io_gain_share(const struct finder *finder, double calls);

#endif
