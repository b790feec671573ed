/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/symtab.h"
#include "tests/support/fixture.h"

static const char assembly[] = ".text\n"
                               ".globl plain, __alias, weak_alias, unsized\n"
                               ".weak weak_alias\n"
                               ".type plain, @function\n"
                               ".type __alias, @function\n"
                               ".type weak_alias, @function\n"
                               ".type inside, @function\n"
                               "plain:\n__alias:\nweak_alias:\n"
                               "nop\nnop\n"
                               "inside: nop\n.size inside, 1\n"
                               "nop\n"
                               ".size plain, 4\n.size __alias, 4\n.size weak_alias, 4\n"
                               "unsized: nop\nnop\n"
                               ".type last, @function\n"
                               "last: nop\n.size last, 1\n"
                               ".type tail, @object\n"
                               "tail: nop\n.size tail, 1\n"
                               ".section .note.GNU-stack,\"\",@progbits\n";

struct fixture {
    struct elf_image image;
    uint64_t plain;
};

static int build(void **state)
{
    static struct fixture fixture;
    fixture_text("a.s", assembly);
    fixture_must("cc -shared -nostdlib a.s -o a.so && nm a.so | grep ' T plain' | cut -d' ' -f1 "
                 ">entry.txt && strip a.so -o stripped.so");
    size_t n_bytes;
    char *entry = fixture_read("entry.txt", &n_bytes);
    fixture.plain = strtoull(entry, NULL, 16);
    free(entry);
    assert_int_equal(elf_image_open(fixture_path("a.so"), ELF_BYTES_DWARF, &fixture.image), 0);
    *state = &fixture;
    return 0;
}

static int release(void **state)
{
    struct fixture *fixture = *state;
    elf_image_fini(&fixture->image);
    return 0;
}

static void best_name_of_an_address_wins(void **state)
{
    const struct fixture *fixture = *state;
    struct symtab symtab;
    assert_int_equal(symtab_load(&fixture->image, false, &symtab), 0);
    static const struct {
        int offset;
        bool exact;
        const char *name;
    } rows[] = {
        {0, false, "plain"},   {1, false, "plain"},   {2, false, "inside"}, {3, false, "plain"},
        {4, false, "unsized"}, {5, false, "unsized"}, {6, false, "last"},   {0, true, "plain"},
        {1, true, NULL},       {2, true, "inside"},   {7, false, NULL},     {-1, false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name =
            symtab_find(&symtab, fixture->plain + (uint64_t)rows[i].offset, rows[i].exact);
        if (rows[i].name == NULL) {
            assert_null(name);
        } else {
            assert_non_null(name);
            assert_string_equal(name, rows[i].name);
        }
    }
    symtab_fini(&symtab);
    symtab_fini(&symtab);
}

static void stripped_file_has_exported_names(void **state)
{
    const struct fixture *fixture = *state;
    struct elf_image image;
    struct symtab symtab;
    assert_int_equal(elf_image_open(fixture_path("stripped.so"), ELF_BYTES_DWARF, &image), 0);
    assert_int_equal(symtab_load(&image, false, &symtab), 0);
    assert_int_equal(symtab.n, 0);
    assert_null(symtab_find(&symtab, fixture->plain, false));
    symtab_fini(&symtab);
    assert_int_equal(symtab_load(&image, true, &symtab), 0);
    assert_string_equal(symtab_find(&symtab, fixture->plain + 2, false), "plain");
    symtab_fini(&symtab);
    elf_image_fini(&image);
}

/* So that a few buckets of addresses get nearly all of them. */
static void functions_lie_in_order_however_unevenly(void **state)
{
    enum { N_FUNCTIONS = 300 };
    char text[N_FUNCTIONS * 96] =
        ".set far, 0x7ffffffff000\n.globl far\n.type far, @function\n.text\n";
    size_t n = strlen(text);
    (void)state;
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              ".type f%u, @function\nf%u: .skip %u\n.size f%u, 1\n", i, i,
                              i % 50 == 0 ? 40000 : i % 3, i);
    }
    fixture_text("uneven.s", text);
    fixture_must("cc -c uneven.s -o uneven.o");
    struct elf_image image;
    struct symtab symtab;
    assert_int_equal(elf_image_open(fixture_path("uneven.o"), ELF_BYTES_DWARF, &image), 0);
    assert_int_equal(symtab_load(&image, false, &symtab), 0);
    assert_in_range(symtab.n, N_FUNCTIONS / 2, N_FUNCTIONS + 1);
    for (size_t i = 1; i < symtab.n; i++) {
        assert_true(symtab.entries[i - 1].start < symtab.entries[i].start);
    }
    assert_string_equal(symtab.entries[symtab.n - 1].name, "far");
    assert_string_equal(symtab_find(&symtab, 40000, false), "f1");
    symtab_fini(&symtab);
    elf_image_fini(&image);
}

static void no_file_has_no_names(void **state)
{
    (void)state;
    const struct elf_image none = {0};
    struct symtab symtab;
    assert_int_equal(symtab_load(&none, false, &symtab), 0);
    assert_null(symtab_find(&symtab, 0, false));
    symtab_fini(&symtab);
}

static void definitions_are_found_and_references_are_not(void **state)
{
    const struct fixture *fixture = *state;
    assert_true(symtab_defines(&fixture->image, "plain"));
    assert_true(symtab_defines(&fixture->image, "inside")); /* local */
    assert_false(symtab_defines(&fixture->image, "tail"));  /* an object */
    assert_false(symtab_defines(&fixture->image, "plai"));
    fixture_text("r.c", "#include <stdlib.h>\nint main(void) { return malloc(3) == 0; }\n");
    fixture_must("cc r.c -o r && cc -fno-builtin -no-pie r.c -o r2");
    struct elf_image image;
    static const char *const names[] = {"r", "r2"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(elf_image_open(fixture_path(names[i]), ELF_BYTES_DWARF, &image), 0);
        assert_false(symtab_defines(&image, "malloc"));
        assert_true(symtab_defines(&image, "main"));
        elf_image_fini(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_name_of_an_address_wins),
        cmocka_unit_test(stripped_file_has_exported_names),
        cmocka_unit_test(functions_lie_in_order_however_unevenly),
        cmocka_unit_test(no_file_has_no_names),
        cmocka_unit_test(definitions_are_found_and_references_are_not),
    };
    return cmocka_run_group_tests(tests, build, release);
}
