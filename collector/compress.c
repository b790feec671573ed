/* SPDX-License-Identifier: MIT */
/* How bytes become frames without ever being caught out by a full disk: before input is taken, room
 * for its worst case (it and all that is gathered, incompressible) is asked of the file. Only when
 * that is refused is the gathered part written, which turns the worst case into the real one.
 *
 * A frame is compressed in one go from where its bytes were put. zstd's streaming interface copies
 * them into a window of its own and searches for repetitions in two segments, which made level 1
 * dearer by a tenth; frames of this size compress no worse (2.79 and 2.81 bytes an event, python3). */
#include "collector/compress.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "collector/crowding.h"
#include "collector/ticks.h"
#include "collector/way.h"

enum compress_tuning {
    FRAME_BYTES = 512 * 1024, /* gathered; with ring and output it fits a second-level cache */
    SAFE_AFTER_BYTES = 4 * 1024 * 1024, /* what a torn write costs at most */
    INPUT_BYTES = FRAME_BYTES + COMPRESS_MOST_BYTES,
};

struct compress {
    ZSTD_CCtx *context;
    struct trace_file *file;
    uint8_t *input;
    uint8_t *output;
    size_t n_pending; /* gathered in input */
    uint64_t n_bytes;
    uint64_t mark, frame_mark, safe_mark; /* now, after the last frame, after the last safe one */
    struct pace pace;
    struct crowding crowding;
    bool plenty; /* of room for a second file, as last asked */
    enum pace_way way;
    bool torn; /* a write failed: the end of the file is broken */
    int error;
};

struct compress *compress_new(struct trace_file *file)
{
    struct compress *compress = calloc(1, sizeof *compress);
    if (!compress)
        return NULL;
    compress->file = file;
    compress->context = way_new_context();
    compress->way = PACE_DENSE;
    compress->crowding.turns_fd = compress->crowding.load_fd = -1;
    compress->input = malloc(INPUT_BYTES);
    compress->output = malloc(ZSTD_COMPRESSBOUND(INPUT_BYTES));
    if (!compress->context || !compress->input || !compress->output) {
        compress_free(compress);
        return NULL;
    }
    return compress;
}

void compress_free(struct compress *compress)
{
    if (!compress)
        return;
    crowding_close(&compress->crowding);
    ZSTD_freeCCtx(compress->context);
    free(compress->input);
    free(compress->output);
    free(compress);
}

void compress_watch_crowding(struct compress *compress)
{
    crowding_open(&compress->crowding);
}

/* Everything in the file is whole: from now on it may be cut back to here. */
static void make_safe(struct compress *compress)
{
    trace_file_mark_whole(compress->file);
    compress->safe_mark = compress->mark;
    compress->plenty = trace_file_has_plenty(compress->file, PACE_MOST_DEFERRED_BYTES);
}

/* What was gathered goes with the broken frame: kept, it would leave less room than may be reserved, by
 * callers who go on until the pass is over. */
static int fail_torn(struct compress *compress, int error)
{
    compress->torn = true;
    compress->n_pending = 0;
    return compress->error = error;
}

/* Write bytes[0..n) as one frame, through `output`, which has room for their worst case. */
static int write_frame(struct compress *compress, const void *bytes, size_t n_bytes, void *output)
{
    const uint64_t start_ns = ticks_monotonic_ns();
    pace_note_crowding(&compress->pace, crowding_look(&compress->crowding), compress->plenty);
    const enum pace_way way = pace_choose(&compress->pace, start_ns);
    if (way != compress->way)
        way_take(compress->context, way);
    compress->way = way;
    const size_t n =
        ZSTD_compress2(compress->context, output, ZSTD_compressBound(n_bytes), bytes, n_bytes);
    if (ZSTD_isError(n))
        return fail_torn(compress, -ENOMEM);
    const uint64_t compressed_ns = ticks_monotonic_ns();
    const int error = trace_file_write(compress->file, output, n);
    if (error)
        return fail_torn(compress, error);
    const uint64_t end_ns = ticks_monotonic_ns();
    const bool moved_on = compress->mark > compress->frame_mark;
    const struct pace_frame frame = {.way = way,
                                     .n_events =
                                         moved_on ? compress->mark - compress->frame_mark : 0,
                                     .n_bytes = n,
                                     .compress_ns = compressed_ns - start_ns,
                                     .write_ns = end_ns - compressed_ns,
                                     .end_ns = end_ns};
    pace_note_frame(&compress->pace, &frame);
    compress->frame_mark = compress->mark;
    if (compress->file->n_bytes - compress->file->n_whole_bytes >= SAFE_AFTER_BYTES)
        make_safe(compress);
    return 0;
}

