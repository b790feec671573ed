/* SPDX-License-Identifier: MIT */
/* The parts of profile_fixture(): its stacks, and what does I/O with them. */
#ifndef HEAPWISE_TESTS_PROFILE_FIXTURE_IO_H
#define HEAPWISE_TESTS_PROFILE_FIXTURE_IO_H

#include "reader/profile.h"

extern const uint32_t fixture_parse[6], fixture_worker[5], fixture_cache[6], fixture_vector[5],
    fixture_fopen[6];

/* The first fields of whatever has a stack. */
#define STACK(of) .n_frames = sizeof(of) / sizeof *(of), .frames = (of)

extern const struct io_site fixture_io_sites[7];
extern const struct io_file fixture_io_files[8];
extern const struct io_opener fixture_io_openers[2];
extern const struct io_slow_call fixture_io_slow_calls[3];
extern const struct io_thread fixture_io_threads[3];

#endif
