/* SPDX-License-Identifier: MIT */
/* A private folder for files that a test makes with the machine's own compiler and tools. */
#ifndef HEAPWISE_TESTS_FIXTURE_H
#define HEAPWISE_TESTS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

/* Make the folder; the same for the whole process, removed at exit. Returns its path. */
const char *fixture_folder(void);

/* Write a file of this name into the folder. */
void fixture_write(const char *name, const char *text, size_t n_bytes);
void fixture_text(const char *name, const char *text);

/* Read a file of the folder. Returns malloc'd bytes, NUL behind them; fails the test when it cannot. */
char *fixture_read(const char *name, size_t *n_bytes_out);

/* Run a shell command line in the folder, its output thrown away. Returns whether it succeeded. */
__attribute__((format(printf, 1, 2))) bool fixture_run(const char *format, ...);

/* The same, but a failure fails the test. */
__attribute__((format(printf, 1, 2))) void fixture_must(const char *format, ...);

/* Path of `name` in the folder; one of four rotating buffers. */
const char *fixture_path(const char *name);

#endif
