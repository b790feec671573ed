/* SPDX-License-Identifier: MIT */
/* Whose the blocks are that nobody freed: the program's, the runtime's, or known to the user. */
#include <errno.h>
#include <stdlib.h>

#include "reader/analysis.h"
#include "reader/array.h"

enum frame_mark {
    MARK_SUPPRESSED = 1 << 0, /* the user's patterns match */
    MARK_PERMANENT = 1 << 1,  /* the built-in ones do */
    MARK_RUNTIME = 1 << 2,    /* code of the runtime */
};

static unsigned char mark(const struct analysis *analysis, const struct profile_frame *frame)
{
    unsigned char marks = 0;
    if (suppress_matches(analysis->suppressions, frame->function) ||
        suppress_matches(analysis->suppressions, frame->file) ||
        suppress_matches(analysis->suppressions, frame->module))
        marks |= MARK_SUPPRESSED;
    if (suppress_matches(analysis->runtime, frame->function) ||
        suppress_matches(analysis->runtime, frame->file))
        marks |= MARK_PERMANENT;
    if (frame->is_runtime)
        marks |= MARK_RUNTIME;
    return marks;
}

static enum leak_owner find_owner(const struct site *site, const unsigned char *marks)
{
    bool in_runtime = true, permanent = false;
    for (uint32_t i = 0; i < site->n_frames; i++) {
        const unsigned char frame = marks[site->frames[i]];
        if (frame & MARK_SUPPRESSED)
            return LEAK_SUPPRESSED;
        in_runtime = in_runtime && frame & MARK_RUNTIME;
        permanent = permanent || (in_runtime && frame & MARK_PERMANENT);
    }
    return permanent ? LEAK_RUNTIME : LEAK_PROGRAM;
}

static void keep_apart(struct profile *profile, const struct site *site)
{
    const struct metrics *const metrics = &site->metrics;
    if (site->leak_owner == LEAK_RUNTIME) {
        profile->runtime_leaked_count += metrics->leaked_count;
        profile->runtime_leaked_bytes =
            add_capped(profile->runtime_leaked_bytes, metrics->leaked_bytes);
    } else if (site->leak_owner == LEAK_SUPPRESSED) {
        profile->suppressed_leaked_count += metrics->leaked_count;
        profile->suppressed_leaked_bytes =
            add_capped(profile->suppressed_leaked_bytes, metrics->leaked_bytes);
    }
}

int leaks_analyse(struct analysis *analysis)
{
    struct profile *const profile = analysis->profile;
    unsigned char *const marks = calloc(profile->n_frames + 1, sizeof *marks);
    if (!marks)
        return -ENOMEM;
    for (size_t i = 0; i < profile->n_frames; i++)
        marks[i] = mark(analysis, &profile->frames[i]);
    struct site *const sites = (struct site *)profile->sites; /* ours until the profile is whole */
    for (size_t i = 0; i < profile->n_sites; i++) {
        sites[i].leak_owner = find_owner(&sites[i], marks);
        keep_apart(profile, &sites[i]);
    }
    free(marks);
    return 0;
}
