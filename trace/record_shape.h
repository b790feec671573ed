/* SPDX-License-Identifier: MIT */
/* What the tables of record kinds are made of; for trace/record*.c only.
 *
 * A kind of record has a shape: its name, its least number of elements, and the function that takes
 * its fields off the input with the record_take_* functions below. These are inline because a
 * reader calls them some five times an event. Each returns 0, -EAGAIN or -EBADMSG as in unpack.h. */
#ifndef HEAPWISE_TRACE_RECORD_SHAPE_H
#define HEAPWISE_TRACE_RECORD_SHAPE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/record.h"

/* What a field function works on: the rest of the array and the record it fills. */
struct record_input {
    struct unpack_cursor cursor;
    uint32_t n_left; /* elements not yet taken */
    struct record_base base;
    struct record *record;
};

static inline int record_take_uint(struct record_input *input, uint64_t max, uint64_t *value_out)
{
    uint64_t value;
    const int error = unpack_uint(&input->cursor, &value);
    if (error)
        return error;
    if (value > max)
        return -EBADMSG;
    input->n_left--;
    *value_out = value;
    return 0;
}

static inline int record_take_u32(struct record_input *input, uint32_t *value_out)
{
    uint64_t value;
    const int error = record_take_uint(input, UINT32_MAX, &value);
    if (error == 0)
        *value_out = (uint32_t)value;
    return error;
}

static inline int record_take_int(struct record_input *input, int64_t *value_out)
{
    const int error = unpack_int(&input->cursor, value_out);
    if (error == 0)
        input->n_left--;
    return error;
}

static inline int record_take_i32(struct record_input *input, int32_t *value_out)
{
    int64_t value;
    const int error = record_take_int(input, &value);
    if (error)
        return error;
    if (value < INT32_MIN || value > INT32_MAX)
        return -EBADMSG;
    *value_out = (int32_t)value;
    return 0;
}

static inline int record_take_text(struct record_input *input, struct unpack_text *text_out)
{
    const int error = unpack_text(&input->cursor, text_out);
    if (error)
        return error;
    if (text_out->n_bytes > TRACE_MAX_TEXT_BYTES)
        return -EBADMSG;
    input->n_left--;
    return 0;
}

/* Ticks and addresses wrap modulo 2^64 on purpose: the writer subtracts, we add. */
static inline int record_take_ticks(struct record_input *input)
{
    int64_t delta;
    const int error = record_take_int(input, &delta);
    if (error)
        return error;
    input->base.ticks += (uint64_t)delta;
    input->record->ticks = input->base.ticks;
    return 0;
}

static inline int record_take_address(struct record_input *input)
{
    int64_t delta;
    const int error = record_take_int(input, &delta);
    if (error)
        return error;
    input->base.address += (uint64_t)delta;
    input->record->block.address = input->base.address;
    return 0;
}

static inline int record_take_absolute_ticks(struct record_input *input)
{
    return record_take_uint(input, UINT64_MAX, &input->record->ticks);
}

static inline int record_take_exit(struct record_input *input)
{
    struct record *const record = input->record;
    const int error = record_take_i32(input, &record->exit.pid);
    if (error)
        return error;
    if (input->n_left && unpack_nil(&input->cursor)) {
        input->n_left--;
        return 0;
    }
    record->exit.has_status = true;
    return record_take_i32(input, &record->exit.wait_status);
}

static inline int record_take_u8(struct record_input *input, uint8_t *value_out)
{
    uint64_t value;
    const int error = record_take_uint(input, UINT8_MAX, &value);
    if (error == 0)
        *value_out = (uint8_t)value;
    return error;
}

static inline int record_take_u64(struct record_input *input, uint64_t *value_out)
{
    return record_take_uint(input, UINT64_MAX, value_out);
}

/* What the kernel counted: the last four elements of two kinds of records. */
static inline int record_take_kernel_counts(struct record_input *input)
{
    struct record_kernel_io *const io = &input->record->kernel_io;
    int error;
    if ((error = record_take_u64(input, &io->n_reads)) ||
        (error = record_take_u64(input, &io->n_writes)) ||
        (error = record_take_u64(input, &io->read_bytes)))
        return error;
    return record_take_u64(input, &io->written_bytes);
}

/* Tell whether a text is `name`. */
static inline bool record_key_is(const struct unpack_text *key, const char *name)
{
    const size_t n = strlen(name);
    return key->n_bytes == n && memcmp(key->bytes, name, n) == 0;
}

struct record_shape {
    const char *name;
    uint32_t n_least; /* elements with the tag */
    int (*decode)(struct record_input *input);
};

/* The I/O records' functions, in record_io.c; the tables name them. */
int record_decode_io(struct record_input *input);
int record_decode_path_call(struct record_input *input);
int record_decode_fd_new(struct record_input *input);
int record_decode_fd_is(struct record_input *input);
int record_decode_fd_close(struct record_input *input);
int record_decode_folder(struct record_input *input);
int record_decode_kernel_io(struct record_input *input);

/* By tag. A hole (decode NULL) is a tag that this version does not know. */
extern const struct record_shape record_ring_shapes[TRACE_TAG_FILE];
extern const struct record_shape record_file_shapes[TRACE_END + 1 - TRACE_TAG_FILE];

#endif
