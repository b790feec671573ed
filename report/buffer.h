/* SPDX-License-Identifier: MIT */
/* Text that grows while a view is put into words.
 *
 * Running out of memory is remembered in `failed` and looked at once, at the end: a caller that
 * builds a line from ten pieces need not check ten times. Zeroed memory is an empty buffer. */
#ifndef HEAPWISE_REPORT_BUFFER_H
#define HEAPWISE_REPORT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;    /* NUL-terminated once anything was added; else NULL */
    size_t length; /* without the NUL */
    size_t capacity;
    bool failed; /* memory ran out: the text is not whole */
};

void buffer_add(struct buffer *buffer, const char *data, size_t n);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_repeat(struct buffer *buffer, const char *text, size_t times);
__attribute__((format(printf, 2, 3))) void buffer_printf(struct buffer *buffer, const char *format,
                                                         ...);

/* The text so far, never NULL; valid until the next call that changes the buffer. */
const char *buffer_string(const struct buffer *buffer);

/* Make it empty and keep the memory. */
void buffer_reset(struct buffer *buffer);
void buffer_fini(struct buffer *buffer);

#endif
