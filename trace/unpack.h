/* SPDX-License-Identifier: MIT */
/* How to take msgpack objects off a byte range, one after the other, without allocation.
 *
 * A pull cursor: each call takes one object (or one head) and moves on. Every call returns 0,
 * -EAGAIN when the bytes end inside the object (the cursor then has not moved: try again with more),
 * or -EBADMSG when the object is of another type or not msgpack. Thread-safe; nothing is global.
 * Source: the msgpack specification, msgpack.org. */
#ifndef HEAPWISE_TRACE_UNPACK_H
#define HEAPWISE_TRACE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

struct unpack_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* Bytes inside the decoded input; valid as long as that is. Not terminated, any content. */
struct unpack_text {
    const char *bytes;
    uint32_t n_bytes;
};

int unpack_uint(struct unpack_cursor *cursor, uint64_t *value_out);
int unpack_int(struct unpack_cursor *cursor, int64_t *value_out);
int unpack_array(struct unpack_cursor *cursor, uint32_t *n_out);
int unpack_map(struct unpack_cursor *cursor, uint32_t *n_out);

/* Take a str or a bin. */
int unpack_text(struct unpack_cursor *cursor, struct unpack_text *text_out);

/* Tell whether a nil comes next; take it if so. */
bool unpack_nil(struct unpack_cursor *cursor);

/* Tell whether true or false comes next; take it if so. */
bool unpack_bool(struct unpack_cursor *cursor, bool *value_out);

/* Pass over one object of any type with everything inside it, at most `max_depth` levels deep
 * (-EBADMSG beyond). */
int unpack_skip(struct unpack_cursor *cursor, unsigned max_depth);

#endif
