/* SPDX-License-Identifier: MIT */
/* The bytes of every record, frozen: a change here is a change of the format. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <msgpack.h>

#include "trace/pack.h"
#include "trace/record.h"

/* What stands before each golden record: its dt and da count from here. */
static const struct record_base start = {.ticks = 1000, .address = 0x5000};

static const struct golden {
    const char *name;
    const char *bytes;
    size_t n_bytes;
    uint64_t ticks;
    uint64_t numbers[3]; /* fields of the record, by `numbers_of` */
} goldens[] = {
#define BYTES(literal) literal, sizeof(literal) - 1
    {"malloc", BYTES("\x95\x01\x05\x10\x64\x07"), 1005, {0x5010, 100, 7}},
    {"calloc", BYTES("\x95\x02\xff\xf0\x64\x00"), 999, {0x4ff0, 100, 0}},
    {"realloc_new", BYTES("\x95\x03\x00\x00\x00\x01"), 1000, {0x5000, 0, 1}},
    {"reallocarray_new", BYTES("\x95\x04\x01\x00\x01\x01"), 1001, {0x5000, 1, 1}},
    {"posix_memalign", BYTES("\x97\x05\x01\x00\x64\x01\xcc\xc8\x40"), 1001, {0x5000, 100, 1}},
    {"aligned_alloc", BYTES("\x97\x06\x01\x00\x64\x01\xcc\xc8\x40"), 1001, {0x5000, 100, 1}},
    {"memalign", BYTES("\x96\x07\x01\x00\x64\x01\xcc\xc8"), 1001, {0x5000, 100, 1}},
    {"valloc", BYTES("\x95\x08\x01\x00\x64\x01"), 1001, {0x5000, 100, 1}},
    {"pvalloc", BYTES("\x95\x09\x01\x00\x64\x01"), 1001, {0x5000, 100, 1}},
    {"mallocx", BYTES("\x95\x0a\x01\x00\x64\x01"), 1001, {0x5000, 100, 1}},
    {"realloc_begin", BYTES("\x94\x10\x02\x00\x01"), 1002, {0x5000, 0, 0}},
    {"realloc_end", BYTES("\x95\x11\x02\x20\xcd\x01\x00\x03"), 1002, {0x5020, 256, 3}},
    {"realloc_fail", BYTES("\x92\x12\x02"), 1002, {0, 0, 0}},
    {"realloc_freed", BYTES("\x93\x13\x02\x04"), 1002, {0, 0, 4}},
    {"free", BYTES("\x93\x18\x02\x00"), 1002, {0x5000, 0, 0}},
    {"free_sized", BYTES("\x93\x19\x02\x00"), 1002, {0x5000, 0, 0}},
    {"free_aligned_sized", BYTES("\x93\x1a\x02\x00"), 1002, {0x5000, 0, 0}},
    {"cfree", BYTES("\x93\x1b\x02\x00"), 1002, {0x5000, 0, 0}},
    {"dallocx", BYTES("\x94\x1c\x02\x00\x09"), 1002, {0x5000, 0, 9}},
    {"sdallocx", BYTES("\x93\x1d\x02\x00"), 1002, {0x5000, 0, 0}},
    {"mmap", BYTES("\x95\x20\x02\xcd\x70\x00\xcd\x10\x00\x04"), 1002, {0x7000, 4096, 4}},
    {"munmap", BYTES("\x94\x21\x02\xcd\x70\x00\xcd\x10\x00"), 1002, {0x7000, 4096, 0}},
    {"remap_begin", BYTES("\x94\x22\x02\xcd\x70\x00\xcd\x10\x00"), 1002, {0x7000, 4096, 0}},
    {"remap_end", BYTES("\x95\x23\x02\xcd\x70\x00\xcd\x20\x00\x04"), 1002, {0x7000, 8192, 4}},
    {"map_fail", BYTES("\x92\x24\x02"), 1002, {0, 0, 0}},
    {"call_time", BYTES("\x94\x25\x02\x00\xcc\x90"), 1002, {0, 0x90, 0}},
    {"node", BYTES("\x94\x28\x03\x02\xcd\x40\x00"), 0, {3, 2, 0x4000}},
    {"tree_reset", BYTES("\x91\x29"), 0, {0, 0, 0}},
    {"module",
     BYTES("\x98\x2a\x01\x05\xa2/x\xa2"
           "ab\x00\x10\x20"),
     1001,
     {5, 0x10, 0x20}},
    {"module_gone", BYTES("\x93\x2b\x01\x05"), 1001, {5, 0, 0}},
    {"image",
     BYTES("\x93\x2c\x01\x84\xa5image\x01\xa3pid\x02\xa9"
           "arguments\x91\xa1x\xa3new\xc0"),
     1001,
     {1, 2, 1}},
    {"thread", BYTES("\x94\x2d\x01\x09\xa1t"), 1001, {9, 1, 0}},
    {"fork", BYTES("\x93\x2e\x01\x04"), 1001, {4, 0, 0}},
    {"fork_fail", BYTES("\x93\x2f\x01\x04"), 1001, {4, 0, 0}},
    {"exec", BYTES("\x93\x30\x01\xa2/x"), 1001, {2, 0, 0}},
    {"exec_fail", BYTES("\x93\x31\x01\x02"), 1001, {0, 2, 0}},
    {"child_exit", BYTES("\x94\x32\x01\x09\xcd\x01\x00"), 1001, {9, 1, 256}},
    {"remark", BYTES("\x94\x33\x01\x01\xa1l"), 1001, {1, 1, 0}},
    {"io",
     BYTES("\x9a\x34\x02\x01\x03\x40\xf5\x64\x07\xcd\x70\x00\x09"),
     1002,
     {3, (uint64_t)-11, 9}},
    {"stdio", BYTES("\x9a\x35\x02\x10\x01\x05\x05\x64\x07\x00\x03"), 1002, {1, 5, 3}},
    {"path_call", BYTES("\x98\x36\x02\x46\xd0\x9c\x03\x64\x07\xa2/x"), 1002, {70, 3, 2}},
    {"fd_new", BYTES("\x96\x37\x02\x54\x04\x03\x07"), 1002, {4, 3, 7}},
    {"fd_is", BYTES("\x9a\x38\x02\x03\xa2/x\x01\x02\xff\x09\x08\x07"), 1002, {3, 1, 7}},
    {"fd_close", BYTES("\x94\x39\x02\x03\xce\xff\xff\xff\xff"), 1002, {3, UINT32_MAX, 0}},
    {"folder", BYTES("\x93\x3a\x02\xa2/x"), 1002, {2, 0, 0}},
    {"kernel_io", BYTES("\x97\x3b\x02\x01\x07\x08\x09\x0a"), 1002, {1, 7, 10}},
    {"header",
     BYTES("\x95\x40\xaeheapwise-trace\x01\x00\xa3"
           "0.1"),
     0,
     {1, 0, 3}},
    {"run",
     BYTES("\x92\x41\x81\xa5"
           "cores\x02"),
     0,
     {1, 0, 0}},
    {"clock", BYTES("\x94\x42\x01\x02\x03"), 1, {2, 3, 0}},
    {"stream", BYTES("\x96\x43\x01\x02\x03\x04\x01"), 0, {1, 2, 1}},
    {"chunk", BYTES("\x96\x44\x01\x0a\x02\xcd\x03\xe8\x07"), 0, {1, 10, 1000}},
    {"watermark", BYTES("\x92\x45\x09"), 9, {0, 0, 0}},
    {"rss", BYTES("\x94\x46\x09\x02\xcd\x10\x00"), 9, {2, 4096, 0}},
    {"stream_end",
     BYTES("\x93\x47\x01\x81\xa4"
           "fast\x02"),
     0,
     {1, 1, 0}},
    {"process_end", BYTES("\x94\x48\x09\x02\xc0"), 9, {2, 0, 0}},
    {"lost", BYTES("\x94\x49\x01\x05\x04"), 0, {1, 5, 4}},
    {"unattached", BYTES("\x95\x4a\x09\x02\x01\xa2/x"), 9, {2, 1, 2}},
    {"stopped", BYTES("\x93\x4b\x09\x01"), 9, {1, 0, 0}},
    {"process_io", BYTES("\x97\x4c\x09\x02\x07\x08\x09\x0a"), 9, {2, 7, 10}},
    {"string", BYTES("\x93\x50\x01\xa1s"), 0, {1, 1, 0}},
    {"object",
     BYTES("\x94\x51\x01\x02\xa1"
           "b"),
     0,
     {1, 2, 1}},
    {"symbol", BYTES("\x94\x52\x01\x02\x91\x94\x01\x02\x03\xc3"), 0, {1, 2, 1}},
    {"end", BYTES("\x93\x5a\x09\x80"), 9, {0, 0, 0}},
};
enum { N_GOLDENS = sizeof goldens / sizeof *goldens };

