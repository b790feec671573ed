/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbols/line.h"
#include "tests/support/fixture.h"

static void names_are_absolute_and_plain(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *name, *expected;
    } rows[] = {
        {"/src", "main.c", "/src/main.c"},
        {"/src", "./a/../b/./c.c", "/src/b/c.c"},
        {"/src/build", "../main.c", "/src/main.c"},
        {"/src//x/", "y//z.c", "/src/x/y/z.c"},
        {"/src", "/usr/include/stdio.h", "/usr/include/stdio.h"},
        {"/src", "/usr/lib/gcc/../../include/x.h", "/usr/include/x.h"},
        {"/", "../../x.c", "/x.c"},
        {"/src", "..c", "/src/..c"},
        {"/src", "a...c/.h", "/src/a...c/.h"},
        {NULL, "main.c", "main.c"},
        {"", "./malloc/malloc.c", "malloc/malloc.c"},
        {"./hidden", "././x.c", "x.c"},
        {"/src", "<built-in>", "<built-in>"},
        {"/src", "", ""},
        {"/src", "mit Leerzeichen/\303\244.c", "/src/mit Leerzeichen/\303\244.c"},
    };
    struct strpool pool = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(line_absolute(&pool, rows[i].folder, rows[i].name), rows[i].expected);
    }
    strpool_fini(&pool);
}

static void overlong_names_are_cut(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *name = malloc(N + 1);
    assert_non_null(name);
    memset(name, 'x', N);
    name[N] = '\0';
    for (int i = 0; i < N; i += 100) {
        name[i] = '/';
    }
    struct strpool pool = {0};
    const char *kept = line_absolute(&pool, "/src", name);
    assert_true(strlen(kept) <= 2 * PATH_MAX);
    assert_memory_equal(kept, name, 1000);
    name[0] = 'x';
    assert_true(strlen(line_absolute(&pool, NULL, name)) <= 2 * PATH_MAX);
    free(name);
    strpool_fini(&pool);
}

static void address_gives_file_and_line(void **state)
{
    (void)state;
    fixture_text("l.c",
                 "int twice(int n)\n{\n    return 2 * n;\n}\nint main(void) { return 0; }\n");
    fixture_must("mkdir -p sub && cd sub && cc -g -O0 ../l.c -o ../l.out && cd .. && "
                 "nm l.out | grep ' T twice' | cut -d' ' -f1 >entry.txt");
    size_t n_bytes;
    char *entry = fixture_read("entry.txt", &n_bytes);
    const int fd = open(fixture_path("l.out"), O_RDONLY);
    Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
    assert_non_null(dwarf);
    Dwarf_Die unit;
    Dwarf_CU *cu = NULL;
    assert_int_equal(dwarf_get_units(dwarf, NULL, &cu, NULL, NULL, &unit, NULL), 0);
    struct strpool pool = {0};
    const char *file;
    uint32_t line;
    line_find(&pool, &unit, strtoull(entry, NULL, 16), &file, &line);
    assert_string_equal(file, fixture_path("l.c"));
    assert_int_equal(line, 2);
    line_find(&pool, &unit, 1, &file, &line); /* before all code */
    assert_string_equal(file, "");
    assert_int_equal(line, 0);
    assert_string_equal(line_file(&pool, &unit, 1), fixture_path("l.c"));
    assert_string_equal(line_file(&pool, &unit, UINT64_MAX), "");
    strpool_fini(&pool);
    dwarf_end(dwarf);
    close(fd);
    free(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_absolute_and_plain),
        cmocka_unit_test(overlong_names_are_cut),
        cmocka_unit_test(address_gives_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
