/* SPDX-License-Identifier: MIT */
/* How records leave the byte stream: record_decode() on the window, with a wider window each time
 * it asks for more. */
#include "reader/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/source.h"

struct decoder {
    struct source *source;
    uint8_t
        *head; /* copy of the last chunk's record: the window moves on while its bytes are read */
    size_t head_bytes;
};

enum { FIRST_PEEK_BYTES = 4096 };

static int fail(struct trace_error *error, uint64_t offset, const char *record, int result,
                const char *reason)
{
    error->offset_bytes = offset;
    error->record = record;
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return result;
}

/* Why the stream holds no whole record at its current position. */
static int fail_short(const struct decoder *decoder, size_t n_left, const char *record,
                      struct trace_error *error)
{
    const uint64_t offset = source_offset(decoder->source);
    switch (source_end(decoder->source)) {
    case SOURCE_FAILED:
        return fail(error, offset, record, source_errno(decoder->source),
                    strerror(-source_errno(decoder->source)));
    case SOURCE_BROKEN:
        return fail(error, offset, record, -EBADMSG, "the compressed data is damaged here");
    case SOURCE_CUT:
        return fail(error, offset, record, -EBADMSG, "the file ends inside a compressed frame");
    default:
        return n_left ? fail(error, offset, record, -EBADMSG, "the file ends inside a record") : 0;
    }
}

/* Decode the record at the current position; its bytes stay in the window.
 * Returns 1, 0 at the stream's end, or a negative errno. */
static int peek_record(struct decoder *decoder, struct decode_item *item, struct trace_error *error)
{
    for (size_t n_wanted = FIRST_PEEK_BYTES;; n_wanted *= 2) {
        const uint8_t *bytes;
        const size_t n = source_peek(decoder->source, n_wanted, &bytes);
        struct unpack_cursor cursor = {.at = bytes, .end = bytes + n};
        const int result = record_decode(&cursor, NULL, &item->record);
        const uint64_t offset = source_offset(decoder->source);
        if (result == 0) {
            item->bytes = bytes;
            item->n_bytes = (size_t)(cursor.at - bytes);
            item->offset = offset;
            return 1;
        }
        if (result != -EAGAIN)
            return fail(error, offset, "", -EBADMSG, "what stands here is no record");
        /* Padding is consumed at once, so that a bomb of it needs no room. */
        source_take(decoder->source, (size_t)(cursor.at - bytes));
        if (n < n_wanted)
            return fail_short(decoder, (size_t)(cursor.end - cursor.at), "", error);
        if (n_wanted > DECODE_MAX_RECORD_BYTES)
            return fail(error, offset, "", -EBADMSG, "a record here is longer than any may be");
    }
}

/* Read the chunk's bytes: as many as it claims or as there are. Room grows with the bytes, not with
 * the claim. */
static int read_payload(struct decoder *decoder, struct decode_item *item)
{
    const size_t n_claimed = item->record.chunk.n_bytes;
    size_t n_done = 0, n_room = 0;
    uint8_t *payload = NULL;
    while (n_done < n_claimed) {
        const uint8_t *bytes;
        const size_t n_there = source_peek(decoder->source, 1, &bytes);
        if (n_there == 0)
            break;
        const size_t n_left = n_claimed - n_done, n = n_there < n_left ? n_there : n_left;
        if (n_done + n > n_room) {
            n_room = n_done + n > 2 * n_room ? n_done + n : 2 * n_room;
            uint8_t *const moved = realloc(payload, n_room);
            if (!moved) {
                free(payload);
                return -ENOMEM;
            }
            payload = moved;
        }
        memcpy(payload + n_done, bytes, n);
        n_done += n;
        source_take(decoder->source, n);
    }
    item->payload = payload;
    item->payload_bytes = n_done;
    return 0;
}