/* The three fields of a record that its golden row states. */
static void numbers_of(const struct record *record, uint64_t numbers[3])
{
#define NUMBERS(a, b, c)                                                                           \
    do {                                                                                           \
        numbers[0] = (uint64_t)(a), numbers[1] = (uint64_t)(b), numbers[2] = (uint64_t)(c);        \
        return;                                                                                    \
    } while (0)
    switch (record->tag) {
    case TRACE_NODE: NUMBERS(record->node.id, record->node.parent, record->node.return_address);
    case TRACE_MODULE: NUMBERS(record->module.id, record->module.start, record->module.end);
    case TRACE_MODULE_GONE: NUMBERS(record->module.id, 0, 0);
    case TRACE_IMAGE: NUMBERS(record->image.image_id, record->image.pid, record->image.n_arguments);
    case TRACE_THREAD: NUMBERS(record->thread.tid, record->thread.name.n_bytes, 0);
    case TRACE_FORK:
    case TRACE_FORK_FAIL: NUMBERS(record->fork.id, 0, 0);
    case TRACE_EXEC:
    case TRACE_EXEC_FAIL: NUMBERS(record->exec.path.n_bytes, record->exec.error, 0);
    case TRACE_CHILD_EXIT:
    case TRACE_PROCESS_END:
        NUMBERS(record->exit.pid, record->exit.has_status, record->exit.wait_status);
    case TRACE_REMARK: NUMBERS(record->remark.what, record->remark.text.n_bytes, 0);
    case TRACE_IO:
    case TRACE_STDIO: NUMBERS(record->io.fd, record->io.result, record->io.detail);
    case TRACE_PATH_CALL:
        NUMBERS(record->path_call.op, record->path_call.result, record->path_call.path.n_bytes);
    case TRACE_FD_NEW: NUMBERS(record->fd_new.fd, record->fd_new.other_fd, record->fd_new.stack);
    case TRACE_FD_IS: NUMBERS(record->fd_is.fd, record->fd_is.kind, record->fd_is.size_bytes);
    case TRACE_FD_CLOSE: NUMBERS(record->fd_close.first, record->fd_close.last, 0);
    case TRACE_FOLDER: NUMBERS(record->folder.path.n_bytes, 0, 0);
    case TRACE_KERNEL_IO:
        NUMBERS(record->kernel_io.moment, record->kernel_io.n_reads,
                record->kernel_io.written_bytes);
    case TRACE_PROCESS_IO:
        NUMBERS(record->kernel_io.pid, record->kernel_io.n_reads, record->kernel_io.written_bytes);
    case TRACE_HEADER:
        NUMBERS(record->header.major, record->header.minor, record->header.tool_version.n_bytes);
    case TRACE_RUN:
    case TRACE_END: NUMBERS(record->map.n_pairs, 0, 0);
    case TRACE_CLOCK: NUMBERS(record->clock.monotonic_ns, record->clock.realtime_ns, 0);
    case TRACE_STREAM: NUMBERS(record->stream.id, record->stream.image_id, record->stream.ring);
    case TRACE_CHUNK:
        NUMBERS(record->chunk.stream, record->chunk.n_bytes, record->chunk.base.ticks);
    case TRACE_RSS: NUMBERS(record->rss.pid, record->rss.bytes, 0);
    case TRACE_STREAM_END: NUMBERS(record->stream_end.stream, record->stream_end.n_pairs, 0);
    case TRACE_LOST: NUMBERS(record->lost.stream, record->lost.n_events, record->lost.reason);
    case TRACE_UNATTACHED:
        NUMBERS(record->unattached.pid, record->unattached.reason, record->unattached.path.n_bytes);
    case TRACE_STOPPED: NUMBERS(record->stopped.reason, 0, 0);
    case TRACE_STRING: NUMBERS(record->string.id, record->string.text.n_bytes, 0);
    case TRACE_OBJECT:
        NUMBERS(record->object.id, record->object.path_string, record->object.build_id.n_bytes);
    case TRACE_SYMBOL:
        NUMBERS(record->symbol.object, record->symbol.offset, record->symbol.n_frames);
    default: NUMBERS(record->block.address, record->block.size_bytes, record->block.stack);
    }
}

