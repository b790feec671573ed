/* SPDX-License-Identifier: MIT */
/* How bytes become frames without ever being caught out by a full disk: before input is taken, room
 * for its worst case (it and all that zstd still holds, incompressible) is asked of the file. Only
 * when that is refused is the stream flushed, which turns the worst case into the real one. */
#include "collector/compress.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

enum compress_tuning {
    LEVEL = 1,                     /* ~400 MB/s; level 3 halves that for 8 % on event streams */
    FRAME_BYTES = 4 * 1024 * 1024, /* what a torn write costs at most */
    BUFFER_BYTES = 256 * 1024,
    BLOCK_BYTES = 128 * 1024, /* zstd format, block_maximum_decompressed_size */
};

struct compress {
    ZSTD_CCtx *context;
    struct trace_file *file;
    uint8_t *buffer;
    size_t n_buffered;    /* compressed, not yet written */
    size_t n_pending;     /* taken since the last flush, uncompressed */
    uint64_t frame_start; /* file->n_bytes where the frame began */
    uint64_t n_bytes;
    bool in_frame;
    bool torn; /* a write failed: the frame in the file is broken */
    int error;
};

struct compress *compress_new(struct trace_file *file)
{
    struct compress *compress = calloc(1, sizeof *compress);
    if (!compress)
        return NULL;
    compress->file = file;
    compress->context = ZSTD_createCCtx();
    compress->buffer = malloc(BUFFER_BYTES);
    if (!compress->context || !compress->buffer) {
        compress_free(compress);
        return NULL;
    }
    ZSTD_CCtx_setParameter(compress->context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(compress->context, ZSTD_c_checksumFlag, 1);
    return compress;
}

void compress_free(struct compress *compress)
{
    if (!compress)
        return;
    ZSTD_freeCCtx(compress->context);
    free(compress->buffer);
    free(compress);
}

static int write_out(struct compress *compress)
{
    const int error = trace_file_write(compress->file, compress->buffer, compress->n_buffered);
    compress->n_buffered = 0;
    if (error) {
        compress->error = error;
        compress->torn = true;
    }
    return error;
}

/* Feed input to zstd; with ZSTD_e_flush or ZSTD_e_end until all of it is out. */
static int feed(struct compress *compress, ZSTD_inBuffer *input, ZSTD_EndDirective directive)
{
    size_t left;
    do {
        ZSTD_outBuffer output = {compress->buffer, BUFFER_BYTES, compress->n_buffered};
        left = ZSTD_compressStream2(compress->context, &output, input, directive);
        if (ZSTD_isError(left)) {
            compress->torn = true;
            return compress->error = -ENOMEM;
        }
        compress->n_buffered = output.pos;
        const bool all_in = input->pos == input->size;
        if (directive == ZSTD_e_continue && all_in && output.pos < BUFFER_BYTES / 2)
            return 0;
        const int error = compress->n_buffered ? write_out(compress) : 0;
        if (error)
            return error;
        if (directive == ZSTD_e_continue && all_in)
            return 0;
    } while (left > 0 || input->pos < input->size);
    return 0;
}

static int feed_nothing(struct compress *compress, ZSTD_EndDirective directive)
{
    ZSTD_inBuffer nothing = {NULL, 0, 0};
    const int error = feed(compress, &nothing, directive);
    if (error == 0)
        compress->n_pending = 0;
    return error;
}

/* The most that n bytes and all that is held back can become: zstd holds one block as input and one
 * as output when it is fed with ZSTD_e_continue. */
static size_t worst_case(const struct compress *compress, size_t n_bytes)
{
    const size_t held_max = 2 * BLOCK_BYTES;
    const size_t n_held = compress->n_pending < held_max ? compress->n_pending : held_max;
    return compress->n_buffered + ZSTD_compressBound(n_held + n_bytes) + 64;
}

size_t compress_room(struct compress *compress, size_t n_wanted)
{
    if (compress->error || trace_file_admit(compress->file, worst_case(compress, n_wanted)) == 0)
        return n_wanted;
    if (compress->n_pending && feed_nothing(compress, ZSTD_e_flush))
        return n_wanted;
    for (size_t n = n_wanted; n >= COMPRESS_LEAST_BYTES; n /= 2)
        if (trace_file_admit(compress->file, worst_case(compress, n)) == 0)
            return n;
    return n_wanted;
}

int compress_write(struct compress *compress, const void *bytes, size_t n_bytes)
{
    if (compress->error)
        return compress->error;
    int error = trace_file_admit(compress->file, worst_case(compress, n_bytes));
    if (error && compress->n_pending) {
        if (feed_nothing(compress, ZSTD_e_flush))
            return compress->error;
        error = trace_file_admit(compress->file, worst_case(compress, n_bytes));
    }
    if (error)
        return compress->error = error;
    ZSTD_inBuffer input = {bytes, n_bytes, 0};
    compress->in_frame = true;
    compress->n_pending += n_bytes;
    compress->n_bytes += n_bytes;
    error = feed(compress, &input, ZSTD_e_continue);
    if (error)
        return error;
    if (compress->file->n_bytes - compress->frame_start >= FRAME_BYTES)
        return compress_end_frame(compress);
    return 0;
}

int compress_flush(struct compress *compress)
{
    if (compress->error)
        return compress->error;
    if (compress->n_pending == 0 && compress->n_buffered == 0)
        return 0;
    return feed_nothing(compress, ZSTD_e_flush);
}

int compress_end_frame(struct compress *compress)
{
    if (compress->error || !compress->in_frame)
        return compress->error;
    const int error = feed_nothing(compress, ZSTD_e_end);
    if (error)
        return error;
    compress->in_frame = false;
    compress->frame_start = compress->file->n_bytes;
    trace_file_mark_whole(compress->file);
    return 0;
}

int compress_stop(struct compress *compress, bool *cut_out)
{
    const bool cut = compress->torn;
    trace_file_release_reserve(compress->file);
    if (cut) {
        const int error = trace_file_cut_to_whole(compress->file);
        if (error)
            return error;
        ZSTD_CCtx_reset(compress->context, ZSTD_reset_session_only);
        compress->n_pending = 0;
        compress->n_buffered = 0;
        compress->in_frame = false;
        compress->frame_start = compress->file->n_bytes;
        compress->torn = false;
    }
    compress->error = 0;
    *cut_out = cut;
    return 0;
}

int compress_error(const struct compress *compress)
{
    return compress->error;
}

uint64_t compress_n_bytes(const struct compress *compress)
{
    return compress->n_bytes;
}
