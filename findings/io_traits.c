/* SPDX-License-Identifier: MIT */
/* What kind of calls does a place make? By its own numbers, and by what precedes them. */
#include "findings/frame.h"
#include "findings/io_traits.h"

#include <string.h>

enum { MAX_RING = 16 }; /* places that write a record in turn */

/* ---- on what ---- */

static bool begins_with(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

enum io_target io_traits_target(const struct io_site *site)
{
    static const struct {
        const char *begin;
        enum io_target target;
    } kinds[] = {
        {"/dev/pts/", IO_TARGET_TERMINAL},    {"/dev/tty", IO_TARGET_TERMINAL},
        {"/dev/console", IO_TARGET_TERMINAL}, {"/dev/shm/", IO_TARGET_FILE},
        {"/dev/", IO_TARGET_DEVICE},          {"/", IO_TARGET_FILE},
        {"pipe:[", IO_TARGET_PIPE},           {"socket:[", IO_TARGET_SOCKET},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (begins_with(site->path, kinds[i].begin))
            return kinds[i].target;
    return IO_TARGET_UNKNOWN;
}

const char *io_traits_target_name(const struct io_site *site)
{
    static const char *const names[] = {
        [IO_TARGET_UNKNOWN] = "several files or sockets",
        [IO_TARGET_FILE] = "a file",
        [IO_TARGET_DEVICE] = "a device",
        [IO_TARGET_PIPE] = "a pipe",
        [IO_TARGET_SOCKET] = "a socket",
        [IO_TARGET_TERMINAL] = "a terminal",
    };
    if (*site->path || site->n_files > 1)
        return names[io_traits_target(site)];
    return "a descriptor";
}

double io_traits_moving(const struct io_site *site)
{
    const double idle = (double)site->failed + (double)site->empty;
    return (double)site->calls > idle ? (double)site->calls - idle : 0;
}

bool io_traits_is_by_byte(const struct io_site *site)
{
    return site->sizes.n && site->sizes.p95 <= 1;
}

bool io_traits_is_stream(const struct io_site *site)
{
    const double on = (double)site->pattern.consecutive, random = (double)site->pattern.random;
    const double all = on + (double)site->pattern.strided + random;
    const double seeks = site->habits ? (double)site->habits->after_seek_calls : 0;
    return 2 * on >= all && 5 * random <= all && 5 * seeks <= (double)site->calls;
}

bool io_traits_is_short(const struct io_site *site)
{
    return site->short_calls > site->calls / 2;
}

bool io_traits_opens(const struct path_site *site)
{
    return begins_with(site->op, "open");
}

bool io_traits_asks(const struct path_site *site)
{
    return strcmp(site->op, "newfstatat") == 0 || strcmp(site->op, "statx") == 0 ||
           strcmp(site->op, "faccessat") == 0;
}

double io_traits_opens_of(const struct profile *profile, const struct io_site *site)
{
    if (*site->path)
        for (size_t i = 0; i < profile->n_io_files; i++)
            if (strcmp(profile->io_files[i].path, site->path) == 0)
                return profile->io_files[i].opens ? (double)profile->io_files[i].opens : 1;
    return 1;
}

/* ---- the same place ---- */

static bool is_among(const struct io_site *site, const struct io_site *all, size_t n)
{
    return n && (uintptr_t)site >= (uintptr_t)all && (uintptr_t)site < (uintptr_t)(all + n);
}

/* The place that a row of io_sites belongs to, or that is a place itself; NULL when there is none. */
static const struct io_site *place_of(const struct profile *profile, const struct io_site *site)
{
    if (is_among(site, profile->io_places, profile->n_io_places))
        return site;
    if (!profile->io_place_of || !is_among(site, profile->io_sites, profile->n_io_sites))
        return NULL;
    return &profile->io_places[profile->io_place_of[site - profile->io_sites]];
}

/* ---- in turn ---- */

bool io_traits_is_reply(const struct io_site *site)
{
    return site->habits && (double)site->habits->reply.count > io_traits_moving(site) / 2;
}

bool io_traits_can_wait(const struct io_site *site)
{
    return !site->habits || io_traits_target(site) == IO_TARGET_FILE ||
           (double)site->habits->adjacent.count > io_traits_moving(site) / 2;
}

const struct io_site *io_traits_predecessor(const struct profile *profile,
                                            const struct io_site *site)
{
    if (!site->habits || !site->habits->adjacent.site ||
        (double)site->habits->adjacent.count <= io_traits_moving(site) / 2)
        return NULL;
    const struct io_site *const before = place_of(profile, site->habits->adjacent.site);
    return before == site ? NULL : before;
}

/* In the source; two calls of one line stay in the order of the profile. */
static bool comes_first(const struct profile *profile, const struct io_site *a,
                        const struct io_site *b)
{
    const struct profile_frame *const of_a = frame_of_io(profile, a), *const of_b =
                                                                          frame_of_io(profile, b);
    const uint32_t line_a = of_a ? of_a->line : 0, line_b = of_b ? of_b->line : 0;
    return line_a != line_b ? line_a < line_b : a < b;
}

bool io_traits_begins_record(const struct profile *profile, const struct io_site *site)
{
    const struct io_site *at = io_traits_predecessor(profile, site);
    for (int i = 0; i < MAX_RING && at && at != site; i++) {
        if (comes_first(profile, at, site))
            return false;
        at = io_traits_predecessor(profile, at);
    }
    return at == site;
}
