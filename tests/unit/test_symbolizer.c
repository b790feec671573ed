/* SPDX-License-Identifier: MIT */
/* Whole look-ups on freshly compiled files, against what addr2line says of the same addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/symbolizer.h"
#include "tests/support/fixture.h"

enum { CAP = 32 };

/* clang-format off */
static const char c_source[] =
    "#include <stdlib.h>\n"
    "static inline void *inner(int n) { return malloc((size_t)n); }\n"
    "static inline void *middle(int n)\n"
    "{\n"
    "    return inner(n + 1);\n"
    "}\n"
    "__attribute__((noinline)) void *outer(int n)\n"
    "{\n"
    "    char *volatile p = middle(n);\n"
    "    p[0] = 1;\n"
    "    free(p);\n"
    "    p = middle(2 * n);\n"
    "    return p;\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    char *volatile p = outer(argc);\n"
    "    p[0] = argv[0][0];\n"
    "    free(p);\n"
    "    return 0;\n"
    "}\n";

static const char cpp_source[] =
    "#include <map>\n#include <string>\n#include <vector>\n"
    "namespace ns {\n"
    "struct box {\n"
    "    std::vector<int> v;\n"
    "    std::map<std::string, int> m;\n"
    "    void add(int n) { v.push_back(n); m[std::to_string(n)] = n; }\n"
    "};\n"
    "template <class T> inline T twice(T a) { return a + a; }\n"
    "}\n"
    "int main(int argc, char **)\n"
    "{\n"
    "    ns::box b;\n"
    "    for (int i = 0; i < argc; i++) b.add(ns::twice(i));\n"
    "    return (int)b.m.size();\n"
    "}\n";

/* clang-format on */

/* Addresses within the calls of a file: one less than each return address, as in a trace. */
static size_t call_addresses(const char *name, uint64_t *addresses, size_t cap)
{
    fixture_must("objdump -d --no-show-raw-insn '%s' >dump.txt", name);
    FILE *file = fopen(fixture_path("dump.txt"), "r");
    assert_non_null(file);
    char line[512];
    size_t n = 0;
    bool after_call = false;
    while (fgets(line, sizeof line, file) != NULL && n < cap) {
        char *end;
        const uint64_t address = strtoull(line, &end, 16);
        if (*end != ':') {
            after_call = false;
            continue;
        }
        if (after_call) {
            addresses[n++] = address - 1;
        }
        after_call = strstr(line, "call ") != NULL;
    }
    fclose(file);
    return n;
}

static void strip_newline(char *text)
{
    text[strcspn(text, "\n")] = '\0';
    char *remark = strstr(text, " (discriminator");
    if (remark != NULL) {
        *remark = '\0';
    }
}

/* Read the next frame of `addr2line -i -f` and hold ours against it. */
static void compare_frame(FILE *expected, const struct symbol_frame *frame)
{
    char function[4096];
    char place[4096];
    char ours[4200];
    assert_non_null(fgets(function, sizeof function, expected));
    assert_non_null(fgets(place, sizeof place, expected));
    strip_newline(function);
    strip_newline(place);
    char *cold = strstr(function, ".cold"); /* it prefers the linker's name there */
    if (cold != NULL) {
        *cold = '\0';
    }
    assert_string_equal(frame->function, function);
    snprintf(ours, sizeof ours, "%s:%u", frame->file, frame->line);
    if (place[0] != '?') {
        assert_string_equal(ours, place);
    }
}

/* Every call in the user's own functions must read as addr2line reads it. */
static void compare_with_addr2line(const char *name, size_t at_least)
{
    uint64_t addresses[512];
    const size_t n = call_addresses(name, addresses, 512);
    struct symbolizer *symbolizer = symbolizer_new();
    assert_non_null(symbolizer);
    size_t n_compared = 0;
    for (size_t i = 0; i < n; i++) {
        struct symbol_frame frames[CAP];
        const size_t n_frames =
            symbolizer_lookup(symbolizer, fixture_path(name), "", addresses[i], frames, CAP);
        if (frames[0].line == 0) {
            continue; /* start files, PLT */
        }
        fixture_must("addr2line -i -f -C -e '%s' %llx >expected.txt", name,
                     (unsigned long long)addresses[i]);
        FILE *expected = fopen(fixture_path("expected.txt"), "r");
        assert_non_null(expected);
        for (size_t k = 0; k < n_frames; k++) {
            compare_frame(expected, &frames[k]);
            assert_int_equal(frames[k].inlined, k + 1 < n_frames);
        }
        assert_int_equal(fgetc(expected), EOF);
        fclose(expected);
        n_compared++;
    }
    assert_true(n_compared >= at_least);
    symbolizer_free(symbolizer);
}

static void c_frames_equal_addr2line(void **state)
{
    (void)state;
    fixture_text("c.c", c_source);
    fixture_must("cc -O2 -g c.c -o c.out");
    compare_with_addr2line("c.out", 4);
    fixture_must("cc -O2 -g -gdwarf-4 -no-pie -gz c.c -o c4.out");
    compare_with_addr2line("c4.out", 4);
}

static void cpp_frames_equal_addr2line(void **state)
{
    (void)state;
    fixture_text("cpp.cpp", cpp_source);
    if (!fixture_run("g++ --version")) {
        print_message("# no g++ here\n");
        skip();
    }
    fixture_must("g++ -O1 -g cpp.cpp -o cpp.out");
    compare_with_addr2line("cpp.out", 10);
}

