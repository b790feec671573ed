/* SPDX-License-Identifier: MIT */
/* What a dump holds: every record, valid JSON, a plain msgpack stream. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "reader/dump.h"
#include "tests/support/load_script.h"
#include "trace/record.h"

/* Every kind of record there is. */
static const char every_kind[] = SCRIPT_HEAD
    "1 thread 2 100 main\n"
    "1 malloc 10 0x1000 16 2 32\n1 calloc 11 0x2000 16 2\n1 realloc_new 12 0x3000 1 2\n"
    "1 reallocarray_new 13 0x4000 1 2\n1 posix_memalign 14 0x5000 1 2 24 64\n"
    "1 aligned_alloc 15 0x6000 1 2\n1 memalign 16 0x7000 1 2\n1 valloc 17 0x8000 1 2\n"
    "1 pvalloc 18 0x9000 1 2\n1 mallocx 19 0xa000 1 2\n1 realloc_begin 20 0x1000 1\n"
    "1 realloc_end 21 0xb000 99 2\n1 realloc_begin 22 0xb000 0\n1 realloc_fail 23\n"
    "1 realloc_begin 24 0xb000 0\n1 realloc_freed 25\n1 free 26 0x2000\n"
    "1 free_sized 27 0x3000\n1 free_aligned_sized 28 0x4000\n1 cfree 29 0x5000\n"
    "1 dallocx 30 0x6000\n1 sdallocx 31 0x7000\n1 mmap 32 0x100000 4096 2\n"
    "1 munmap 33 0x100000 4096\n1 map_fail 34\n1 call_time 34 1 90\n1 remap_begin 35 0x100000 "
    "4096\n"
    "1 remap_end 36 0x200000 8192 2\n1 tree_reset\n1 module_gone 37 1\n1 fork 38 1\n"
    "1 fork_fail 39 1\n1 exec 40 /bin/no\xff\n1 exec_fail 41 2\n1 child_exit 42 7 0\n"
    "1 remark 43 1 lib\"x\n"
    "1 io 44 1 3 4096 -11 900 2 0x7000 512\n1 stdio 45 16 1 5 5 70 2 0x8000 3\n"
    "1 path_call 46 70 -100 3 800 2 /etc/x\n1 fd_new 47 84 4 3 2\n"
    "1 fd_is 48 3 /etc/x 1 0 0 9 8 7\n1 fd_close 49 3 3\n1 folder 50 /tmp\n"
    "1 kernel_io 50 0 7 8 900 10\n"
    "watermark 50\nrss 51 100 4096\nunattached 52 9 1 /bin/s\nstopped 53 1\nprocess_io 54 100 1 2 "
    "3 4\nlost 1 2 3\n"
    "string 1 main\nstring 2 /p.c\nobject 1 2 aabb\nsymbol 1 256 1,2,3,1 1,2,4,0\n"
    "stream_end 1 fast=1\n" SCRIPT_TAIL;

static char *dump_bytes(const struct trace_bytes *trace, enum dump_format format, size_t *n_out,
                        int *result_out)
{
    char path[64], *written = NULL;
    const int fd = trace_file(trace->bytes, trace->n_bytes, path);
    FILE *const out = open_memstream(&written, n_out);
    struct trace_error error = {.reason = ""};
    *result_out = dump_trace(path, format, out, &error);
    assert_true(*result_out == 0 || error.reason[0]);
    fclose(out);
    close(fd);
    return written;
}

static void every_line_is_json_and_names_its_record(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write(every_kind);
    bool seen[TRACE_END + 1] = {false};
    size_t n;
    int result;
    char *const text = dump_bytes(&trace, DUMP_JSON, &n, &result);
    assert_int_equal(result, 0);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *const object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!object)
            fail_msg("no JSON: %s", line);
        const char *const name = json_string_value(json_object_get(object, "record"));
        for (unsigned tag = 1; tag <= TRACE_END; tag++)
            if (record_name((uint8_t)tag) && strcmp(record_name((uint8_t)tag), name) == 0)
                seen[tag] = true;
        json_decref(object);
    }
    for (unsigned tag = 1; tag <= TRACE_END; tag++)
        if (record_name((uint8_t)tag) && !seen[tag])
            fail_msg("no line for %s", record_name((uint8_t)tag));
    free(text);
    free(trace.bytes);
}

static void a_line_has_absolute_numbers(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write(every_kind);
    size_t n;
    int result;
    char *const text = dump_bytes(&trace, DUMP_JSON, &n, &result);
    assert_non_null(strstr(text, "{\"record\": \"calloc\", \"stream\": 1, \"t\": 11, \"address\": "
                                 "\"0x2000\", \"size\": 16, \"usable\": 24, \"stack\": 2}\n"));
    assert_non_null(strstr(text, "{\"record\": \"io\", \"stream\": 1, \"t\": 44, \"op\": \"read\", "
                                 "\"fd\": 3, \"requested\": 4096, \"result\": -11, \"took\": 900, "
                                 "\"buffer\": \"0x7000\", \"offset\": 512, \"stack\": 2}\n"));
    assert_non_null(strstr(text, "\"path\": \"/bin/no\\\\xff\"}\n"));
    free(text);
    free(trace.bytes);
}

static void msgpack_is_the_stream_itself(void **state)
{
    (void)state;
    struct trace_bytes plain = trace_write(every_kind);
    struct trace_bytes packed = trace_compress(&plain, 3);
    size_t n;
    int result;
    char *const bytes = dump_bytes(&packed, DUMP_MSGPACK, &n, &result);
    assert_int_equal(result, 0);
    assert_int_equal(n, plain.n_bytes);
    assert_memory_equal(bytes, plain.bytes, n);
    free(bytes);
    free(plain.bytes);
    free(packed.bytes);
}

static void cut_trace_gives_whole_records_and_an_error(void **state)
{
    (void)state;
    struct trace_bytes trace = trace_write(every_kind);
    for (size_t n = 1; n < trace.n_bytes; n++) {
        const struct trace_bytes cut = {trace.bytes, n};
        for (enum dump_format format = DUMP_JSON; format <= DUMP_MSGPACK; format++) {
            size_t n_written;
            int result;
            char *const text = dump_bytes(&cut, format, &n_written, &result);
            assert_int_equal(result, -EBADMSG);
            assert_true(n_written == 0 || format == DUMP_MSGPACK || text[n_written - 1] == '\n');
            free(text);
        }
    }
    free(trace.bytes);
}

/* What the contract promises about the file: any msgpack library decodes it, events included. */
static void python_decodes_every_object(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import msgpack' 2>/dev/null") != 0) {
        print_message("python3-msgpack is not there: skipped\n");
        skip();
    }
    struct trace_bytes trace = trace_write(every_kind);
    char path[64], command[512];
    const int fd = trace_file(trace.bytes, trace.n_bytes, path);
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 -c 'import msgpack,sys\n"
        "objects=list(msgpack.Unpacker(open(\"/proc/%d/fd/%d\",\"rb\"),strict_map_key=False))\n"
        "tags={o[0] for o in objects}\n"
        "sys.exit(0 if len(objects)>=55 and {1,24,40,44,64,68,90}<=tags else 1)'",
        (int)getpid(), fd);
    assert_int_equal(system(command), 0);
    close(fd);
    free(trace.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_json_and_names_its_record),
        cmocka_unit_test(a_line_has_absolute_numbers),
        cmocka_unit_test(msgpack_is_the_stream_itself),
        cmocka_unit_test(cut_trace_gives_whole_records_and_an_error),
        cmocka_unit_test(python_decodes_every_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
