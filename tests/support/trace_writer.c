/* SPDX-License-Identifier: MIT */
/* How a script becomes bytes: a table says which kinds of fields each record has. */
#include "tests/support/trace_writer.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/pack.h"
#include "trace/record.h"

enum { MAX_STREAMS = 64, MAX_WORDS = 64, SMALL_BYTES = 8192 };

/* Field kinds: t ticks delta, a address delta, u number, i signed number or nil, s text, m map,
 * f frames (function,file,line,inlined). Numbers beyond are appended as they are. */
static const char *const fields[TRACE_END + 1] = {
    [TRACE_MALLOC] = "tauu",
    [TRACE_CALLOC] = "tauu",
    [TRACE_REALLOC_NEW] = "tauu",
    [TRACE_REALLOCARRAY_NEW] = "tauu",
    [TRACE_POSIX_MEMALIGN] = "tauu",
    [TRACE_ALIGNED_ALLOC] = "tauu",
    [TRACE_MEMALIGN] = "tauu",
    [TRACE_VALLOC] = "tauu",
    [TRACE_PVALLOC] = "tauu",
    [TRACE_MALLOCX] = "tauu",
    [TRACE_REALLOC_BEGIN] = "tau",
    [TRACE_REALLOC_END] = "tauu",
    [TRACE_REALLOC_FAIL] = "t",
    [TRACE_REALLOC_FREED] = "t",
    [TRACE_FREE] = "ta",
    [TRACE_FREE_SIZED] = "ta",
    [TRACE_FREE_ALIGNED_SIZED] = "ta",
    [TRACE_CFREE] = "ta",
    [TRACE_DALLOCX] = "ta",
    [TRACE_SDALLOCX] = "ta",
    [TRACE_MMAP] = "tuuu",
    [TRACE_MUNMAP] = "tuu",
    [TRACE_REMAP_BEGIN] = "tuu",
    [TRACE_REMAP_END] = "tuuu",
    [TRACE_MAP_FAIL] = "t",
    [TRACE_CALL_TIME] = "tuu",
    [TRACE_NODE] = "uuu",
    [TRACE_TREE_RESET] = "",
    [TRACE_MODULE] = "tussuuu",
    [TRACE_MODULE_GONE] = "tu",
    [TRACE_IMAGE] = "tm",
    [TRACE_THREAD] = "tis",
    [TRACE_FORK] = "tu",
    [TRACE_FORK_FAIL] = "tu",
    [TRACE_EXEC] = "ts",
    [TRACE_EXEC_FAIL] = "ti",
    [TRACE_CHILD_EXIT] = "tii",
    [TRACE_REMARK] = "tus",
    [TRACE_IO] = "tuiuiuuu",
    [TRACE_STDIO] = "tuiuiuuuu",
    [TRACE_PATH_CALL] = "tuiiuus",
    [TRACE_FD_NEW] = "tuiiu",
    [TRACE_FD_IS] = "tisuuiuuu",
    [TRACE_FD_CLOSE] = "tuu",
    [TRACE_FOLDER] = "ts",
    [TRACE_KERNEL_IO] = "tuuuuu",
    [TRACE_HEADER] = "suus",
    [TRACE_RUN] = "m",
    [TRACE_CLOCK] = "uui",
    [TRACE_STREAM] = "uuiiu",
    [TRACE_WATERMARK] = "u",
    [TRACE_RSS] = "uiu",
    [TRACE_STREAM_END] = "um",
    [TRACE_PROCESS_END] = "uii",
    [TRACE_LOST] = "uuu",
    [TRACE_UNATTACHED] = "uius",
    [TRACE_STOPPED] = "uu",
    [TRACE_PROCESS_IO] = "uiuuuu",
    [TRACE_STRING] = "us",
    [TRACE_OBJECT] = "uus",
    [TRACE_SYMBOL] = "uuf",
    [TRACE_END] = "um",
};

struct open_chunk {
    struct trace_bytes bytes;
    uint64_t n_records;
    struct record_base base, first;
};

struct writer {
    struct trace_bytes out;
    struct open_chunk chunks[MAX_STREAMS];
};

