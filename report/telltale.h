/* SPDX-License-Identifier: MIT */
/* Which frames tell call stacks apart that begin alike?
 *
 * A section that shows the first frames of many stacks would show some of them as if they were the
 * same. For each it has to show those frames, too, at which another one leaves it:
 *
 *     grow  append  parse  line   main       shown: grow append, parse, line
 *     grow  append  parse  block  main              grow append, parse, block
 *     grow  append  print  main                     grow append, print
 */
#ifndef HEAPWISE_REPORT_TELLTALE_H
#define HEAPWISE_REPORT_TELLTALE_H

#include "report/calltree.h"

/* Frames kept for one stack. More are found only among stacks that fork again and again, where a
 * report shows all of hundreds. */
#define TELLTALE_MAX 8

struct telltale {
    uint32_t at;     /* index in the site's frames */
    bool by_address; /* the name is the other stack's as well: the address has to be shown */
};

struct telltales {
    const struct site *site;
    size_t n;
    struct telltale frames[TELLTALE_MAX]; /* from the innermost frame to the outermost */
};

/* Find the frames that tell sites[0..n) apart whose first `n_alike` frames, from the place outwards,
 * look the same. The sites are sorted by path; found_out[0..n) is in that order.
 * Where very many begin alike (more than any table of the top ones has), each is told from the
 * nearest ones by path only. Cost: O(n log n) comparisons of paths. */
void telltale_find(const struct profile *profile, const struct calltree *tree,
                   const struct site **sites, size_t n, size_t n_alike,
                   struct telltales *found_out);

#endif