/* Decode a copy of exactly n bytes, so that a sanitizer sees one byte too many. */
static int decode_copy(const char *bytes, size_t n, struct record *record_out)
{
    uint8_t *copy = malloc(n ? n : 1);
    struct unpack_cursor cursor = {.at = copy, .end = copy + n};
    struct record_base base = start;
    int error;

    memcpy(copy, bytes, n);
    error = record_decode(&cursor, &base, record_out);
    assert_ptr_equal(cursor.at, error ? copy : copy + n);
    if (error) {
        assert_true(base.ticks == start.ticks && base.address == start.address);
    }
    free(copy);
    return error;
}

static void every_record_decodes_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        const struct golden *golden = &goldens[i];
        uint64_t numbers[3] = {0};
        struct record record;

        if (decode_copy(golden->bytes, golden->n_bytes, &record) != 0)
            fail_msg("%s does not decode", golden->name);
        numbers_of(&record, numbers);
        assert_string_equal(record_name(record.tag), golden->name);
        assert_true(record.known);
        assert_true(record.ticks == golden->ticks);
        for (size_t k = 0; k < 3; k++)
            if (numbers[k] != golden->numbers[k])
                fail_msg("%s: number %zu is %llu", golden->name, k, (unsigned long long)numbers[k]);
    }
}

