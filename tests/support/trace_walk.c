/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/trace_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

static uint8_t *read_file(const char *path, size_t *n_out)
{
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n_out = (size_t)ftell(file);
    rewind(file);
    uint8_t *const bytes = malloc(*n_out + 1);
    assert_int_equal(fread(bytes, 1, *n_out, file), *n_out);
    fclose(file);
    return bytes;
}

void trace_walk_open(struct trace_walk *walk, const char *path)
{
    size_t n;
    uint8_t *const packed = read_file(path, &n);
    ZSTD_DStream *const stream = ZSTD_createDStream();
    ZSTD_inBuffer input = {packed, n, 0};
    size_t capacity = 1 << 16;
    ZSTD_outBuffer output = {malloc(capacity), capacity, 0};
    while (input.pos < input.size || output.pos == output.size) {
        if (output.pos == output.size)
            output.dst = realloc(output.dst, output.size *= 2);
        const size_t before = output.pos;
        const size_t left = ZSTD_decompressStream(stream, &output, &input);
        assert_false(ZSTD_isError(left));
        if (input.pos == input.size && output.pos == before)
            break;
    }
    ZSTD_freeDStream(stream);
    free(packed);
    *walk = (struct trace_walk){.bytes = output.dst,
                                .cursor = {output.dst, (uint8_t *)output.dst + output.pos}};
}

void trace_walk_close(struct trace_walk *walk)
{
    free(walk->bytes);
}

bool trace_walk_next(struct trace_walk *walk)
{
    const int error = record_decode(&walk->cursor, &walk->base, &walk->record);
    assert_true(error == 0 || (error == -EAGAIN && walk->cursor.at == walk->cursor.end));
    if (error == 0 && walk->record.tag == TRACE_CHUNK) {
        walk->base = walk->record.chunk.base;
        walk->stream = walk->record.chunk.stream;
    }
    return error == 0;
}

size_t trace_walk_count(const char *path, enum trace_tag tag)
{
    struct trace_walk walk;
    size_t n = 0;
    trace_walk_open(&walk, path);
    while (trace_walk_next(&walk))
        n += walk.record.tag == tag;
    trace_walk_close(&walk);
    return n;
}
