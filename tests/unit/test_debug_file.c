/* SPDX-License-Identifier: MIT */
/* The places a debug file may lie in, and files that only look like it. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/debug_file.h"
#include "tests/support/fixture.h"

#define BUILD_ID "0123456789abcdef"

static int build(void **state)
{
    (void)state;
    fixture_text("p.c", "int main(void) { return 0; }\n");
    fixture_must("cc -g -Wl,--build-id=0x" BUILD_ID " p.c -o with && "
                 "cc -g -Wl,--build-id=none p.c -o without && cc -g3 -O2 p.c -o other");
    fixture_must("for p in with without other; do objcopy --only-keep-debug $p $p.debug; done");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unsetenv("HEAPWISE_DEBUG_PATH");
    fixture_must("rm -rf bin extra");
    fixture_must("mkdir -p bin/.debug extra/.build-id/01 \"extra/$PWD/bin\"");
    return 0;
}

/* Strip `program` into bin/, with a debuglink to its debug file when `linked`. */
static void strip_program(const char *program, bool linked)
{
    fixture_must("strip %s -o bin/p", program);
    if (linked) {
        fixture_must("objcopy --add-gnu-debuglink=%s.debug bin/p", program);
    }
}

/* Returns the path of the debug file that is found for bin/p, "" when none is. */
static const char *find(const char *build_id)
{
    static char path[PATH_MAX];
    struct elf_image stripped;
    struct elf_image debug;
    path[0] = '\0';
    assert_int_equal(elf_image_open(fixture_path("bin/p"), ELF_BYTES_DWARF, &stripped), 0);
    assert_string_equal(stripped.build_id, build_id);
    if (debug_file_find(fixture_path("bin/p"), build_id, &stripped, ELF_BYTES_DWARF, &debug) == 0) {
        assert_true(elf_image_has_dwarf(&debug));
        snprintf(path, sizeof path, "%s", debug.path + strlen(fixture_folder()) + 1);
        elf_image_fini(&debug);
    }
    elf_image_fini(&stripped);
    return path;
}

static void build_id_folder_is_looked_into(void **state)
{
    (void)state;
    strip_program("with", false);
    assert_string_equal(find(BUILD_ID), "");
    fixture_must("cp with.debug extra/.build-id/01/23456789abcdef.debug");
    assert_string_equal(find(BUILD_ID), ""); /* not on the path yet */
    char list[2 * PATH_MAX];
    snprintf(list, sizeof list, "/no/such::%s:", fixture_path("extra"));
    setenv("HEAPWISE_DEBUG_PATH", list, 1);
    assert_string_equal(find(BUILD_ID), "extra/.build-id/01/23456789abcdef.debug");
    struct elf_image debug; /* also when the module itself is gone */
    assert_int_equal(debug_file_find("/gone", BUILD_ID, NULL, ELF_BYTES_DWARF, &debug), 0);
    elf_image_fini(&debug);
    fixture_must("cp other.debug extra/.build-id/01/23456789abcdef.debug");
    assert_string_equal(find(BUILD_ID), "");
}

static void debuglink_is_followed_in_order(void **state)
{
    (void)state;
    strip_program("without", true);
    assert_string_equal(find(""), "");
    setenv("HEAPWISE_DEBUG_PATH", fixture_path("extra"), 1);
    fixture_must("cp without.debug \"extra/$PWD/bin/\"");
    char expected[2 * PATH_MAX];
    snprintf(expected, sizeof expected, "extra/%s/bin/without.debug", fixture_folder());
    assert_string_equal(find(""), expected);
    fixture_must("cp without.debug bin/.debug/");
    assert_string_equal(find(""), "bin/.debug/without.debug");
    fixture_must("cp without.debug bin/");
    assert_string_equal(find(""), "bin/without.debug");
}

static void wrong_checksum_or_build_is_passed_over(void **state)
{
    (void)state;
    strip_program("without", true);
    fixture_must("cp other.debug bin/without.debug && cp without.debug bin/.debug/");
    assert_string_equal(find(""), "bin/.debug/without.debug");
    strip_program("with", true);
    fixture_must("cp other.debug bin/with.debug && cp with.debug bin/.debug/");
    assert_string_equal(find(BUILD_ID), "bin/.debug/with.debug");
}

static void odd_links_lead_nowhere(void **state)
{
    (void)state;
    strip_program("with", false);
    fixture_must("cp bin/p bin/self && objcopy --add-gnu-debuglink=bin/self bin/p");
    assert_string_equal(find(BUILD_ID), ""); /* right build-id, but no DWARF in it */
    struct elf_image debug;
    static const char *const ids[] = {"", "0", "01", "../../../../etc/passwd", BUILD_ID};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(debug_file_find("/gone", ids[i], NULL, ELF_BYTES_DWARF, &debug), -ENOENT);
        assert_int_equal(debug_file_find("", ids[i], NULL, ELF_BYTES_DWARF, &debug), -ENOENT);
    }
}

static void shared_file_is_found_beside_the_real_one(void **state)
{
    (void)state;
    /* .gnu_debugaltlink: a name, a NUL, the build-id of the file that dwz moved entries to. */
    fixture_must("cc -g -Wl,--build-id=0xfeed0102 p.c -o common && "
                 "printf 'common\\0\\376\\355\\001\\002' >link && mkdir -p real link.d && "
                 "objcopy --add-section .gnu_debugaltlink=link with.debug real/with.debug && "
                 "ln -sf ../real/with.debug link.d/x.debug");
    struct elf_image image;
    struct elf_image shared;
    assert_int_equal(elf_image_open(fixture_path("link.d/x.debug"), ELF_BYTES_DWARF, &image), 0);
    Dwarf *dwarf = dwarf_begin_elf(image.elf, DWARF_C_READ, NULL);
    assert_non_null(dwarf);
    assert_int_equal(debug_file_find_shared(dwarf, image.path, &shared), -ENOENT);
    fixture_must("cp other real/common"); /* another build */
    assert_int_equal(debug_file_find_shared(dwarf, image.path, &shared), -ENOENT);
    fixture_must("cp common real/common");
    assert_int_equal(debug_file_find_shared(dwarf, image.path, &shared), 0);
    assert_string_equal(shared.build_id, "feed0102");
    elf_image_fini(&shared);
    dwarf_end(dwarf);
    elf_image_fini(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(build_id_folder_is_looked_into, clean),
        cmocka_unit_test_setup(debuglink_is_followed_in_order, clean),
        cmocka_unit_test_setup(wrong_checksum_or_build_is_passed_over, clean),
        cmocka_unit_test_setup(odd_links_lead_nowhere, clean),
        cmocka_unit_test_setup(shared_file_is_found_beside_the_real_one, clean),
    };
    return cmocka_run_group_tests(tests, build, NULL);
}
