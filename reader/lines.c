/* SPDX-License-Identifier: MIT */
/* Whose line made a call, and which calls belong together for it? */
#include "reader/lines.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "reader/classify.h"
#include "reader/hash.h"

/* ---- where ---- */

bool lines_hides(const struct profile_options *options, const struct profile_frame *frame)
{
    if (classify_is_wrapper(frame))
        return true;
    for (size_t i = 0; i < options->n_hidden; i++) {
        const char *const pattern = options->hidden[i];
        if (fnmatch(pattern, frame->function, 0) == 0 ||
            fnmatch(pattern, classify_basename(frame->module), 0) == 0)
            return true;
    }
    return false;
}

/* A wrapper's own helpers have no name in a stripped library: sqlite3MemMalloc() below sqlite3Malloc(). */
enum { HELPERS = 3 };

uint32_t lines_place(const struct analysis *analysis, const uint32_t *frames, uint32_t n_frames,
                     uint32_t otherwise)
{
    uint32_t place = n_frames, n_nameless = 0;
    for (uint32_t i = 0; i < n_frames && n_nameless <= HELPERS; i++) {
        const struct profile_frame *const frame = &analysis->profile->frames[frames[i]];
        if (frame->is_hidden && classify_is_wrapper(frame)) {
            place = n_frames; /* what it calls is part of it */
            n_nameless = 0;
        }
        if (frame->is_runtime || frame->is_hidden)
            continue;
        if (place == n_frames)
            place = i;
        if (*frame->function)
            break;
        n_nameless++;
    }
    return place < n_frames ? place : otherwise;
}

/* Names are kept once, so that the same name has the same address; a frame without a line is its address. */
static uint64_t frame_key(const struct profile_frame *frame)
{
    const uint64_t name = hash_pair((uintptr_t)frame->function, (uintptr_t)frame->file);
    return frame->line ? hash_pair(name, frame->line)
                       : hash_pair((uintptr_t)frame->module, frame->offset);
}

uint64_t lines_key(const struct analysis *analysis, const uint32_t *frames, uint32_t n_frames,
                   uint32_t place)
{
    uint64_t key = n_frames == 0;
    for (uint32_t i = 0; i <= place && i < n_frames; i++)
        key = hash_pair(key, frame_key(&analysis->profile->frames[frames[i]]));
    return key;
}

/* ---- what belongs together ---- */

static int number_groups(const uint64_t *keys, uint32_t n, struct lines_groups *groups)
{
    struct idmap numbers = {0};
    int error = 0;
    for (uint32_t i = 0; i < n && error == 0; i++) {
        uint32_t number = idmap_get(&numbers, keys[i]);
        if (number == 0) {
            number = ++groups->n_groups;
            error = idmap_put(&numbers, keys[i], number);
        }
        groups->group_of[i] = number - 1;
        groups->n_members[number - 1]++;
    }
    idmap_fini(&numbers);
    return error;
}

static void list_members(uint32_t n, struct lines_groups *groups)
{
    for (uint32_t group = 1; group < groups->n_groups; group++)
        groups->first[group] = groups->first[group - 1] + groups->n_members[group - 1];
    for (uint32_t group = 0; group < groups->n_groups; group++)
        groups->n_members[group] = 0; /* counted again while they are put down */
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t group = groups->group_of[i];
        groups->members[groups->first[group] + groups->n_members[group]++] = i;
    }
}

int lines_group(const uint64_t *keys, uint32_t n, struct lines_groups *groups_out)
{
    const size_t room = n + (size_t)1;
    struct lines_groups groups = {
        .group_of = calloc(room, sizeof *groups.group_of),
        .n_members = calloc(room, sizeof *groups.n_members),
        .first = calloc(room, sizeof *groups.first),
        .members = calloc(room, sizeof *groups.members),
    };
    int error = groups.group_of && groups.n_members && groups.first && groups.members ? 0 : -ENOMEM;
    if (error == 0)
        error = number_groups(keys, n, &groups);
    if (error) {
        lines_groups_fini(&groups);
        return error;
    }
    list_members(n, &groups);
    *groups_out = groups;
    return 0;
}

void lines_groups_fini(struct lines_groups *groups)
{
    free(groups->group_of);
    free(groups->n_members);
    free(groups->first);
    free(groups->members);
}
