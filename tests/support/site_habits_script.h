/* SPDX-License-Identifier: MIT */
/* How a test gets the habits of the sites of a scripted process, its events between SCRIPT_HEAD and SCRIPT_TAIL.
 *
 * Stacks 1 to 3 are those of SCRIPT_HEAD; a second thread's stream 2 has the same ones. */
#ifndef HEAPWISE_TESTS_SITE_HABITS_SCRIPT_H
#define HEAPWISE_TESTS_SITE_HABITS_SCRIPT_H

#include "tests/support/load_script.h"

#define SECOND_THREAD                                                                              \
    "stream 2 1 100 101 0\n2 thread 2 101 other\n2 node 1 0 0x400101\n2 node 2 1 0x400201\n"       \
    "2 node 3 1 0x400301\n"

static inline struct profile *load_habits(const char *events)
{
    const struct profile_options options = {.habits = true};
    char *script = NULL;
    size_t n_bytes;
    FILE *const out = open_memstream(&script, &n_bytes);
    fprintf(out, "%s%s%s%s", SCRIPT_HEAD, SECOND_THREAD, events, SCRIPT_TAIL);
    fclose(out);
    struct profile *const profile = load_script_with(script, &options);
    free(script);
    return profile;
}

/* The habits of the site of a stack; nothing anywhere where it has none. */
static inline struct site_habits habits_of(const struct profile *profile, unsigned stack)
{
    for (size_t i = 0; i < profile->n_sites; i++) {
        const struct site *const site = &profile->sites[i];
        if (site->n_frames && profile->frames[site->frames[0]].offset == 0x100 * stack)
            return *site->habits;
    }
    return (struct site_habits){.calloc_count = 0};
}

/* The same for a script that is of no more use. */
static inline struct site_habits habits_after(const char *events, unsigned stack)
{
    struct profile *const profile = load_habits(events);
    const struct site_habits habits = habits_of(profile, stack);
    profile_free(profile);
    return habits;
}

#endif