static int keep_head(struct decoder *decoder, struct decode_item *item)
{
    if (item->n_bytes > decoder->head_bytes) {
        uint8_t *const moved = realloc(decoder->head, item->n_bytes);
        if (!moved)
            return -ENOMEM;
        decoder->head = moved;
        decoder->head_bytes = item->n_bytes;
    }
    memcpy(decoder->head, item->bytes, item->n_bytes);
    item->bytes = decoder->head;
    return 0;
}

int decode_next(struct decoder *decoder, struct decode_item *item_out,
                struct trace_error *error_out)
{
    struct decode_item item = {0};
    const int found = peek_record(decoder, &item, error_out);
    if (found <= 0)
        return found;
    if (item.record.tag == TRACE_CHUNK) {
        if (item.record.chunk.n_bytes > DECODE_MAX_CHUNK_BYTES)
            return fail(error_out, item.offset, "chunk", -EBADMSG, "a chunk claims too many bytes");
        int error = keep_head(decoder, &item);
        source_take(decoder->source, item.n_bytes);
        item.payload_offset = source_offset(decoder->source);
        if (error == 0)
            error = read_payload(decoder, &item);
        if (error)
            return fail(error_out, item.offset, "chunk", error, strerror(-error));
    } else {
        source_take(decoder->source, item.n_bytes); /* the window stays until the next peek */
    }
    *item_out = item;
    return 1;
}

/* Tell whether the first bytes are the beginning of a header, however short. */
static bool could_be_header(const uint8_t *bytes, size_t n_bytes)
{
    static const uint8_t first[] = {TRACE_HEADER, 0xa0 | (sizeof TRACE_NAME - 1)};
    if (n_bytes > 0 && (bytes[0] & 0xf0) != 0x90)
        return false;
    for (size_t i = 1; i < n_bytes && i < 3; i++)
        if (bytes[i] != first[i - 1])
            return false;
    for (size_t i = 3; i < n_bytes && i < 3 + sizeof TRACE_NAME - 1; i++)
        if (bytes[i] != (uint8_t)TRACE_NAME[i - 3])
            return false;
    return true;
}

static int check_header(struct decoder *decoder, struct trace_error *error)
{
    struct decode_item item = {0};
    const uint8_t *bytes;
    const int found = peek_record(decoder, &item, error);
    if (found < 0 && source_end(decoder->source) == SOURCE_FAILED)
        return found;
    if (source_is_empty(decoder->source))
        return fail(error, 0, "", -EBADMSG, "is empty");
    const size_t n = source_peek(decoder->source, 3 + sizeof TRACE_NAME, &bytes);
    if (found <= 0 && source_end(decoder->source) != SOURCE_OPEN && could_be_header(bytes, n) &&
        (n > 0 || source_is_compressed(decoder->source)))
        return 0;
    if (found <= 0 || item.record.tag != TRACE_HEADER)
        return fail(error, 0, "", -EBADMSG, "is not a heapwise trace");
    if (item.record.header.major > TRACE_VERSION_MAJOR) {
        char reason[sizeof error->reason];
        snprintf(reason, sizeof reason,
                 "written by a newer heapwise (format %u.%u; this one reads up to %d.%d)",
                 (unsigned)item.record.header.major, (unsigned)item.record.header.minor,
                 TRACE_VERSION_MAJOR, TRACE_VERSION_MINOR);
        return fail(error, 0, "header", -EPROTONOSUPPORT, reason);
    }
    return 0;
}

int decode_open(const char *path, struct decoder **decoder_out, struct trace_error *error_out)
{
    struct decoder *const decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return fail(error_out, 0, "", -ENOMEM, strerror(ENOMEM));
    int error = source_open(path, &decoder->source);
    if (error)
        fail(error_out, 0, "", error, strerror(-error));
    else
        error = check_header(decoder, error_out);
    if (error) {
        decode_close(decoder);
        return error;
    }
    *decoder_out = decoder;
    return 0;
}

void decode_close(struct decoder *decoder)
{
    if (!decoder)
        return;
    source_close(decoder->source);
    free(decoder->head);
    free(decoder);
}
