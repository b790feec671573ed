/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/name_places.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/trace_walk.h"

static char path[] = "/tmp/heapwise-names-XXXXXX";
static char self[4096];

__attribute__((noinline)) static int first_landmark(int n)
{
    return n * 3 + 1;
}

__attribute__((noinline)) static int second_landmark(int n)
{
    return n * 5 + 2;
}

/* This program as a module, at the place it was loaded to. */
static int add_self(struct dl_phdr_info *info, size_t size, void *places)
{
    struct record record = {.tag = TRACE_MODULE};
    (void)size;
    record.module.path = (struct unpack_text){self, (uint32_t)strlen(self)};
    record.module.build_id = (struct unpack_text){"", 0};
    record.module.bias = info->dlpi_addr;
    record.module.start = info->dlpi_addr;
    record.module.end = info->dlpi_addr + 0x1000000;
    places_add_module(places, 1, &record);
    return 1; /* the first one is the program */
}

static struct places *places_of_self(void)
{
    struct places *const places = places_new();
    dl_iterate_phdr(add_self, places);
    places_add_address(places, 1, (uintptr_t)first_landmark + 2);
    places_add_address(places, 1, (uintptr_t)first_landmark + 3);
    places_add_address(places, 1, (uintptr_t)second_landmark + 2);
    return places;
}

static bool file_has_string(const char *wanted)
{
    struct trace_walk walk;
    bool found = false;
    trace_walk_open(&walk, path);
    while (trace_walk_next(&walk))
        found |= walk.record.tag == TRACE_STRING &&
                 walk.record.string.text.n_bytes == strlen(wanted) &&
                 memcmp(walk.record.string.text.bytes, wanted, strlen(wanted)) == 0;
    trace_walk_close(&walk);
    return found;
}

static void functions_are_named_and_strings_written_once(void **state)
{
    const struct trace_file_limits limits = {UINT64_MAX, UINT64_MAX};
    struct trace_file file;
    struct places *const places = places_of_self();
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &limits), 0);
    struct compress *const out = compress_new(&file);
    assert_int_equal(name_places(places, out), 0);
    compress_end_frame(out);
    assert_int_equal(trace_walk_count(path, TRACE_OBJECT), 1);
    assert_int_equal(trace_walk_count(path, TRACE_SYMBOL), 3);
    assert_true(file_has_string("first_landmark"));
    assert_true(file_has_string("second_landmark"));
    assert_true(file_has_string(self));
    assert_true(trace_walk_count(path, TRACE_STRING) <= 4); /* two functions, source file, module */
    compress_free(out);
    trace_file_close(&file);
    places_free(places);
}

static void a_refused_write_ends_it(void **state)
{
    const struct trace_file_limits limits = {UINT64_MAX, UINT64_MAX};
    struct trace_file file;
    struct places *const places = places_of_self();
    (void)state;
    assert_int_equal(trace_file_open(&file, path, true, &limits), 0);
    struct compress *const out = compress_new(&file);
    file.limits.max_bytes = 10;
    assert_int_equal(name_places(places, out), -EFBIG);
    compress_free(out);
    trace_file_close(&file);
    places_free(places);
}

static int make_path(void **state)
{
    (void)state;
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    return n <= 0 || first_landmark(1) + second_landmark(1) == 0 ? -1 : close(mkstemp(path));
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_named_and_strings_written_once),
        cmocka_unit_test(a_refused_write_ends_it),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
