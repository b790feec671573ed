/* SPDX-License-Identifier: MIT */
/* What a frame is called, and how a long name is made to fit.
 *
 * A C++ name of 300 characters says little more than its first 60: the type it returns goes first,
 * then arguments in () and <>, the function's own name last of all. */
#ifndef HEAPWISE_REPORT_NAMES_H
#define HEAPWISE_REPORT_NAMES_H

#include "reader/profile.h"
#include "report/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Last part of a path; all of it when there is no slash or nothing behind it. */
const char *names_base(const char *path);

/* Add the frame's function, or "module+0xoffset" where it has none, or the bare address. Not escaped. */
void names_add_function(struct buffer *out, const struct profile_frame *frame);

/* Add "file:line" or "file", or the module's base name where no file is known; nothing when the
 * function's name says it already. The whole path with `whole_path`. Not escaped. */
void names_add_location(struct buffer *out, const struct profile_frame *frame, bool whole_path);

/* Add `name` (escaped already), shortened to at most `width` columns; `ellipsis` marks what was left out. */
void names_add_short(struct buffer *out, const char *name, size_t width, const char *ellipsis);

/* Columns of `name` when all of its arguments are left out: the least that still says it whole. */
size_t names_bare_width(const char *name, const char *ellipsis);

/* Add the function of a frame inside of a site's place, short. Not escaped. */
void names_add_inner(struct buffer *out, const struct profile_frame *frame);

/* Add "through FUNCTION", the library function that the site's place called, where the place is not
 * the innermost frame; returns whether there is one. Not escaped. */
bool names_add_inside(struct buffer *out, const struct profile *profile, const struct site *site);

/* The frame a site is named by; NULL when no stack is known. */
const struct profile_frame *names_place(const struct profile *profile, const struct site *site);

/* Frame `i` of a site, 0 innermost; NULL outside of the stack or of the table of frames. */
const struct profile_frame *names_frame(const struct profile *profile, const struct site *site,
                                        size_t i);

/* The name of a site whose stack is not known. */
#define NAMES_NO_STACK "[no stack]"

/* Add words joined by blanks, those that hold blanks or quotes quoted as a shell would want them. Not escaped. */
void names_add_command(struct buffer *out, const char *const *words, size_t n);

/* "exit status 1", "killed by signal 11 (Segmentation fault)", "status unknown". */
void names_add_status(struct buffer *out, bool has_status, int wait_status);

#endif
