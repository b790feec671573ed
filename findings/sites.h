/* SPDX-License-Identifier: MIT */
/* What rules about allocation sites share: going through the places, asking how regular one is, pricing what
 * a change takes away. */
#ifndef HEAPWISE_FINDINGS_SITES_H
#define HEAPWISE_FINDINGS_SITES_H

#include "findings/finder.h"

/* Frees whose stack was recorded, below which a share of them says nothing. */
enum { SITES_FEW_FREES = 20 };

/* Show each place that has habits to `look` until one returns an error; returns that or 0. */
int sites_each(struct finder *finder, const struct rule *rule,
               int (*look)(struct finder *finder, const struct rule *rule,
                           const struct site *site));

/* Add a finding about the site with the metric it rests on, or NULL when out of memory. */
struct finding *sites_found(struct finder *finder, const struct rule *rule, const struct site *site,
                            const char *metric, double value);

/* Share of the site's allocations and bytes in those of the run, in percent. */
double sites_count_percent(const struct finder *finder, const struct site *site);
double sites_bytes_percent(const struct finder *finder, const struct site *site);

/* Share of the site's allocations that were freed, in percent. */
double sites_freed_percent(const struct site *site);

/* The size of a slot that all blocks fit into, or all but one in a hundred (then *all_out is false), if
 * their sizes share a class of 16 bytes; 0 where they do not. */
uint64_t sites_one_size(const struct site *site, bool *all_out);

/* The smallest multiple of 16, malloc's alignment, that holds so many bytes. */
uint64_t sites_round_up(uint64_t n_bytes);

/* Share in percent of the frees seen that happened in the function which had allocated; 0 where fewer than
 * SITES_FEW_FREES were seen or functions have no names. */
double sites_same_function_percent(const struct profile *profile, const struct site *site);

/* Set what is saved when so many of the site's allocations and their frees cost `left_seconds` each instead
 * of what the allocator takes. Bytes are the mean's. */
void sites_save(struct finding *finding, double count, double left_seconds);

/* "1 block", "20 blocks"; "64 B", or "16 B to 64 B" where sizes differ. Kept like finder_text(). */
const char *sites_say_blocks(struct finder *finder, double count);
const char *sites_say_sizes(struct finder *finder, const struct site *site);

/* Lower the confidence where live blocks were summed up over stacks and so are an upper bound only. */
void sites_doubt_live(struct finding *finding);

/* How many blocks of a place were live at once for sure: those of one of its stacks. max_live_count of a place is
 * the sum over them, which cannot have been more. */
uint64_t sites_sure_live(const struct finder *finder, const struct site *site);

/* The same in words: "84", or "5 to 84" where several stacks leave that open. */
const char *sites_say_live(struct finder *finder, const struct site *site, uint64_t most);

/* Show a finding at that stack of its place which has most of a metric: an uint64_t at `offset` of struct
 * metrics. */
void sites_show_stack(const struct finder *finder, struct finding *finding, size_t offset);

#endif