static void every_kind_of_record_is_frozen(void **state)
{
    size_t n_kinds = 0;
    (void)state;
    for (unsigned tag = 0; tag < 256; tag++)
        n_kinds += record_name((uint8_t)tag) != NULL;
    assert_int_equal(n_kinds, N_GOLDENS);
}

static void a_cut_record_asks_for_more(void **state)
{
    struct record record;
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++)
        for (size_t n = 0; n < goldens[i].n_bytes; n++)
            assert_int_equal(decode_copy(goldens[i].bytes, n, &record), -EAGAIN);
}

static void a_changed_byte_never_does_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        const size_t n = goldens[i].n_bytes;
        uint8_t *copy = malloc(n);

        for (size_t at = 0; at < n; at++) {
            for (unsigned value = 0; value < 256; value++) {
                struct unpack_cursor cursor = {.at = copy, .end = copy + n};
                struct record_base base = start;
                struct record record;

                memcpy(copy, goldens[i].bytes, n);
                copy[at] = (uint8_t)value;
                const int error = record_decode(&cursor, &base, &record);
                assert_true(error == 0 || error == -EAGAIN || error == -EBADMSG);
                assert_true(cursor.at >= copy && cursor.at <= copy + n);
            }
        }
        free(copy);
    }
}

/* Elements of a golden record, and how many of them its kind needs. */
static uint8_t n_elements_of(const struct golden *golden)
{
    return (uint8_t)golden->bytes[0] & 15;
}

static uint8_t n_least_of(const struct golden *golden)
{
    const uint8_t tag = (uint8_t)golden->bytes[1];
    if (record_is_allocation(tag) || tag == TRACE_REALLOC_END)
        return 5;
    if (tag == TRACE_REALLOC_FREED)
        return 2;
    return record_is_release(tag) ? 3 : n_elements_of(golden);
}

