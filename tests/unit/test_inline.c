/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/inline.h"
#include "tests/support/fixture.h"

/* Lines are what the test is about. Types with members stand between the functions, to be skipped;
 * `inside` is a function within a function. */
static const char source[] = "#include <stdlib.h>\n"
                             "static inline void *f(int n) { return malloc((size_t)n); }\n"
                             "struct pair { int a; struct { int c[3]; } b; };\n"
                             "enum colour { RED, GREEN };\n"
                             "static inline void *g(int n)\n"
                             "{\n"
                             "    { int twice = 2 * n;\n"
                             "    return f(twice); }\n"
                             "}\n"
                             "void *outer(struct pair *p, enum colour c);\n"
                             "void *outer(struct pair *p, enum colour c)\n"
                             "{\n"
                             "    __attribute__((noinline)) int inside(int n)\n"
                             "    { return n + p->b.c[0]; }\n"
                             "    char *volatile q = g(inside(c));\n"
                             "    return q;\n"
                             "}\n"
                             "int last(int n) { return n * 3; }\n"
                             "int main(int n, char **v) { return outer((void *)v, n) == v; }\n";

struct fixture {
    struct elf_image image;
    Dwarf *dwarf;
    Dwarf_Die unit;
    struct strpool pool;
};

static void open_fixture(struct fixture *fixture, const char *options)
{
    *fixture = (struct fixture){0};
    fixture_text("i.c", source);
    fixture_must("cc -O2 -g %s i.c -o i.out", options);
    assert_int_equal(elf_image_open(fixture_path("i.out"), ELF_BYTES_DWARF, &fixture->image), 0);
    fixture->dwarf = dwarf_begin_elf(fixture->image.elf, DWARF_C_READ, NULL);
    assert_non_null(fixture->dwarf);
    Dwarf_CU *cu = NULL;
    assert_int_equal(dwarf_get_units(fixture->dwarf, NULL, &cu, NULL, NULL, &fixture->unit, NULL),
                     0);
}

static void close_fixture(struct fixture *fixture)
{
    dwarf_end(fixture->dwarf);
    elf_image_fini(&fixture->image);
    strpool_fini(&fixture->pool);
}

static uint64_t first_address(const char *shell_filter)
{
    fixture_must("%s >address.txt", shell_filter);
    size_t n_bytes;
    char *text = fixture_read("address.txt", &n_bytes);
    const uint64_t address = strtoull(text, NULL, 16);
    free(text);
    assert_true(address != 0);
    return address;
}

static uint64_t address_of(const char *function)
{
    char filter[256] = "nm i.out | grep -i ' t ";
    strcat(filter, function);
    strcat(filter, "' | cut -d' ' -f1");
    return first_address(filter);
}

static void check_chain(const char *options)
{
    struct fixture fixture;
    struct inline_index index;
    open_fixture(&fixture, options);
    assert_int_equal(inline_build(&fixture.unit, &fixture.image, &index), 0);
    const uint64_t call = first_address("objdump -d i.out | awk '/<outer>:/{on=1} "
                                        "on && /call.*malloc/{print $1; exit}'");
    const struct inline_scope *scope = inline_find(&index, &fixture.pool, &fixture.unit, call);
    assert_non_null(scope);
    assert_string_equal(scope->function, "f");
    assert_true(scope->inlined);
    assert_int_equal(scope->call_line, 8);
    assert_string_equal(scope->call_file, fixture_path("i.c"));
    scope = inline_parent(&index, &fixture.pool, &fixture.unit, scope);
    assert_non_null(scope);
    assert_string_equal(scope->function, "g");
    assert_int_equal(scope->call_line, 15);
    scope = inline_parent(&index, &fixture.pool, &fixture.unit, scope);
    assert_non_null(scope);
    assert_string_equal(scope->function, "outer");
    assert_false(scope->inlined);
    assert_null(inline_parent(&index, &fixture.pool, &fixture.unit, scope));
    inline_fini(&index);
    close_fixture(&fixture);
}

static void chain_leads_from_the_innermost_out(void **state)
{
    (void)state;
    check_chain("-gdwarf-5");
    check_chain("-gdwarf-4");
    check_chain("-gdwarf-5 -gz");
}

static void functions_before_between_and_after_are_found(void **state)
{
    (void)state;
    static const char *const names[] = {"outer", "last", "main", "inside.0"};
    struct fixture fixture;
    struct inline_index index;
    open_fixture(&fixture, "");
    assert_int_equal(inline_build(&fixture.unit, &fixture.image, &index), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct inline_scope *scope =
            inline_find(&index, &fixture.pool, &fixture.unit, address_of(names[i]));
        assert_non_null(scope);
        assert_memory_equal(scope->function, names[i], strlen(scope->function));
    }
    assert_null(inline_find(&index, &fixture.pool, &fixture.unit, 1));
    assert_null(inline_find(&index, &fixture.pool, &fixture.unit, UINT64_MAX));
    inline_fini(&index);
    inline_fini(&index);
    close_fixture(&fixture);
}

/* Without segments nothing is code: ranges of functions that the linker dropped begin at 0. */
static void ranges_outside_code_are_left_out(void **state)
{
    (void)state;
    struct fixture fixture;
    struct inline_index index;
    const struct elf_image none = {0};
    open_fixture(&fixture, "");
    assert_int_equal(inline_build(&fixture.unit, &none, &index), 0);
    assert_int_equal(index.n_scopes, 0);
    assert_null(inline_find(&index, &fixture.pool, &fixture.unit, address_of("outer")));
    inline_fini(&index);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_leads_from_the_innermost_out),
        cmocka_unit_test(functions_before_between_and_after_are_found),
        cmocka_unit_test(ranges_outside_code_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