static void fail(const char *what, const char *word)
{
    fprintf(stderr, "trace script: %s: %s\n", what, word);
    abort();
}

static size_t room_of(size_t n_bytes)
{
    size_t room = 64;
    while (room <= n_bytes)
        room *= 2;
    return room;
}

static void append(struct trace_bytes *to, const void *bytes, size_t n_bytes)
{
    /* Its room is the power of two above what it holds: what grows by small pieces is not copied for each. */
    if (!to->bytes || room_of(to->n_bytes) != room_of(to->n_bytes + n_bytes))
        to->bytes = realloc(to->bytes, room_of(to->n_bytes + n_bytes));
    if (!to->bytes)
        fail("memory", "");
    if (n_bytes)
        memcpy(to->bytes + to->n_bytes, bytes, n_bytes);
    to->n_bytes += n_bytes;
}

/* A whole word that is a number, in base 10 or 16. */
static bool is_number(const char *word)
{
    char *end;
    const char *const digits = word + (*word == '-');
    if (!isdigit((unsigned char)*digits))
        return false;
    strtoull(digits, &end, 0);
    return *end == 0;
}

static void put_number(struct pack_cursor *cursor, const char *word)
{
    if (strcmp(word, "-") == 0)
        pack_nil(cursor);
    else if (!is_number(word))
        fail("no number", word);
    else if (*word == '-')
        pack_int64(cursor, strtoll(word, NULL, 0));
    else
        pack_uint64(cursor, strtoull(word, NULL, 0));
}

/* A map's value: a list in brackets, a number, or a text. */
static void put_value(struct pack_cursor *cursor, char *value)
{
    if (*value != '[') {
        if (is_number(value))
            put_number(cursor, value);
        else
            pack_text(cursor, value, strlen(value));
        return;
    }
    char *items[MAX_WORDS], *rest = NULL;
    uint32_t n = 0;
    value[strlen(value) - 1] = 0;
    for (char *item = strtok_r(value + 1, ",", &rest); item; item = strtok_r(NULL, ",", &rest))
        items[n++] = item;
    pack_array(cursor, n);
    for (uint32_t i = 0; i < n; i++)
        pack_text(cursor, items[i], strlen(items[i]));
}

static void put_map(struct pack_cursor *cursor, char **words, uint32_t n)
{
    pack_map(cursor, n);
    for (uint32_t i = 0; i < n; i++) {
        char *const equals = strchr(words[i], '=');
        if (!equals)
            fail("no key=value", words[i]);
        pack_text(cursor, words[i], (size_t)(equals - words[i]));
        put_value(cursor, equals + 1);
    }
}

static void put_frames(struct pack_cursor *cursor, char **words, uint32_t n)
{
    pack_array(cursor, n);
    for (uint32_t i = 0; i < n; i++) {
        unsigned numbers[4];
        if (sscanf(words[i], "%u,%u,%u,%u", &numbers[0], &numbers[1], &numbers[2], &numbers[3]) !=
            4)
            fail("no frame", words[i]);
        pack_array(cursor, 4);
        for (size_t j = 0; j < 3; j++)
            pack_uint64(cursor, numbers[j]);
        if (numbers[3])
            pack_true(cursor);
        else
            pack_false(cursor);
    }
}

static void put_delta(struct pack_cursor *cursor, const char *word, uint64_t *base)
{
    const uint64_t value = strtoull(word, NULL, 0);
    pack_int64(cursor, (int64_t)(value - *base));
    *base = value;
}

static size_t put_record(uint8_t *room, uint8_t tag, char **words, uint32_t n_words,
                         struct record_base *base)
{
    struct pack_cursor cursor = {.at = room};
    const char *kinds = fields[tag];
    const bool gathers = *kinds && strchr("mf", kinds[strlen(kinds) - 1]);
    pack_array(&cursor, gathers ? strlen(kinds) + 1 : n_words + 1);
    pack_uint64(&cursor, tag);
    for (uint32_t i = 0; i < n_words || *kinds; i++) {
        const char kind = *kinds ? *kinds++ : 'u';
        if (kind == 'm' || kind == 'f') {
            (kind == 'm' ? put_map : put_frames)(&cursor, words + i, n_words - i);
            break;
        }
        if (i >= n_words)
            break;
        if (kind == 't')
            put_delta(&cursor, words[i], &base->ticks);
        else if (kind == 'a')
            put_delta(&cursor, words[i], &base->address);
        else if (kind == 's')
            pack_text(&cursor, words[i], strlen(words[i]));
        else
            put_number(&cursor, words[i]);
    }
    return (size_t)(cursor.at - room);
}

