/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/elf_image.h"
#include "tests/support/fixture.h"

static int build(void **state)
{
    (void)state;
    fixture_text("p.c", "int main(void) { return 0; }\n");
    fixture_must("cc -g -Wl,--build-id=0x00ffabcdef012345 p.c -o debug && "
                 "cc -s -Wl,--build-id=none p.c -o bare && nm debug | grep ' T main' | "
                 "cut -d' ' -f1 >entry.txt");
    return 0;
}

static void build_id_is_lower_case_hex(void **state)
{
    (void)state;
    struct elf_image image;
    assert_int_equal(elf_image_open(fixture_path("debug"), ELF_BYTES_DWARF, &image), 0);
    assert_string_equal(image.build_id, "00ffabcdef012345");
    assert_string_equal(image.path, fixture_path("debug"));
    elf_image_fini(&image);
    assert_int_equal(elf_image_open(fixture_path("bare"), ELF_BYTES_DWARF, &image), 0);
    assert_string_equal(image.build_id, "");
    elf_image_fini(&image);
    elf_image_fini(&image);
}

static void dwarf_and_code_are_told(void **state)
{
    (void)state;
    size_t n_bytes;
    char *entry = fixture_read("entry.txt", &n_bytes);
    struct elf_image image;
    assert_int_equal(elf_image_open(fixture_path("debug"), ELF_BYTES_DWARF, &image), 0);
    assert_true(elf_image_has_dwarf(&image));
    assert_true(elf_image_is_code(&image, strtoull(entry, NULL, 16)));
    assert_false(elf_image_is_code(&image, 0));
    assert_false(elf_image_is_code(&image, UINT64_MAX));
    elf_image_fini(&image);
    assert_int_equal(elf_image_open(fixture_path("bare"), ELF_BYTES_DWARF, &image), 0);
    assert_false(elf_image_has_dwarf(&image));
    elf_image_fini(&image);
    assert_false(elf_image_has_dwarf(&image)); /* zeroed */
    assert_false(elf_image_is_code(&image, 0x1000));
    free(entry);
}

static void descriptors_are_closed(void **state)
{
    (void)state;
    const int before = dup(0);
    struct elf_image images[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(elf_image_open(fixture_path("debug"), ELF_BYTES_DWARF, &images[i]), 0);
    }
    const int after = dup(0);
    assert_int_equal(after, before + 1);
    close(before);
    close(after);
    for (int i = 0; i < 3; i++) {
        elf_image_fini(&images[i]);
    }
}

static void file_may_vanish_while_in_use(void **state)
{
    (void)state;
    struct elf_image image;
    fixture_must("cp debug copy");
    assert_int_equal(elf_image_open(fixture_path("copy"), ELF_BYTES_DWARF, &image), 0);
    assert_int_equal(truncate(fixture_path("copy"), 0), 0);
    assert_true(elf_image_has_dwarf(&image)); /* a mapping would raise SIGBUS */
    elf_image_fini(&image);
}

static void what_is_no_elf_file_is_refused(void **state)
{
    (void)state;
    fixture_text("short", "\177ELF");
    fixture_text("text", "................................................................\n");
    fixture_must("mkdir -p folder && cp debug foreign && printf '\\001' | "
                 "dd of=foreign bs=1 seek=4 conv=notrunc && (test -p fifo || mkfifo fifo)");
    static const struct {
        const char *name;
        int error;
    } rows[] = {{"short", -ENOEXEC}, {"text", -ENOEXEC},  {"foreign", -ENOEXEC},
                {"folder", -EINVAL}, {"fifo", -EINVAL},   {"missing", -ENOENT},
                {"", -EINVAL},       {"text/x", -ENOTDIR}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct elf_image image;
        assert_int_equal(elf_image_open(fixture_path(rows[i].name), ELF_BYTES_DWARF, &image),
                         rows[i].error);
    }
}

static void unused_sections_vanish(void **state)
{
    (void)state;
    struct elf_image image;
    assert_int_equal(elf_image_open(fixture_path("debug"), ELF_BYTES_DWARF, &image), 0);
    elf_image_hide_unused(&image);
    assert_true(elf_image_has_dwarf(&image));
    size_t names;
    assert_int_equal(elf_getshdrstrndx(image.elf, &names), 0);
    size_t n_hidden = 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image.elf, section)) != NULL;) {
        const Elf64_Shdr *header = elf64_getshdr(section);
        const char *name = elf_strptr(image.elf, names, header->sh_name);
        if (strcmp(name, ".debug_aranges") == 0) {
            assert_int_equal(header->sh_type, SHT_NOBITS);
            n_hidden++;
        }
    }
    assert_int_equal(n_hidden, 1);
    elf_image_fini(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_id_is_lower_case_hex),
        cmocka_unit_test(dwarf_and_code_are_told),
        cmocka_unit_test(descriptors_are_closed),
        cmocka_unit_test(file_may_vanish_while_in_use),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
        cmocka_unit_test(unused_sections_vanish),
    };
    return cmocka_run_group_tests(tests, build, NULL);
}
