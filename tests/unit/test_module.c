/* SPDX-License-Identifier: MIT */
/* Where a module's names come from when its parts lie apart, and that broken files do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/module.h"
#include "tests/support/fixture.h"

enum { CAP = 16 };

static const char source[] = "#include <stdlib.h>\n"
                             "static inline void *small(int n) { return malloc((size_t)n); }\n"
                             "__attribute__((noinline)) static void *hidden(int n)\n"
                             "{\n"
                             "    char *volatile p = small(n);\n"
                             "    return p;\n"
                             "}\n"
                             "void *visible(int n)\n"
                             "{\n"
                             "    char *volatile p = hidden(n);\n"
                             "    return p;\n"
                             "}\n";

static uint64_t call_in_hidden;

static int build(void **state)
{
    (void)state;
    fixture_text("m.c", source);
    fixture_must("cc -O2 -g -shared -fPIC m.c -o m.so && objdump -d m.so | "
                 "awk '/<hidden>:/{on=1} on && /call/{print $1; exit}' >call.txt");
    fixture_must("objcopy --only-keep-debug m.so m.so.debug && strip m.so -o s.so && "
                 "strip -g m.so -o g.so");
    size_t n_bytes;
    char *text = fixture_read("call.txt", &n_bytes);
    call_in_hidden = strtoull(text, NULL, 16);
    free(text);
    return call_in_hidden == 0;
}

static size_t look_up(const char *name, struct strpool *pool, struct symbol_frame *frames)
{
    struct module *module = module_open(fixture_path(name), "", pool);
    assert_non_null(module);
    const size_t n = module_lookup(module, call_in_hidden, frames, CAP);
    module_free(module);
    return n;
}

static void names_come_from_the_best_source_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t n_frames;
        const char *innermost;
        uint32_t line;
    } rows[] = {
        {"m.so", 2, "small", 2},  /* DWARF */
        {"g.so", 1, "hidden", 0}, /* .symtab */
        {"s.so", 1, "", 0},       /* .dynsym: not exported */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strpool pool = {0};
        struct symbol_frame frames[CAP];
        assert_int_equal(look_up(rows[i].name, &pool, frames), rows[i].n_frames);
        assert_string_equal(frames[0].function, rows[i].innermost);
        assert_int_equal(frames[0].line, rows[i].line);
        strpool_fini(&pool);
    }
}

static void debug_file_completes_a_stripped_one(void **state)
{
    (void)state;
    fixture_must("cp s.so linked.so && objcopy --add-gnu-debuglink=m.so.debug linked.so");
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    assert_int_equal(look_up("linked.so", &pool, frames), 2);
    assert_string_equal(frames[0].function, "small");
    assert_string_equal(frames[0].file, fixture_path("m.c"));
    assert_string_equal(frames[1].function, "hidden");
    assert_int_equal(frames[1].line, 5);
    strpool_fini(&pool);
}

static void missing_module_is_named_by_its_build_id(void **state)
{
    (void)state;
    fixture_must("mkdir -p d/.build-id/ab && cc -O2 -g -shared -fPIC -Wl,--build-id=0xabcdef01 m.c "
                 "-o d/.build-id/ab/cdef01.debug");
    setenv("HEAPWISE_DEBUG_PATH", fixture_path("d"), 1);
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    struct module *module = module_open("/gone/m.so", "abcdef01", &pool);
    assert_int_equal(module_lookup(module, call_in_hidden, frames, CAP), 2);
    assert_string_equal(frames[1].function, "hidden");
    module_free(module);
    unsetenv("HEAPWISE_DEBUG_PATH");
    strpool_fini(&pool);
}

static void split_dwarf_is_read(void **state)
{
    (void)state;
    fixture_must("cc -O2 -g -gsplit-dwarf -shared -fPIC m.c -o split.so");
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    assert_int_equal(look_up("split.so", &pool, frames), 2);
    assert_string_equal(frames[0].function, "small");
    assert_string_equal(frames[1].function, "hidden");
    assert_int_equal(frames[1].line, 5);
    assert_string_equal(frames[1].file, fixture_path("m.c"));
    fixture_must("rm *.dwo");
    assert_int_equal(look_up("split.so", &pool, frames), 1);
    assert_string_equal(frames[0].function, "hidden"); /* .symtab; the line table stays */
    assert_int_equal(frames[0].line, 2);
    strpool_fini(&pool);
}