static uint8_t tag_of(const char *name)
{
    for (unsigned tag = 1; tag <= TRACE_END; tag++)
        if (record_name((uint8_t)tag) && strcmp(record_name((uint8_t)tag), name) == 0 &&
            fields[tag])
            return (uint8_t)tag;
    fail("no such record", name);
    return 0;
}

static void flush(struct writer *writer)
{
    for (uint32_t i = 0; i < MAX_STREAMS; i++) {
        struct open_chunk *const chunk = &writer->chunks[i];
        uint8_t head[64];
        struct pack_cursor cursor = {.at = head};
        if (chunk->n_records == 0)
            continue;
        pack_array(&cursor, 6);
        pack_uint64(&cursor, TRACE_CHUNK);
        pack_uint64(&cursor, i);
        pack_uint64(&cursor, chunk->bytes.n_bytes);
        pack_uint64(&cursor, chunk->n_records);
        pack_uint64(&cursor, chunk->first.ticks);
        pack_uint64(&cursor, chunk->first.address);
        append(&writer->out, head, (size_t)(cursor.at - head));
        append(&writer->out, chunk->bytes.bytes, chunk->bytes.n_bytes);
        free(chunk->bytes.bytes);
        *chunk = (struct open_chunk){.base = chunk->base, .first = chunk->base};
    }
}

static void write_line(struct writer *writer, char *line)
{
    char *words[MAX_WORDS], *rest = NULL;
    uint8_t room[SMALL_BYTES];
    uint32_t n = 0;
    for (char *word = strtok_r(line, " \t", &rest); word && n < MAX_WORDS;
         word = strtok_r(NULL, " \t", &rest))
        words[n++] = word;
    if (n == 0 || *words[0] == '#')
        return;
    if (is_number(words[0])) {
        struct open_chunk *const chunk = &writer->chunks[strtoul(words[0], NULL, 0) % MAX_STREAMS];
        const size_t n_bytes = put_record(room, tag_of(words[1]), words + 2, n - 2, &chunk->base);
        append(&chunk->bytes, room, n_bytes);
        chunk->n_records++;
        return;
    }
    struct record_base unused = {0};
    if (strcmp(words[0], "stream") != 0)
        flush(writer);
    const size_t n_bytes = put_record(room, tag_of(words[0]), words + 1, n - 1, &unused);
    append(&writer->out, room, n_bytes);
}

struct trace_bytes trace_write(const char *script)
{
    struct writer writer = {.out = {NULL, 0}};
    char *const copy = strdup(script);
    char *rest = NULL;
    char header[] = "header " TRACE_NAME " 1 0 0.1-test";
    if (strncmp(script, "header", 6) != 0)
        write_line(&writer, header);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        write_line(&writer, line);
    flush(&writer);
    free(copy);
    return writer.out;
}

struct trace_bytes trace_compress(const struct trace_bytes *trace, unsigned n_frames)
{
    struct trace_bytes out = {NULL, 0};
    for (unsigned i = 0; i < n_frames; i++) {
        const size_t from = trace->n_bytes * i / n_frames, to = trace->n_bytes * (i + 1) / n_frames;
        const size_t bound = ZSTD_compressBound(to - from);
        uint8_t *const room = malloc(bound);
        const size_t n = ZSTD_compress(room, bound, trace->bytes + from, to - from, 3);
        if (ZSTD_isError(n))
            fail("zstd", ZSTD_getErrorName(n));
        append(&out, room, n);
        free(room);
    }
    return out;
}

int trace_file(const void *bytes, size_t n_bytes, char path_out[64])
{
    const int fd = memfd_create("trace", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n_bytes) != (ssize_t)n_bytes)
        fail("memfd", "");
    snprintf(path_out, 64, "/proc/self/fd/%d", fd);
    return fd;
}