/* A golden record as a later minor version might write it: every optional field there (two after an
 * allocation's five, one after a release's three), then one more that nobody knows. */
static size_t append_field(const struct golden *golden, uint8_t *bytes_out)
{
    static const uint8_t n_full[] = {[3] = 4, [5] = 7};
    const uint8_t n_least = n_least_of(golden);
    const bool has_optional = record_is_release((uint8_t)golden->bytes[1]) || n_least == 5;
    size_t n = golden->n_bytes;

    memcpy(bytes_out, golden->bytes, n);
    for (uint8_t i = n_elements_of(golden); has_optional && i < n_full[n_least];
         i++, bytes_out[0]++)
        bytes_out[n++] = 1;
    bytes_out[0]++;
    memcpy(bytes_out + n, "\x81\xa1x\x92\xc0\xcb\0\0\0\0\0\0\0\0", 14);
    return n + 14;
}

static void fields_appended_to_any_record_are_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        uint8_t bytes[80];
        uint64_t numbers[3] = {0};
        struct record record;
        const size_t n = append_field(&goldens[i], bytes);

        if (memchr("\x20\x21\x22\x23", goldens[i].bytes[1], 4))
            continue; /* their own test: the stack of a map record has its place in all four */
        if (decode_copy((const char *)bytes, n, &record) != 0)
            fail_msg("%s with one more field does not decode", goldens[i].name);
        numbers_of(&record, numbers);
        assert_true(numbers[0] == goldens[i].numbers[0] && numbers[1] == goldens[i].numbers[1]);
    }
}

static void a_record_with_too_few_fields_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        for (uint8_t n = 1; n < n_least_of(&goldens[i]); n++) {
            uint8_t bytes[80];
            struct record record;
            memcpy(bytes, goldens[i].bytes, goldens[i].n_bytes);
            bytes[0] = (uint8_t)(0x90 | n);
            if (decode_copy((const char *)bytes, goldens[i].n_bytes, &record) != -EBADMSG)
                fail_msg("%s with %u elements was accepted", goldens[i].name, n);
        }
    }
}

/* Any msgpack library reads a record as one object, and writes the very bytes again. */
static void a_library_round_trips_every_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_GOLDENS; i++) {
        msgpack_unpacked object;
        msgpack_sbuffer again;
        msgpack_packer packer;
        size_t n_read = 0;

        msgpack_unpacked_init(&object);
        msgpack_sbuffer_init(&again);
        msgpack_packer_init(&packer, &again, msgpack_sbuffer_write);
        assert_int_equal(
            msgpack_unpack_next(&object, goldens[i].bytes, goldens[i].n_bytes, &n_read),
            MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(n_read, goldens[i].n_bytes);
        assert_int_equal(object.data.type, MSGPACK_OBJECT_ARRAY);
        msgpack_pack_object(&packer, object.data);
        assert_int_equal(again.size, goldens[i].n_bytes);
        assert_memory_equal(again.data, goldens[i].bytes, goldens[i].n_bytes);
        msgpack_sbuffer_destroy(&again);
        msgpack_unpacked_destroy(&object);
    }
}

static void the_stack_of_a_map_record_may_follow_any(void **state)
{
    struct record record;
    (void)state;

    assert_int_equal(decode_copy("\x96\x21\x02\x07\x09\x04\xc0", 7, &record), 0);
    assert_int_equal(record.block.stack, 4);
}

static void padding_is_passed_over(void **state)
{
    static const uint8_t bytes[] = {0xc0, 0xc0, 0x92, 0x12, 0x02, 0xc0};
    struct unpack_cursor cursor = {.at = bytes, .end = bytes + sizeof bytes};
    struct record_base base = start;
    struct record record;
    (void)state;

    assert_int_equal(record_decode(&cursor, &base, &record), 0);
    assert_int_equal(record.tag, TRACE_REALLOC_FAIL);
    assert_true(base.ticks == 1002);
    assert_int_equal(record_decode(&cursor, &base, &record), -EAGAIN);
}

