/* SPDX-License-Identifier: MIT */
/* How bytes become a JSON string: runs of plain UTF-8 as they are, everything else escaped. */
#include "reader/jsontext.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "trace/pack.h"
#include "trace/trace_format.h"

/* Length of the UTF-8 character at bytes[0..n), 0 where none is. */
static size_t character_bytes(const char *bytes, size_t n_bytes)
{
    for (size_t n = 1; n <= 4 && n <= n_bytes; n++)
        if (pack_is_utf8(bytes, n))
            return n;
    return 0;
}

static void put_character(FILE *out, const char *bytes, size_t n_bytes)
{
    const unsigned char first = (unsigned char)bytes[0];
    if (first == '"' || first == '\\')
        fprintf(out, "\\%c", first);
    else if (first < 0x20 || first == 0x7f)
        fprintf(out, "\\u%04x", first);
    else
        fwrite(bytes, 1, n_bytes, out);
}

void jsontext_string(FILE *out, const char *bytes, size_t n_bytes)
{
    putc('"', out);
    for (size_t at = 0, n; at < n_bytes; at += n) {
        n = character_bytes(bytes + at, n_bytes - at);
        if (n == 0) {
            fprintf(out, "\\\\x%02x", (unsigned char)bytes[at]);
            n = 1;
        } else {
            put_character(out, bytes + at, n);
        }
    }
    putc('"', out);
}

static int put_object(FILE *out, struct unpack_cursor *cursor, unsigned max_depth);

static int put_array(FILE *out, struct unpack_cursor *cursor, uint32_t n, unsigned max_depth)
{
    int error = 0;
    putc('[', out);
    for (uint32_t i = 0; i < n && error == 0; i++) {
        fputs(i ? ", " : "", out);
        error = put_object(out, cursor, max_depth);
    }
    putc(']', out);
    return error;
}

/* A key that is no text has no place in JSON: it becomes an empty one. */
static int put_key(FILE *out, struct unpack_cursor *cursor)
{
    struct unpack_text text;
    if (unpack_text(cursor, &text) == 0) {
        jsontext_string(out, text.bytes, text.n_bytes);
        return 0;
    }
    fputs("\"\"", out);
    return unpack_skip(cursor, TRACE_MAX_NESTING);
}

static int put_map(FILE *out, struct unpack_cursor *cursor, uint32_t n, unsigned max_depth)
{
    int error = 0;
    putc('{', out);
    for (uint32_t i = 0; i < n && error == 0; i++) {
        fputs(i ? ", " : "", out);
        if ((error = put_key(out, cursor)) == 0) {
            fputs(": ", out);
            error = put_object(out, cursor, max_depth);
        } else {
            fputs(": null", out);
        }
    }
    putc('}', out);
    return error;
}

static int put_object(FILE *out, struct unpack_cursor *cursor, unsigned max_depth)
{
    struct unpack_text text;
    uint64_t number;
    int64_t negative;
    uint32_t n;
    bool truth;
    if (unpack_uint(cursor, &number) == 0)
        return fprintf(out, "%" PRIu64, number) < 0 ? -EIO : 0;
    if (unpack_int(cursor, &negative) == 0)
        return fprintf(out, "%" PRId64, negative) < 0 ? -EIO : 0;
    if (unpack_text(cursor, &text) == 0) {
        jsontext_string(out, text.bytes, text.n_bytes);
        return 0;
    }
    if (unpack_bool(cursor, &truth)) {
        fputs(truth ? "true" : "false", out);
        return 0;
    }
    if (max_depth > 0 && unpack_array(cursor, &n) == 0)
        return put_array(out, cursor, n, max_depth - 1);
    if (max_depth > 0 && unpack_map(cursor, &n) == 0)
        return put_map(out, cursor, n, max_depth - 1);
    fputs("null", out);
    return unpack_skip(cursor, TRACE_MAX_NESTING);
}

int jsontext_object(FILE *out, struct unpack_cursor *cursor)
{
    return put_object(out, cursor, TRACE_MAX_NESTING);
}
