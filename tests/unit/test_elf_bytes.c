/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/elf_bytes.h"
#include "tests/support/fixture.h"

/* The ELF header; behind it lie program headers. */
enum { HEADERS_BYTES = 64 };

static int build(void **state)
{
    (void)state;
    fixture_text("p.c", "const char data[8192] = \"here is data\";\n"
                        "int named_function(void) { return data[0]; }\n"
                        "int main(void) { return named_function(); }\n");
    fixture_must("cc -g -Wl,--build-id p.c -o p && strip p -o stripped && "
                 "objcopy --only-keep-debug p p.debug && "
                 "objcopy --add-gnu-debuglink=p.debug stripped linked");
    return 0;
}

static int read_named(const char *name, enum elf_bytes_wanted wanted, struct elf_bytes *bytes_out)
{
    const int fd = open(fixture_path(name), O_RDONLY);
    assert_true(fd >= 0);
    const int error = elf_bytes_read(fd, wanted, bytes_out);
    close(fd);
    return error;
}

static bool holds(const struct elf_bytes *file, const char *text)
{
    return memmem(file->bytes, file->size_bytes, text, strlen(text)) != NULL;
}

static void only_wanted_parts_are_read(void **state)
{
    (void)state;
    static const char loader[] = "ld-linux-x86-64.so.2";
    static const struct {
        const char *name;
        enum elf_bytes_wanted wanted;
        const char *text;
        bool is_there;
    } rows[] = {{"p", ELF_BYTES_NAMES, loader, true},
                {"p", ELF_BYTES_NAMES, "named_function", true}, /* .strtab */
                {"p", ELF_BYTES_NAMES, "__libc_start_main", true},
                {"p", ELF_BYTES_NAMES, "here is data", false},
                {"p", ELF_BYTES_DWARF, "here is data", false},
                {"p", ELF_BYTES_NAMES, "p.c", true},    /* the file's own symbol */
                {"p", ELF_BYTES_NAMES, "GNU C", false}, /* .debug_str */
                {"p", ELF_BYTES_DWARF, "GNU C", true},
                {"stripped", ELF_BYTES_DWARF, "named_function", false},
                {"linked", ELF_BYTES_NAMES, "p.debug", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct elf_bytes file;
        assert_int_equal(read_named(rows[i].name, rows[i].wanted, &file), 0);
        assert_int_equal(holds(&file, rows[i].text), rows[i].is_there);
        munmap(file.bytes, file.size_bytes);
    }
}

/* What is there is the file's, at its place; all else is zero. */
static void bytes_lie_where_they_do_in_the_file(void **state)
{
    (void)state;
    size_t n_bytes;
    char *whole = fixture_read("p", &n_bytes);
    struct elf_bytes file;
    assert_int_equal(read_named("p", ELF_BYTES_DWARF, &file), 0);
    assert_int_equal(file.size_bytes, n_bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        assert_true(file.bytes[i] == (unsigned char)whole[i] || file.bytes[i] == 0);
    }
    munmap(file.bytes, file.size_bytes);
    free(whole);
}

/* More sections than the header counts, tables of another shape, a header of another class. */
static void unusual_headers_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        unsigned char byte;
    } rows[] = {
        {"e_shnum", 60, 0}, {"e_shentsize", 58, 1}, {"e_shstrndx", 62, 0xff}, {"class", 4, 1}};
    size_t n_bytes;
    char *whole = fixture_read("p", &n_bytes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct elf_bytes file;
        const char was = whole[rows[i].at];
        whole[rows[i].at] = (char)rows[i].byte;
        fixture_write(rows[i].name, whole, n_bytes);
        assert_int_equal(read_named(rows[i].name, ELF_BYTES_NAMES, &file), 0);
        assert_memory_equal(file.bytes, whole, n_bytes);
        munmap(file.bytes, file.size_bytes);
        whole[rows[i].at] = was;
    }
    free(whole);
}

static void large_files_are_mapped_where_much_is_wanted(void **state)
{
    (void)state;
    struct elf_bytes file;
    fixture_must("head -c 5000000 /dev/zero | tr '\\0' x >more && "
                 "objcopy --add-section .debug_more=more p large");
    assert_int_equal(read_named("large", ELF_BYTES_NAMES, &file), 0);
    assert_false(holds(&file, "xxxxxxxx"));
    munmap(file.bytes, file.size_bytes);
    assert_int_equal(read_named("large", ELF_BYTES_DWARF, &file), 0);
    assert_true(holds(&file, "xxxxxxxx"));
    assert_true(holds(&file, "here is data"));
    file.bytes[0] = 0; /* private */
    munmap(file.bytes, file.size_bytes);
    assert_int_equal(read_named("large", ELF_BYTES_NAMES, &file), 0);
    assert_int_equal(file.bytes[0], 0x7f);
    munmap(file.bytes, file.size_bytes);
}

/* Every byte of the headers at its largest and at its smallest; cut anywhere. */
static void damaged_headers_do_no_harm(void **state)
{
    (void)state;
    size_t n_bytes;
    char *whole = fixture_read("p", &n_bytes);
    for (size_t i = 0; i < 2 * HEADERS_BYTES; i++) {
        struct elf_bytes file;
        const char was = whole[i];
        whole[i] = (char)(was == (char)0xff ? 0 : 0xff);
        fixture_write("damaged", whole, i % 2 ? n_bytes : n_bytes - n_bytes * i / 256);
        assert_int_equal(read_named("damaged", ELF_BYTES_DWARF, &file), 0);
        munmap(file.bytes, file.size_bytes);
        whole[i] = was;
    }
    free(whole);
}

static void what_is_no_file_or_too_short_is_refused(void **state)
{
    (void)state;
    struct elf_bytes file;
    fixture_text("short", "\177ELF");
    fixture_must("mkdir -p folder");
    assert_int_equal(read_named("short", ELF_BYTES_NAMES, &file), -ENOEXEC);
    assert_int_equal(read_named("folder", ELF_BYTES_NAMES, &file), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_wanted_parts_are_read),
        cmocka_unit_test(bytes_lie_where_they_do_in_the_file),
        cmocka_unit_test(unusual_headers_are_read_whole),
        cmocka_unit_test(large_files_are_mapped_where_much_is_wanted),
        cmocka_unit_test(damaged_headers_do_no_harm),
        cmocka_unit_test(what_is_no_file_or_too_short_is_refused),
    };
    return cmocka_run_group_tests(tests, build, NULL);
}
