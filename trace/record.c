/* SPDX-License-Identifier: MIT */
/* How one record is decoded: an array head, a tag, then that tag's fields in order.
 *
 * Two tables give each tag its name, its least number of elements and the function that takes its
 * fields: record_ring.c for tags below TRACE_TAG_FILE, record_file.c for the others. Elements beyond
 * the ones a function takes are passed over, so a newer minor version may append fields. Nothing is
 * published before the whole object has been checked. */
#include "trace/record.h"

#include <errno.h>
#include <stddef.h>

#include "trace/record_hot.h"
#include "trace/record_shape.h"

static const struct record_shape *shape_of(uint64_t tag)
{
    const struct record_shape *shape;
    if (tag > TRACE_END)
        return NULL;
    shape =
        tag < TRACE_TAG_FILE ? &record_ring_shapes[tag] : &record_file_shapes[tag - TRACE_TAG_FILE];
    return shape->decode ? shape : NULL;
}

const char *record_name(uint8_t tag)
{
    const struct record_shape *const shape = shape_of(tag);
    return shape ? shape->name : NULL;
}

/* Take the fields of a known tag, then whatever a newer minor version appended. */
static int decode_fields(struct record_input *input, const struct record_shape *shape)
{
    if (input->n_left + 1 < shape->n_least)
        return -EBADMSG;
    int error = shape->decode(input);
    while (error == 0 && input->n_left > 0) {
        error = unpack_skip(&input->cursor, TRACE_MAX_NESTING);
        input->n_left--;
    }
    return error;
}

int record_decode(struct unpack_cursor *cursor, struct record_base *base, struct record *record_out)
{
    while (unpack_nil(cursor))
        ;
    if (base && record_hot_decode(cursor, base, record_out))
        return 0;
    *record_out = (struct record){.tag = 0};
    struct record_input input = {.cursor = *cursor, .record = record_out};
    uint32_t n_elements;
    uint64_t tag;
    int error;
    if ((error = unpack_array(&input.cursor, &n_elements)))
        return error;
    if (n_elements == 0)
        return -EBADMSG;
    if ((error = unpack_uint(&input.cursor, &tag)))
        return error;
    if (tag == 0 || tag > 127)
        return -EBADMSG;
    input.n_left = n_elements - 1;
    record_out->tag = (uint8_t)tag;
    const struct record_shape *const shape = shape_of(tag);
    record_out->known = shape != NULL;
    const bool in_ring = tag < TRACE_TAG_FILE;
    if (in_ring && base)
        input.base = *base;
    if (shape && in_ring && !base)
        return -EBADMSG;
    if (shape) {
        error = decode_fields(&input, shape);
    } else {
        for (; error == 0 && input.n_left > 0; input.n_left--)
            error = unpack_skip(&input.cursor, TRACE_MAX_NESTING);
    }
    if (error)
        return error;
    if (in_ring && base)
        *base = input.base;
    *cursor = input.cursor;
    return 0;
}
