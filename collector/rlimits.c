/* SPDX-License-Identifier: MIT */
/* Which limits would break the collector: it maps many rings (AS, DATA), grows the session object
 * (FSIZE counts for a memfd too), keeps a descriptor per process (NOFILE) and may outlive the
 * program's CPU allowance (CPU). */
#include "collector/rlimits.h"

#include <stddef.h>
#include <sys/resource.h>
#include <sys/time.h>

static uint64_t raise_one(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit))
        return 0;
    const struct rlimit hard = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (resource != RLIMIT_NOFILE && setrlimit(resource, &none) == 0)
        limit = none;
    else if (setrlimit(resource, &hard) == 0)
        limit = hard;
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur;
}

void rlimits_raise(struct rlimits *limits_out)
{
    struct rlimit file = {.rlim_cur = RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &file);
    raise_one(RLIMIT_AS);
    raise_one(RLIMIT_DATA);
    raise_one(RLIMIT_CPU);
    *limits_out = (struct rlimits){
        .caller_file_bytes = file.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)file.rlim_cur,
        .own_file_bytes = raise_one(RLIMIT_FSIZE),
        .files = raise_one(RLIMIT_NOFILE),
    };
}