static void rust_names_are_readable(void **state)
{
    (void)state;
    if (!fixture_run("rustc --version")) {
        print_message("# no rustc here\n");
        skip();
    }
    fixture_text("r.rs",
                 "#[inline(never)] fn grow(n: usize) -> Vec<u8> { vec![1; n] }\n"
                 "fn main() { std::process::exit(grow(std::env::args().len()).len() as i32) }\n");
    fixture_must("rustc -g -O r.rs -o r.out");
    fixture_must("nm r.out | grep ' t .*r4grow' | cut -d' ' -f1 >entry.txt");
    size_t n_bytes;
    char *entry = fixture_read("entry.txt", &n_bytes);
    struct symbolizer *symbolizer = symbolizer_new();
    struct symbol_frame frames[CAP];
    const size_t n = symbolizer_lookup(symbolizer, fixture_path("r.out"), "",
                                       strtoull(entry, NULL, 16), frames, CAP);
    assert_string_equal(frames[n - 1].function, "r::grow");
    symbolizer_free(symbolizer);
    free(entry);
}

static void inlined_calls_are_told_inside_out(void **state)
{
    (void)state;
    fixture_text("c.c", c_source);
    fixture_must("cc -O2 -g c.c -o c.out");
    uint64_t addresses[64];
    const size_t n = call_addresses("c.out", addresses, 64);
    struct symbolizer *symbolizer = symbolizer_new();
    size_t n_found = 0;
    for (size_t i = 0; i < n; i++) {
        struct symbol_frame frames[CAP];
        if (symbolizer_lookup(symbolizer, fixture_path("c.out"), "", addresses[i], frames, CAP) !=
            3) {
            continue;
        }
        n_found++;
        assert_string_equal(frames[0].function, "inner");
        assert_int_equal(frames[0].line, 2);
        assert_string_equal(frames[1].function, "middle");
        assert_int_equal(frames[1].line, 5);
        assert_string_equal(frames[2].function, "outer");
        assert_true(frames[2].line == 9 || frames[2].line == 12);
        assert_string_equal(frames[2].file, fixture_path("c.c"));
        struct symbol_frame few[2];
        assert_int_equal(
            symbolizer_lookup(symbolizer, fixture_path("c.out"), "", addresses[i], few, 2), 2);
        assert_string_equal(few[0].function, "inner");
        assert_string_equal(few[1].function, "outer");
        assert_int_equal(few[1].line, frames[2].line);
        assert_false(few[1].inlined);
        assert_int_equal(
            symbolizer_lookup(symbolizer, fixture_path("c.out"), "", addresses[i], few, 1), 1);
        assert_string_equal(few[0].function, "outer");
    }
    assert_true(n_found >= 1);
    symbolizer_free(symbolizer);
}

static void nothing_is_known_of_missing_or_foreign_files(void **state)
{
    (void)state;
    fixture_text("c.c", c_source);
    fixture_must("cc -O2 -g c.c -o c.out && mkdir -p folder && mkfifo -m 600 fifo || true");
    fixture_text("text", "not an ELF file, but long enough to hold one's header: ............\n");
    const struct {
        const char *path, *build_id;
    } rows[] = {
        {fixture_path("missing"), ""},
        {fixture_path("text"), ""},
        {fixture_path("folder"), ""},
        {fixture_path("fifo"), "0123abcd"},
        {"[vdso]", ""},
        {"", ""},
        {"/dev/zero", ""},
        {"c.out (deleted)", "00"},
    };
    struct symbolizer *symbolizer = symbolizer_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct symbol_frame frames[CAP];
        assert_int_equal(
            symbolizer_lookup(symbolizer, rows[i].path, rows[i].build_id, 0x1139, frames, CAP), 1);
        assert_string_equal(frames[0].function, "");
        assert_string_equal(frames[0].file, "");
        assert_int_equal(frames[0].line, 0);
        assert_false(frames[0].inlined);
    }
    symbolizer_free(symbolizer);
    symbolizer_free(NULL);
}

static void another_builds_file_is_not_used(void **state)
{
    (void)state;
    fixture_text("c.c", c_source);
    fixture_must("cc -O2 -g -Wl,--build-id=0x0123456789abcdef c.c -o id.out");
    fixture_must("nm id.out | grep ' T outer' | cut -d' ' -f1 >entry.txt");
    size_t n_bytes;
    char *entry = fixture_read("entry.txt", &n_bytes);
    const uint64_t offset = strtoull(entry, NULL, 16);
    static const struct {
        const char *build_id, *function;
    } rows[] = {{"0123456789abcdef", "outer"}, {"0123456789abcde0", ""}, {"", "outer"}};
    struct symbolizer *symbolizer = symbolizer_new();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct symbol_frame frames[CAP];
            const size_t n = symbolizer_lookup(symbolizer, fixture_path("id.out"), rows[i].build_id,
                                               offset, frames, CAP);
            assert_string_equal(frames[n - 1].function, rows[i].function);
        }
    }
    symbolizer_free(symbolizer);
    free(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_frames_equal_addr2line),
        cmocka_unit_test(cpp_frames_equal_addr2line),
        cmocka_unit_test(rust_names_are_readable),
        cmocka_unit_test(inlined_calls_are_told_inside_out),
        cmocka_unit_test(nothing_is_known_of_missing_or_foreign_files),
        cmocka_unit_test(another_builds_file_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
