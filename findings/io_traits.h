/* SPDX-License-Identifier: MIT */
/* What kind of calls does a place make: on what, where in it, and for whom? */
#ifndef HEAPWISE_FINDINGS_IO_TRAITS_H
#define HEAPWISE_FINDINGS_IO_TRAITS_H

#include <stdbool.h>

#include "reader/profile.h"

enum io_target {
    IO_TARGET_UNKNOWN, /* several files, or nobody told */
    IO_TARGET_FILE,
    IO_TARGET_DEVICE, /* below /dev, none of the others */
    IO_TARGET_PIPE,
    IO_TARGET_SOCKET,
    IO_TARGET_TERMINAL,
};

enum io_target io_traits_target(const struct io_site *site);

/* "a file", "a pipe", "several files or sockets", ... */
const char *io_traits_target_name(const struct io_site *site);

/* Calls that moved bytes. */
double io_traits_moving(const struct io_site *site);

/* Every call moved a byte or two: 95 % of them at most one. */
bool io_traits_is_by_byte(const struct io_site *site);

/* Most calls went on where the last one had ended, or to where there are no positions; no more than a fifth
 * jumped back or came after a seek. */
bool io_traits_is_stream(const struct io_site *site);

/* Most calls got less than they asked for: there was no more. */
bool io_traits_is_short(const struct io_site *site);

/* The op opens, or asks about a path (struct path_site). */
bool io_traits_opens(const struct path_site *site);
bool io_traits_asks(const struct path_site *site);

/* Most of the reads wait for an answer to what was just written to the same socket or pipe. */
bool io_traits_is_reply(const struct io_site *site);

/* Writes that could wait for each other: most come right after another one by the same thread, with no read or other
 * thread in between. True of files, and where that is not known. */
bool io_traits_can_wait(const struct io_site *site);

/* The place whose writes come right before most of this one's, in the same file or stream, where that is
 * another one; else NULL. */
const struct io_site *io_traits_predecessor(const struct profile *profile,
                                            const struct io_site *site);

/* The place is the first of several whose writes follow each other in turn: the others can join its call.
 * The first is the one that comes first in the source. */
bool io_traits_begins_record(const struct profile *profile, const struct io_site *site);

/* Times the file was opened; 1 where that is not known. Cost: O(files). */
double io_traits_opens_of(const struct profile *profile, const struct io_site *site);

#endif
