/* SPDX-License-Identifier: MIT */
/* Which stacks freed a site's blocks: counted while a trace is read, by those releases whose stack was
 * recorded; listed for a report's rows, the most frequent ones.
 *
 *     site 7 ──► freed at A, 40 times ──► freed at B, 2 times        one chain a site
 *
 * Nothing is counted, and nothing kept, unless model.habits.gathered. Memory is in proportion to the stacks
 * (FREED_AT_PER_NODE); blocks freed at places beyond that are counted in freed_seen_count alone. */
#ifndef HEAPWISE_READER_FREED_AT_H
#define HEAPWISE_READER_FREED_AT_H

#include "reader/analysis.h"
#include "reader/sites.h"

enum freed_at_limits {
    FREED_AT_PER_NODE = 4, /* pairs of a site and a stack, for each node of all stacks ... */
    FREED_AT_LEAST = 4096, /* ... and beside that */
};

/* Count that a block of the site was freed by the stack of this node (not 0). 0 or -ENOMEM. */
int freed_at_count(struct model *model, uint32_t site, uint32_t node);

/* Find the node of the stack that a release has, 0 where it has none or that is not asked for. 0 or -ENOMEM. */
static inline int freed_at_find(struct model *model, const struct event *event, uint32_t *node_out)
{
    *node_out = 0;
    if (__builtin_expect(event->stack == 0 || !model->habits.gathered, 1))
        return 0;
    return sites_find_node(model, event->stream, event->stack, node_out);
}

/* As freed_at_count(), of a node that may be 0: then nothing is known. */
static inline int freed_at_note(struct model *model, uint32_t site, uint32_t node)
{
    return __builtin_expect(node == 0, 1) ? 0 : freed_at_count(model, site, node);
}

/* Let a site have what was counted for another one, which is left with nothing. */
void freed_at_join(struct model *model, uint32_t site, uint32_t other);

/* Fill in freed_seen_count and freed_at of a site's habits: stacks alike but for what only gives memory back
 * are one. Returns 0 or -ENOMEM. */
int freed_at_fill(const struct analysis *analysis, uint32_t site, struct site_habits *habits);

void freed_at_fini(struct model *model);

#endif
