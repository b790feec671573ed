/* SPDX-License-Identifier: MIT */
/* A small profile made by hand, for tests of the report: two processes, eight call sites, seven that do I/O, and names as
 * hostile programs have them (control characters, invalid UTF-8, markup, formulas, wide characters). */
#ifndef HEAPWISE_TESTS_PROFILE_FIXTURE_H
#define HEAPWISE_TESTS_PROFILE_FIXTURE_H

#include "reader/profile.h"

/* The profile; constant. A test that wants another one copies the struct and changes the copy. */
const struct profile *profile_fixture(void);

/* A profile of a run that recorded nothing: no process, no site, zero everywhere. */
const struct profile *profile_fixture_empty(void);

/* Compare `text` with tests/golden/expected/NAME, failing the test with the first line that differs. With
 * HEAPWISE_UPDATE_GOLDEN=1 in the environment the file is written instead. */
void profile_fixture_compare(const char *name, const char *text);

#endif
