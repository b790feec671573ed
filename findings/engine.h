/* SPDX-License-Identifier: MIT */
/* The steps between what rules found and what is shown, each in its own file. All take the findings in the
 * order found and set members of struct finding. */
#ifndef HEAPWISE_FINDINGS_ENGINE_H
#define HEAPWISE_FINDINGS_ENGINE_H

#include "findings/finder.h"

struct findings_store;

/* How sure: lower each finding's confidence for what the whole run lacks. */
void confidence_settle(struct finder *finder);

/* Of findings of one subject and group keep the one whose rule comes first in the table (`found` becomes
 * shorter), then name in each those about the same blocks or calls, and leave what several would save
 * to the first of them. Call it on findings in their final order. 0 or -ENOMEM. Cost: as many steps as the findings have
 * sites, however many have one in common. */
int merge_groups(struct findings_store *store);
int merge_link(struct finding *const *findings, size_t n);

/* Severity, score, order, ranks. Equal scores are ordered by percentage, then by id. */
void rank_all(struct finder *finder);
void rank_sort(struct finding **findings, size_t n, double duration_seconds);

/* The threshold in words, the query and the verify command, for all. */
void describe_all(struct finder *finder);

#endif
