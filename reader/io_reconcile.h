/* SPDX-License-Identifier: MIT */
/* How much of what the kernel counted was seen call by call.
 *
 * The kernel's count of a process takes in the children that it waited for; the collector tells it of
 * the command and of the orphans it reaps itself, the others tell theirs as late as they can. So a process
 * that the collector did not reap is part of its parent's count, whose seen calls take in its own. */
#ifndef HEAPWISE_READER_IO_RECONCILE_H
#define HEAPWISE_READER_IO_RECONCILE_H

#include "reader/analysis.h"

/* What processes and those they waited for did. */
struct io_reconcile {
    struct model_kernel_counts *seen, *loader, *own; /* by process - 1 */
    bool *is_parent;                                 /* likewise: some process was its child */
};

/* Begin; call io_reconcile_fini() in any case. Returns 0 or -ENOMEM. */
int io_reconcile_init(struct io_reconcile *reconcile, const struct model *model);
void io_reconcile_fini(struct io_reconcile *reconcile);

/* One process with those it waited for. */
struct kernel_io io_reconcile_process(const struct io_reconcile *reconcile,
                                      const struct analysis *analysis, uint32_t process);

/* All processes; profile.coverage has its other fields. */
struct kernel_io io_reconcile_whole(const struct io_reconcile *reconcile,
                                    const struct analysis *analysis);

/* Name what is known to be missing. 0 or -ENOMEM. */
int io_reconcile_remark(struct analysis *analysis);

#endif
