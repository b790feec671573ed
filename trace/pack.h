/* SPDX-License-Identifier: MIT */
/* How to write msgpack straight into memory that is already there.
 *
 * msgpack-c's pack template, bound to a bare cursor instead of a buffer object: no allocation, no
 * call, no error path. The caller makes sure of the room beforehand; PACK_* gives upper bounds.
 * pack_text() is for bytes that came from outside: str where they are UTF-8, else bin. */
#ifndef HEAPWISE_TRACE_PACK_H
#define HEAPWISE_TRACE_PACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <msgpack/sysdep.h>
#include <msgpack/timestamp.h>

struct pack_cursor {
    uint8_t *at; /* next byte to write */
};

static inline void pack_bytes(struct pack_cursor *cursor, const void *bytes, size_t n_bytes)
{
    memcpy(cursor->at, bytes, n_bytes);
    cursor->at += n_bytes;
}

#define msgpack_pack_inline_func(name)      static inline __attribute__((unused)) int pack##name
#define msgpack_pack_inline_func_cint(name) static inline __attribute__((unused)) int pack##name
#define msgpack_pack_user                   struct pack_cursor *
#define msgpack_pack_append_buffer(user, bytes, n_bytes)                                           \
    return (pack_bytes((user), (bytes), (n_bytes)), 0)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wshadow"
#include <msgpack/pack_template.h>
#pragma GCC diagnostic pop

enum pack_bounds {
    PACK_INTEGER_BYTES = 9, /* tag byte and eight of value */
    PACK_HEAD_BYTES = 5,    /* head of a str, bin, array or map */
};

/* Tell whether bytes[0..n) are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool pack_is_utf8(const void *bytes, size_t n_bytes);

/* Write bytes[0..n) as str if they are UTF-8, else as bin. Takes n + PACK_HEAD_BYTES of room. */
void pack_text(struct pack_cursor *cursor, const void *bytes, size_t n_bytes);

#endif