static int write_pending(struct compress *compress)
{
    if (compress->n_pending == 0)
        return 0;
    const int error = write_frame(compress, compress->input, compress->n_pending, compress->output);
    if (error == 0)
        compress->n_pending = 0;
    return error;
}

/* The most that n more bytes and all that is gathered can become: one frame, or one each. */
static size_t worst_case(const struct compress *compress, size_t n_bytes)
{
    return ZSTD_compressBound(compress->n_pending) + ZSTD_compressBound(n_bytes) + 64;
}

/* Ask whether n more bytes may be taken; write what is gathered if that is what it takes. */
static int admit(struct compress *compress, size_t n_bytes)
{
    if (compress->error)
        return compress->error;
    int error = trace_file_admit(compress->file, worst_case(compress, n_bytes));
    if (error && compress->n_pending) {
        if (write_pending(compress))
            return compress->error;
        error = trace_file_admit(compress->file, worst_case(compress, n_bytes));
    }
    return compress->error = error;
}

size_t compress_room(struct compress *compress, size_t n_wanted)
{
    if (compress->error || trace_file_admit(compress->file, worst_case(compress, n_wanted)) == 0 ||
        write_pending(compress))
        return n_wanted;
    for (size_t n = n_wanted; n >= COMPRESS_LEAST_BYTES; n /= 2)
        if (trace_file_admit(compress->file, worst_case(compress, n)) == 0)
            return n;
    return n_wanted;
}

/* There is always room: INPUT_BYTES less what a frame may gather. */
uint8_t *compress_reserve(struct compress *compress, size_t n_wanted)
{
    assert(n_wanted <= COMPRESS_MOST_BYTES);
    (void)n_wanted;
    return compress->input + compress->n_pending;
}

int compress_commit(struct compress *compress, size_t n_bytes, uint64_t mark)
{
    const uint8_t *const bytes = compress->input + compress->n_pending;
    const int error = admit(compress, n_bytes);
    if (error)
        return error;
    if (compress->n_pending == 0)
        memmove(compress->input, bytes, n_bytes); /* no move at all unless admit() wrote the rest */
    compress->n_pending += n_bytes;
    compress->n_bytes += n_bytes;
    compress->mark = mark;
    return compress->n_pending >= FRAME_BYTES ? write_pending(compress) : 0;
}

/* A frame of its own for what does not fit: a very long command line. */
static int write_long(struct compress *compress, const void *bytes, size_t n_bytes)
{
    int error = admit(compress, n_bytes);
    if (error == 0)
        error = write_pending(compress);
    if (error)
        return error;
    void *const output = malloc(ZSTD_compressBound(n_bytes));
    if (!output)
        return compress->error = -ENOMEM;
    error = write_frame(compress, bytes, n_bytes, output);
    free(output);
    if (error == 0)
        compress->n_bytes += n_bytes;
    return error;
}

int compress_write(struct compress *compress, const void *bytes, size_t n_bytes)
{
    if (n_bytes > COMPRESS_MOST_BYTES)
        return write_long(compress, bytes, n_bytes);
    memcpy(compress_reserve(compress, n_bytes), bytes, n_bytes);
    return compress_commit(compress, n_bytes, compress->mark);
}

int compress_flush(struct compress *compress)
{
    return compress->error ? compress->error : write_pending(compress);
}

int compress_end_frame(struct compress *compress)
{
    const int error = compress_flush(compress);
    if (error == 0)
        make_safe(compress);
    return error;
}

int compress_stop(struct compress *compress, bool *cut_out)
{
    const bool cut = compress->torn;
    trace_file_release_reserve(compress->file);
    if (cut) {
        const int error = trace_file_cut_to_whole(compress->file);
        if (error)
            return error;
        compress->mark = compress->frame_mark = compress->safe_mark;
        compress->torn = false;
    }
    compress->error = 0;
    *cut_out = cut;
    return 0;
}

uint64_t compress_mark(const struct compress *compress)
{
    return compress->mark;
}

int compress_error(const struct compress *compress)
{
    return compress->error;
}

uint64_t compress_n_bytes(const struct compress *compress)
{
    return compress->n_bytes;
}

struct pace *compress_pace(struct compress *compress)
{
    return &compress->pace;
}
