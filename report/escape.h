/* SPDX-License-Identifier: MIT */
/* Text from the traced program, made fit to be shown.
 *
 * Names, paths and arguments may hold any byte. A terminal obeys control characters, a table breaks
 * at a newline, and a right-to-left override shows a name other than the one that is there. So
 * every byte that is not part of a printable UTF-8 character becomes \xNN. */
#ifndef HEAPWISE_REPORT_ESCAPE_H
#define HEAPWISE_REPORT_ESCAPE_H

#include "report/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decode the character at `text` (NUL-terminated, not at its end).
 * Returns its length in bytes and *code_out, or 0 where no valid UTF-8 begins (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF). */
size_t escape_decode(const char *text, uint32_t *code_out);

/* Add `text`, each byte of an invalid or control character as \xNN. Control means C0, DEL, C1, line
 * and paragraph separators and the bidirectional overrides. With `ascii_only` every character
 * beyond ASCII is escaped as well, for a terminal whose locale is not UTF-8. */
void escape_text(struct buffer *out, const char *text, bool ascii_only);

/* Add `text` with invalid UTF-8 alone escaped: for formats that can carry every character. */
void escape_invalid(struct buffer *out, const char *text);

/* Add text that escape_text() made so that no character of it is markup of GitHub's Markdown. */
void escape_markdown(struct buffer *out, const char *text);

/* Terminal columns of text that escape_text() made: wide characters are two, combining ones none. */
size_t escape_width(const char *text);

/* Add the longest start of `text` that fits into `width` columns; returns the columns it took. */
size_t escape_fit(struct buffer *out, const char *text, size_t width);

/* Where the last `width` columns of `text` begin. */
const char *escape_tail(const char *text, size_t width);

#endif
