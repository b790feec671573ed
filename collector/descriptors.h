/* SPDX-License-Identifier: MIT */
/* Which descriptors a long-lived helper process keeps.
 *
 * The launcher and the collector are copies of the caller's descriptor table. Whoever reads the other
 * end of one of those must see the program's close, not ours, so all but a few are dropped. */
#ifndef HEAPWISE_COLLECTOR_DESCRIPTORS_H
#define HEAPWISE_COLLECTOR_DESCRIPTORS_H

#include <stddef.h>

/* Close every descriptor from 3 on that is not among keep[0..n); keep may be in any order. */
void descriptors_close_others(int *keep, size_t n);

/* Put something into those of descriptors 0 to 2 that the caller left closed, so that nothing of ours
 * lands there; closed again by exec, so that the program finds them as they were. */
void descriptors_fill_standard(void);

/* Point `fd` at /dev/null, or close it where that cannot be had. */
void descriptors_to_null(int fd);

#endif
