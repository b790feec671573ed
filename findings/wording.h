/* SPDX-License-Identifier: MIT */
/* The words that all formats have in common: names and paths made fit to be shown, and the sums of a run.
 *
 * What is added is escaped and at most FINDING_MAX_TEXT_BYTES long; a cut ends in "...". */
#ifndef HEAPWISE_FINDINGS_WORDING_H
#define HEAPWISE_FINDINGS_WORDING_H

#include "findings/findings.h"
#include "report/buffer.h"

/* Add a text. */
void wording_text(struct buffer *out, const char *text, bool ascii_only);

/* Add the function of a frame; of NULL, that no stack is known. Like the others below with every character
 * that can be shown: wording_text() once more makes it ASCII. */
void wording_function(struct buffer *out, const struct profile_frame *frame);

/* Add a path, without "." and ".." in it, relative to `root` (may be NULL) where it lies below. */
void wording_path(struct buffer *out, const char *path, const char *root);

/* Add "src/parse.c:42", "src/parse.c", or the module's name where no file is known; nothing of NULL. */
void wording_location(struct buffer *out, const struct profile_frame *frame, const char *root);

/* Add "3 findings: 1 critical, 2 low", of all that were found, or "no findings". */
void wording_count(struct buffer *out, const struct findings *findings);

/* Add the name of the program that was run. */
void wording_service(struct buffer *out, const struct profile *profile);

/* Add what the finding saves: "120,000 allocations, 1.50 MB, 2.3 ms"; nothing where that is not known. */
void wording_saves(struct buffer *out, const struct finding *finding);

/* Add what a replay measured; nothing where none was made. */
void wording_measured(struct buffer *out, const struct finding *finding);

/* What a share is a share of, for people: "of all allocations". */
const char *wording_whole(enum finding_whole whole);

#endif
