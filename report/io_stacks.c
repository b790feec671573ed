/* SPDX-License-Identifier: MIT */
/* How does I/O get the trees that allocations have? */
#include "report/io_stacks.h"

#include "report/io_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int begin(const struct profile *profile, size_t n, struct io_stacks *stacks)
{
    *stacks = (struct io_stacks){.profile = *profile};
    stacks->sites = calloc(n + 1, sizeof *stacks->sites);
    stacks->profile.sites = stacks->sites;
    stacks->profile.n_sites = 0;
    return stacks->sites ? 0 : -ENOMEM;
}

static struct site *add(struct io_stacks *stacks, struct site stack)
{
    struct site *const site = &stacks->sites[stacks->profile.n_sites++];
    *site = stack;
    return site;
}

int io_stacks_of_sites(const struct profile *profile, bool (*keep)(const struct io_site *site),
                       struct io_stacks *stacks_out)
{
    struct io_stacks stacks;
    const int result = begin(profile, profile->n_io_sites, &stacks);
    stacks.io_sites = calloc(profile->n_io_sites + 1, sizeof *stacks.io_sites);
    if (result < 0 || !stacks.io_sites) {
        io_stacks_fini(&stacks);
        return -ENOMEM;
    }
    for (size_t i = 0; i < profile->n_io_sites; i++) {
        const struct io_site *const from = &profile->io_sites[i];
        if (keep && !keep(from))
            continue;
        stacks.io_sites[stacks.profile.n_sites] = *from;
        struct site *const site = add(&stacks, IO_STACK(from));
        memcpy(site->id, from->id, sizeof site->id);
        site->metrics = io_metrics_of_site(from);
    }
    stacks.profile.io_sites = stacks.io_sites;
    stacks.profile.n_io_sites = stacks.profile.n_sites;
    *stacks_out = stacks;
    return 0;
}

int io_stacks_of_openers(const struct profile *profile, struct io_stacks *stacks_out)
{
    struct io_stacks stacks;
    if (begin(profile, profile->n_io_openers, &stacks) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_io_openers; i++) {
        const struct io_opener *const from = &profile->io_openers[i];
        struct site *const site = add(&stacks, IO_STACK(from));
        site->metrics.free_count = from->opens;
        site->metrics.leaked_count = from->open_at_end;
    }
    *stacks_out = stacks;
    return 0;
}

int io_stacks_of_slow_calls(const struct profile *profile, struct io_stacks *stacks_out)
{
    struct io_stacks stacks;
    if (begin(profile, profile->n_io_slow_calls, &stacks) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_io_slow_calls; i++)
        (void)add(&stacks, IO_STACK(&profile->io_slow_calls[i]));
    *stacks_out = stacks;
    return 0;
}

void io_stacks_fini(struct io_stacks *stacks)
{
    free(stacks->sites);
    free(stacks->io_sites);
    *stacks = (struct io_stacks){0};
}

const struct io_site *io_stacks_site(const struct profile *profile, const struct site *site)
{
    return &profile->io_sites[site - profile->sites];
}

const struct io_opener *io_stacks_opener(const struct profile *profile, const struct site *site)
{
    return &profile->io_openers[site - profile->sites];
}