static void clang_units_without_aranges_are_found(void **state)
{
    (void)state;
    if (!fixture_run("clang --version")) {
        print_message("# no clang here\n");
        skip();
    }
    fixture_must("clang -O2 -g -shared -fPIC m.c -o clang.so && objdump -d clang.so | "
                 "awk '/<hidden>:/{on=1} on && /call/{print $1; exit}' >call.txt");
    size_t n_bytes;
    char *text = fixture_read("call.txt", &n_bytes);
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    struct module *module = module_open(fixture_path("clang.so"), "", &pool);
    assert_int_equal(module_lookup(module, strtoull(text, NULL, 16), frames, CAP), 2);
    assert_string_equal(frames[0].function, "small");
    assert_string_equal(frames[1].function, "hidden");
    module_free(module);
    free(text);
    strpool_fini(&pool);
}

/* A lambda out of line has the symbol table's name, also when the optimizer renamed it; inlined, that
 * of its class. */
static void lambdas_are_told_apart(void **state)
{
    (void)state;
    if (!fixture_run("g++ --version")) {
        print_message("# no g++ here\n");
        skip();
    }
    fixture_text("lambda.cpp", "#include <stdlib.h>\n"
                               "int main(int n, char **)\n{\n"
                               "    auto g = [n](long) { return (char *)malloc(n); };\n"
                               "    auto f = [&](int k) __attribute__((noinline)) {\n"
                               "        char *volatile p = g(k); return p; };\n"
                               "    return f(n) == f(n + 1);\n}\n");
    fixture_must("g++ -O2 -g lambda.cpp -o lambda && objdump -d lambda | "
                 "awk '/_ZZ4main.*>:/{on=1} on && /call/{print $1; exit}' >call.txt");
    size_t n_bytes;
    char *text = fixture_read("call.txt", &n_bytes);
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    struct module *module = module_open(fixture_path("lambda"), "", &pool);
    assert_int_equal(module_lookup(module, strtoull(text, NULL, 16), frames, CAP), 2);
    assert_string_equal(frames[0].function, "<lambda>::operator()");
    static const char outer[] = "main::{lambda(int)#2}::operator()(int) const";
    assert_memory_equal(frames[1].function, outer, sizeof outer - 1);
    module_free(module);
    free(text);
    strpool_fini(&pool);
}

/* Write a mutated file, open it as a module and ask for many addresses. */
static void try_broken(const char *bytes, size_t n_bytes)
{
    fixture_write("broken.so", bytes, n_bytes);
    struct strpool pool = {0};
    struct module *module = module_open(fixture_path("broken.so"), "", &pool);
    assert_non_null(module);
    for (uint64_t offset = 0x1000; offset < 0x1200; offset += 3) {
        struct symbol_frame frames[CAP];
        const size_t n = module_lookup(module, offset, frames, CAP);
        assert_true(n >= 1 && n <= CAP);
        assert_false(frames[n - 1].inlined);
    }
    module_free(module);
    strpool_fini(&pool);
}

static void broken_files_do_no_harm(void **state)
{
    (void)state;
    alarm(50); /* a hang ends the test */
    size_t n;
    char *bytes = fixture_read("m.so", &n);
    for (size_t cut = 0; cut < n; cut += 1 + n / 150) {
        try_broken(bytes, cut);
    }
    char *copy = malloc(n);
    assert_non_null(copy);
    srand(11);
    for (int round = 0; round < 500; round++) {
        memcpy(copy, bytes, n);
        for (int i = 0; i < 1 + round % 8; i++) {
            /* the second half holds DWARF, symbols and section headers */
            const size_t at =
                round % 3 == 0 ? (size_t)rand() % n : n / 2 + (size_t)rand() % (n / 2);
            copy[at] = (char)(round % 2 == 0 ? rand() : 0xff);
        }
        try_broken(copy, n);
    }
    free(copy);
    free(bytes);
    alarm(0);
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A bound far above the cost (5 ms), so that a busy machine or a sanitizer does not fail it. */
static void libc_opens_quickly(void **state)
{
    (void)state;
    struct strpool pool = {0};
    struct symbol_frame frames[CAP];
    const double start = milliseconds();
    struct module *module = module_open("/lib/x86_64-linux-gnu/libc.so.6", "", &pool);
    module_lookup(module, 0x30000, frames, CAP);
    module_free(module);
    assert_true(milliseconds() - start < 100);
    strpool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_from_the_best_source_there_is),
        cmocka_unit_test(debug_file_completes_a_stripped_one),
        cmocka_unit_test(missing_module_is_named_by_its_build_id),
        cmocka_unit_test(split_dwarf_is_read),
        cmocka_unit_test(clang_units_without_aranges_are_found),
        cmocka_unit_test(lambdas_are_told_apart),
        cmocka_unit_test(broken_files_do_no_harm),
        cmocka_unit_test(libc_opens_quickly),
    };
    return cmocka_run_group_tests(tests, build, NULL);
}