static void newer_tags_and_fields_are_passed_over(void **state)
{
    struct record record;
    (void)state;

    assert_int_equal(decode_copy("\x93\x3f\x01\xa1x", 5, &record), 0);
    assert_false(record.known);
    assert_int_equal(record.tag, 0x3f);
    assert_int_equal(decode_copy("\x94\x12\x02\x81\x01\x02\xc3", 7, &record), 0);
    assert_int_equal(record.tag, TRACE_REALLOC_FAIL);
    assert_true(record.ticks == 1002);
}

static void what_breaks_the_grammar_is_refused(void **state)
{
    static const struct {
        const char *why;
        const char *bytes;
        size_t n;
    } rows[] = {
        {"not an array", BYTES("\x01")},
        {"empty array", BYTES("\x90")},
        {"tag 0", BYTES("\x91\x00")},
        {"tag is text", BYTES("\x91\xa1x")},
        {"too few fields", BYTES("\x92\x01\x05")},
        {"size is negative", BYTES("\x95\x01\x05\x10\xff\x07")},
        {"stack id too large", BYTES("\x95\x01\x05\x10\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00")},
        {"parent after child", BYTES("\x94\x28\x03\x03\xcd\x40\x00")},
        {"another file's header", BYTES("\x95\x40\xa1x\x01\x00\xa3"
                                        "0.1")},
        {"ring 2", BYTES("\x96\x43\x01\x02\x03\x04\x02")},
        {"image without a number", BYTES("\x93\x2c\x01\x80")},
        {"negative image", BYTES("\x93\x2c\x01\x81\xa5image\xff")},
        {"negative pid", BYTES("\x93\x2c\x01\x82\xa5image\x01\xa3pid\xff")},
        {"pid beyond 31 bits", BYTES("\x93\x2c\x01\x82\xa5image\x01\xa3pid\xce\x80\x00\x00\x00")},
    };
    struct record record;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (decode_copy(rows[i].bytes, rows[i].n, &record) != -EBADMSG)
            fail_msg("%s was accepted", rows[i].why);
}

/* An image with one text of `n` bytes under `key`. Returns what decoding it says. */
static int decode_image_text(const char *key, size_t n)
{
    uint8_t *const bytes = malloc(n + 64);
    struct pack_cursor cursor = {.at = bytes};
    struct record record;

    pack_array(&cursor, 3);
    pack_uint8(&cursor, TRACE_IMAGE);
    pack_int64(&cursor, 1);
    pack_map(&cursor, 2);
    pack_text(&cursor, "image", 5);
    pack_uint32(&cursor, 1);
    pack_text(&cursor, key, strlen(key));
    if (strcmp(key, "arguments") == 0)
        pack_array(&cursor, 1);
    pack_str(&cursor, n);
    memset(cursor.at, 'x', n);
    cursor.at += n;
    const int error = decode_copy((const char *)bytes, (size_t)(cursor.at - bytes), &record);
    free(bytes);
    return error;
}

static void texts_of_an_image_are_limited(void **state)
{
    static const char *const keys[] = {"executable", "allocator", "arguments"};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(decode_image_text(keys[i], TRACE_MAX_TEXT_BYTES), 0);
        assert_int_equal(decode_image_text(keys[i], TRACE_MAX_TEXT_BYTES + 1), -EBADMSG);
    }
    assert_int_equal(decode_image_text("of a newer version", TRACE_MAX_TEXT_BYTES + 1), 0);
}

