/* SPDX-License-Identifier: MIT */
/* Which site a stream's stack id means: the stream's own tree, resolved into the common one once per
 * node and per change of the module map, then remembered at the node. */
#ifndef HEAPWISE_READER_SITES_H
#define HEAPWISE_READER_SITES_H

#include "reader/model.h"

/* A TRACE_NODE, a TRACE_TREE_RESET of a stream. 0, or -ENOMEM; an id out of order is left out. */
int sites_add_node(struct model *model, const struct event *event);
void sites_reset_tree(struct model *model, uint32_t stream);

/* The number of the site of stack `stack` (0: unknown) in the stream's process, made if new; notes
 * that the stream's thread allocates there. 0 when out of memory. */
uint32_t sites_resolve(struct model *model, uint32_t stream, uint32_t stack);

/* The node of the common tree that stack `stack` means in a stream, 0 for a stack that is not known.
 * 0 or -ENOMEM. */
int sites_find_node(struct model *model, uint32_t stream, uint32_t stack, uint32_t *node_out);

/* As sites_resolve(), inline where the stack was resolved before. `stream` is that of the number, `image` its
 * image. */
static inline uint32_t sites_find(struct model *model, const struct model_image *image,
                                  const struct model_stream *stream, uint32_t stream_number,
                                  uint32_t stack)
{
    if (stack - 1 < stream->n_nodes) {
        const struct model_node *const node = &stream->nodes[stack - 1];
        if (node->generation == image->modules.generation + 1 && node->site)
            return node->site;
    }
    return sites_resolve(model, stream_number, stack);
}

#endif
