/* SPDX-License-Identifier: MIT */
/* How bytes arrive: read(2) in pieces of 64 KiB, through zstd's streaming decoder where the first
 * four bytes are its magic, into a window that slides over the decompressed stream. */
#include "reader/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
    READ_BYTES = 64 * 1024,
    STEP_BYTES = 128 * 1024, /* room made for each decompression step: ZSTD_DStreamOutSize() */
    /* No window zstd itself offers below --ultra --long needs more; bounds what a bomb may claim. */
    WINDOW_LOG_MAX = 27,
};

struct source {
    int fd;
    int error;
    bool at_end; /* of the file */
    bool empty, compressed;
    bool inside_frame;
    enum source_end end;
    ZSTD_DCtx *decoder;
    uint8_t input[READ_BYTES];
    size_t input_at, input_end;
    uint8_t *window;
    size_t window_at, window_end, window_bytes;
    uint64_t offset; /* of window_at in the stream */
};

/* Read the next piece of the file behind what is left of the last one. */
static int fill_input(struct source *source)
{
    memmove(source->input, source->input + source->input_at, source->input_end - source->input_at);
    source->input_end -= source->input_at;
    source->input_at = 0;
    while (!source->at_end && source->input_end < READ_BYTES) {
        const ssize_t n =
            read(source->fd, source->input + source->input_end, READ_BYTES - source->input_end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        source->at_end = n == 0;
        source->input_end += (size_t)n;
        if (n > 0 && source->input_end >= 4)
            break;
    }
    return 0;
}

/* Tell a zstd frame (RFC 8878) or a skippable one by its magic; a shorter beginning of the magic
 * counts, so that a file cut within its first four bytes is still a cut trace. */
static bool begins_a_frame(const uint8_t *bytes, size_t n_bytes)
{
    static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t skippable[3] = {0x2a, 0x4d, 0x18}; /* after 0x50..0x5f */
    const size_t n = n_bytes < 4 ? n_bytes : 4;
    if (n > 0 && memcmp(bytes, magic, n) == 0)
        return true;
    return n == 4 && (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, skippable, 3) == 0;
}

static int begin(struct source *source)
{
    const int error = fill_input(source);
    if (error)
        return error;
    source->empty = source->input_end == 0;
    source->compressed = begins_a_frame(source->input, source->input_end);
    if (!source->compressed)
        return 0;
    source->decoder = ZSTD_createDCtx();
    if (!source->decoder)
        return -ENOMEM;
    ZSTD_DCtx_setParameter(source->decoder, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return 0;
}

static int open_source(struct source *source, const char *path)
{
    const bool standard_input = strcmp(path, "-") == 0;
    source->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (source->fd < 0)
        return -errno;
    struct stat status;
    if (fstat(source->fd, &status))
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    return begin(source);
}

int source_open(const char *path, struct source **source_out)
{
    struct source *const source = calloc(1, sizeof *source);
    if (!source)
        return -ENOMEM;
    source->fd = -1;
    const int error = open_source(source, path);
    if (error) {
        source_close(source);
        return error;
    }
    *source_out = source;
    return 0;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    ZSTD_freeDCtx(source->decoder);
    free(source->window);
    free(source);
}

/* Make room for one more step behind the window's bytes. The window doubles, so a long record costs
 * no more than twice its length in copying. */
static int make_room(struct source *source)
{
    if (source->window_at > 0) {
        memmove(source->window, source->window + source->window_at,
                source->window_end - source->window_at);
        source->window_end -= source->window_at;
        source->window_at = 0;
    }
    if (source->window_bytes - source->window_end >= STEP_BYTES)
        return 0;
    const size_t n_bytes = source->window_bytes ? 2 * source->window_bytes : 4 * STEP_BYTES;
    uint8_t *const moved = realloc(source->window, n_bytes);
    if (!moved)
        return -ENOMEM;
    source->window = moved;
    source->window_bytes = n_bytes;
    return 0;
}

static enum source_end decompress(struct source *source)
{
    if (!source->inside_frame && source->input_at == source->input_end)
        return SOURCE_WHOLE;
    if (!source->inside_frame &&
        !begins_a_frame(source->input + source->input_at, source->input_end - source->input_at))
        return SOURCE_BROKEN;
    ZSTD_inBuffer in = {source->input, source->input_end, source->input_at};
    ZSTD_outBuffer out = {source->window, source->window_bytes, source->window_end};
    const size_t left = ZSTD_decompressStream(source->decoder, &out, &in);
    const bool stuck = in.pos == source->input_at && out.pos == source->window_end;
    source->input_at = in.pos;
    source->window_end = out.pos;
    if (ZSTD_isError(left))
        return SOURCE_BROKEN;
    source->inside_frame = left != 0;
    return stuck && source->at_end && source->inside_frame ? SOURCE_CUT : SOURCE_OPEN;
}

static enum source_end copy(struct source *source)
{
    const size_t room = source->window_bytes - source->window_end;
    const size_t there = source->input_end - source->input_at;
    const size_t n = room < there ? room : there;
    memcpy(source->window + source->window_end, source->input + source->input_at, n);
    source->window_end += n;
    source->input_at += n;
    return n == 0 && source->at_end ? SOURCE_WHOLE : SOURCE_OPEN;
}

/* Bring some more bytes into the window, or find out why there are none. */
static void advance(struct source *source)
{
    int error = make_room(source);
    if (error == 0 && !source->at_end && source->input_end - source->input_at < READ_BYTES / 2)
        error = fill_input(source);
    if (error) {
        source->error = error;
        source->end = SOURCE_FAILED;
        return;
    }
    source->end = source->compressed ? decompress(source) : copy(source);
}

size_t source_peek(struct source *source, size_t n_wanted, const uint8_t **bytes_out)
{
    while (source->end == SOURCE_OPEN && source->window_end - source->window_at < n_wanted)
        advance(source);
    *bytes_out = source->window + source->window_at;
    return source->window_end - source->window_at;
}

void source_take(struct source *source, size_t n_bytes)
{
    source->window_at += n_bytes;
    source->offset += n_bytes;
}

uint64_t source_offset(const struct source *source)
{
    return source->offset;
}
enum source_end source_end(const struct source *source)
{
    return source->end;
}
int source_errno(const struct source *source)
{
    return source->error;
}
bool source_is_empty(const struct source *source)
{
    return source->empty;
}
bool source_is_compressed(const struct source *source)
{
    return source->compressed;
}