static void every_key_of_an_image_is_taken(void **state)
{
    static const char bytes[] = "\x93\x2c\x01\x89\xa5image\x01\xa3pid\x02\xaaparent_pid\x03"
                                "\xacparent_image\x04\xa7"
                                "fork_id\x05\xa5start\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
                                "\xaa"
                                "executable\xa2/x\xa9"
                                "allocator\xa2/c\xa9"
                                "arguments\x92\xa1x\xc4\x01\xff";
    struct unpack_cursor cursor = {.at = (const uint8_t *)bytes,
                                   .end = (const uint8_t *)bytes + sizeof bytes - 1};
    struct record_base base = start;
    struct unpack_text text;
    struct record record;
    (void)state;

    assert_int_equal(record_decode(&cursor, &base, &record), 0);
    const struct record_image *const image = &record.image;
    assert_int_equal(image->image_id, 1);
    assert_int_equal(image->pid, 2);
    assert_int_equal(image->parent_pid, 3);
    assert_int_equal(image->parent_image, 4);
    assert_int_equal(image->fork_id, 5);
    assert_true(image->start_clock_ticks == UINT64_MAX);
    assert_memory_equal(image->executable.bytes, "/x", 2);
    assert_memory_equal(image->allocator.bytes, "/c", 2);
    assert_int_equal(image->n_arguments, 2);
    struct unpack_cursor arguments = image->arguments;
    assert_int_equal(unpack_text(&arguments, &text), 0);
    assert_int_equal(unpack_text(&arguments, &text), 0);
    assert_memory_equal(text.bytes, "\xff", 1);
    assert_ptr_equal(arguments.at, arguments.end);
}

static void the_frames_of_a_symbol_are_taken_one_by_one(void **state)
{
    static const uint8_t bytes[] = {0x94, 0x52, 0x01, 0x02, 0x92, 0x94, 0x01, 0x02, 0x03,
                                    0xc3, 0x95, 0x04, 0x00, 0x00, 0xc2, 0xa1, 'x'};
    struct unpack_cursor cursor = {.at = bytes, .end = bytes + sizeof bytes};
    struct record_frame frame;
    struct record record;
    (void)state;

    assert_int_equal(record_decode(&cursor, NULL, &record), 0);
    struct unpack_cursor frames = record.symbol.frames;
    assert_int_equal(record_next_frame(&frames, &frame), 0);
    assert_true(frame.function == 1 && frame.file == 2 && frame.line == 3 && frame.inlined);
    assert_int_equal(record_next_frame(&frames, &frame), 0);
    assert_true(frame.function == 4 && frame.file == 0 && frame.line == 0 && !frame.inlined);
    assert_int_equal(record_next_frame(&frames, &frame), -EAGAIN);
}

static void ring_records_need_a_base(void **state)
{
    static const uint8_t bytes[] = {0x92, 0x12, 0x02};
    struct unpack_cursor cursor = {.at = bytes, .end = bytes + sizeof bytes};
    struct record record;
    (void)state;

    assert_int_equal(record_decode(&cursor, NULL, &record), -EBADMSG);
}

static void usable_size_is_the_usual_one_unless_told(void **state)
{
    struct record record;
    (void)state;

    assert_int_equal(decode_copy("\x95\x01\x05\x10\x64\x07", 6, &record), 0);
    assert_int_equal(record.block.usable_bytes, 104);
    assert_int_equal(decode_copy("\x97\x05\x01\x00\x64\x01\xcc\xc8\x40", 9, &record), 0);
    assert_int_equal(record.block.usable_bytes, 200);
    assert_int_equal(record.block.alignment, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_decodes_as_written),
        cmocka_unit_test(every_kind_of_record_is_frozen),
        cmocka_unit_test(a_cut_record_asks_for_more),
        cmocka_unit_test(a_changed_byte_never_does_harm),
        cmocka_unit_test(fields_appended_to_any_record_are_passed_over),
        cmocka_unit_test(a_record_with_too_few_fields_is_refused),
        cmocka_unit_test(a_library_round_trips_every_record),
        cmocka_unit_test(the_stack_of_a_map_record_may_follow_any),
        cmocka_unit_test(padding_is_passed_over),
        cmocka_unit_test(newer_tags_and_fields_are_passed_over),
        cmocka_unit_test(what_breaks_the_grammar_is_refused),
        cmocka_unit_test(texts_of_an_image_are_limited),
        cmocka_unit_test(every_key_of_an_image_is_taken),
        cmocka_unit_test(the_frames_of_a_symbol_are_taken_one_by_one),
        cmocka_unit_test(ring_records_need_a_base),
        cmocka_unit_test(usable_size_is_the_usual_one_unless_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
