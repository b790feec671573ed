/* SPDX-License-Identifier: MIT */
/* Print where the blocks of each call site are freed, for tests/e2e/freed_at.py.
 *
 *     show-freed-at TRACE
 *
 * One JSON object a line: the function that allocates, its frees and those seen, [[function, count], ...]. */
#include <inttypes.h>
#include <stdio.h>

#include "reader/profile.h"

static const char *function_at(const struct profile *profile, const uint32_t *frames,
                               uint32_t n_frames, uint32_t place)
{
    return n_frames ? profile->frames[frames[place]].function : "";
}

static void show(const struct profile *profile, const struct site *site)
{
    const struct site_habits *const habits = site->habits;
    printf("{\"function\": \"%s\", \"free_count\": %" PRIu64 ", \"seen\": %" PRIu64
           ", \"freed_at\": [",
           function_at(profile, site->frames, site->n_frames, site->place),
           site->metrics.free_count, habits->freed_seen_count);
    for (uint32_t i = 0; i < habits->n_freed_at; i++) {
        const struct freed_at *const freed = &habits->freed_at[i];
        printf("%s[\"%s\", %" PRIu64 "]", i ? ", " : "",
               function_at(profile, freed->frames, freed->n_frames, freed->place), freed->count);
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    const struct profile_options options = {.habits = true};
    struct profile *profile = NULL;
    struct trace_error error;
    if (argc != 2 || profile_load(argv[1], &options, &profile, &error)) {
        fprintf(stderr, "show-freed-at: %s\n", argc == 2 ? error.reason : "which trace?");
        return 1;
    }
    for (size_t i = 0; i < profile->n_sites; i++)
        show(profile, &profile->sites[i]);
    profile_free(profile);
    return 0;
}
