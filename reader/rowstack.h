/* SPDX-License-Identifier: MIT */
/* What a row of a report says of its stack: an id, the frames shown, the place its user would look at.
 *
 * Ids are made of module name, build-id and offset of each call, so the same run elsewhere gives the
 * same ones. What only a call contributes is found out once and shared by all stacks through it. */
#ifndef HEAPWISE_READER_ROWSTACK_H
#define HEAPWISE_READER_ROWSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/analysis.h"

struct rowstack_call;

/* Whose stacks they are. Made by rowstacks_analyse(), never changed by others. */
struct rowstacks {
    const struct analysis *analysis;
    struct rowstack_call *calls; /* as analysis.calls */
    const char *allocator, *executable;
    uint32_t asker; /* counts how often those two changed */
};

/* A stack without what is left out of it. */
struct rowstack {
    uint32_t node;        /* innermost one kept; 0 no stack known */
    uint32_t first_frame; /* frames of that node to leave out: inlined operator new */
};

/* Its frames as a profile has them: indices into profile.frames, innermost first. */
struct rowstack_frames {
    const uint32_t *frames; /* kept in analysis.storage */
    uint32_t n_frames;
    uint32_t place; /* index of the first one outside the runtime, 0 if none */
};

/* Accepts NULL. */
void rowstacks_free(struct rowstacks *rowstacks);

/* A process's stack that asks for memory, or gives it back, from its caller's part on. */
struct rowstack rowstacks_strip(struct rowstacks *rowstacks, uint32_t process, uint32_t node);

/* What two stacks have in common that are one row. */
uint64_t rowstacks_id(const struct rowstacks *rowstacks, uint32_t node);

/* List the frames. Returns 0 or -ENOMEM. */
int rowstacks_list(const struct rowstacks *rowstacks, const struct rowstack *stack,
                   struct rowstack_frames *frames_out);

/* An id as 16 hex digits. */
void rowstack_write_id(uint64_t id, char text_out[17]);

#endif
