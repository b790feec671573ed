/* SPDX-License-Identifier: MIT */
/* The part of victim.h that C++ victims need, which C atomics keep out of their sources. */
#ifndef HEAPWISE_TESTS_VICTIM_COUNTS_H
#define HEAPWISE_TESTS_VICTIM_COUNTS_H

#include <stdint.h>

void counts_expect(const char *site, const char *metric, uint64_t n);
void counts_expect_freed(const char *site, uint64_t count, uint64_t bytes);

#endif
