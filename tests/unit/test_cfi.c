/* SPDX-License-Identifier: MIT */
/* The rules of whole libraries against binutils, which reads the same tables with other code:
 * `readelf --debug-dump=frames-interp` prints one line for each range of addresses. */
#include <dlfcn.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <cmocka.h>

#include "preload/cfi.h"

/* What readelf says of the table that a line belongs to. */
struct table {
    bool is_signal_frame;
    uint64_t end;               /* of the function */
    int rbp_column, rsp_column; /* in words of a line; -1: not mentioned */
    char inherited[512];        /* the line of the CIE: what holds where the function has none */
};

struct tally {
    size_t n_functions, n_lines, n_rules, n_unusual, n_outermost;
};

/* Cut a line into words in place; a register's other name in parentheses is none. */
static int split(char *line, char **words, int cap)
{
    int n = 0;
    for (char *word = strtok(line, " \n"); word && n < cap; word = strtok(NULL, " \n"))
        if (word[0] != '(')
            words[n++] = word;
    return n;
}

/* Sixteen digits and a space: an address with its rule, not a table's offset. */
static bool is_rule(const char *line)
{
    return strspn(line, "0123456789abcdef") == 16 && line[16] == ' ';
}

/* "LOC CFA rbx rbp ra" */
static void read_columns(char *line, struct table *table)
{
    char *words[32];
    const int n = split(line, words, 32);
    table->rbp_column = table->rsp_column = -1;
    for (int i = 2; i < n; i++) {
        if (strcmp(words[i], "rbp") == 0)
            table->rbp_column = i;
        if (strcmp(words[i], "rsp") == 0)
            table->rsp_column = i;
    }
}

/* "LOC rsp+16 u c-16 c-8" as the rule it should be. */
static struct cfi_rule expected(char *line, const struct table *table, uint64_t *pc_out)
{
    const struct cfi_rule unusual = {.kind = CFI_UNUSUAL};
    char *words[32];
    const int n = split(line, words, 32);
    *pc_out = n > 0 ? strtoull(words[0], NULL, 16) : 0;
    if (table->is_signal_frame) /* has no line of its own where all is in expressions */
        return unusual;
    assert_true(n >= 3);
    const char *const cfa = words[1], *const ra = words[n - 1];
    if (strcmp(ra, "u") == 0)
        return (struct cfi_rule){.kind = CFI_OUTERMOST};
    const bool from_bp = strncmp(cfa, "rbp", 3) == 0;
    if (strcmp(ra, "c-8") != 0 || (!from_bp && strncmp(cfa, "rsp", 3) != 0) ||
        (table->rsp_column >= 0 && strcmp(words[table->rsp_column], "u") != 0))
        return unusual;
    struct cfi_rule rule = {.kind = CFI_RULE, .cfa_from_bp = from_bp, .cfa_offset = atoi(cfa + 3)};
    const char *const bp = table->rbp_column < 0 ? "u" : words[table->rbp_column];
    if (bp[0] == 'c') {
        rule.bp_saved = 1;
        rule.bp_words = (int8_t)(atoi(bp + 1) / 8);
    } else if (strcmp(bp, "u") != 0 && strcmp(bp, "s") != 0) {
        return unusual;
    }
    return rule;
}

/* Compare at the first and at the last address of a range. */
static void check_range(uintptr_t bias, uint64_t from, uint64_t to, struct cfi_rule wanted,
                        struct tally *tally)
{
    const uint64_t places[2] = {from, to > from ? to - 1 : from};
    for (unsigned i = 0; i < 2; i++) {
        const struct cfi_rule rule = cfi_find(bias + places[i]);
        if (memcmp(&rule, &wanted, sizeof rule) != 0)
            fail_msg("at %lx: kind %d bp %d offset %d saved %d at %d, readelf says "
                     "kind %d bp %d offset %d saved %d at %d",
                     (long)places[i], rule.kind, rule.cfa_from_bp, rule.cfa_offset, rule.bp_saved,
                     rule.bp_words, wanted.kind, wanted.cfa_from_bp, wanted.cfa_offset,
                     wanted.bp_saved, wanted.bp_words);
    }
    tally->n_lines++;
    tally->n_rules += wanted.kind == CFI_RULE;
    tally->n_unusual += wanted.kind == CFI_UNUSUAL;
    tally->n_outermost += wanted.kind == CFI_OUTERMOST;
}

/* A range's rule holds until the next line of the function, or its end. */
struct pending {
    bool is_there;
    uint64_t from;
    struct cfi_rule rule;
};

static void settle(struct pending *pending, uintptr_t bias, uint64_t to, struct tally *tally)
{
    if (pending->is_there && to > pending->from)
        check_range(bias, pending->from, to, pending->rule, tally);
    pending->is_there = false;
}

static void begin_function(char *line, struct table *table, struct pending *pending)
{
    uint64_t start;
    char *const range = strstr(line, "pc=");
    assert_int_equal(sscanf(range, "pc=%lx..%lx", &start, &table->end), 2);
    char inherited[512];
    strcpy(inherited, table->inherited);
    table->rbp_column = table->rsp_column = -1;
    uint64_t ignored;
    *pending = (struct pending){true, start, expected(inherited, table, &ignored)};
}

/* All the lines that readelf prints for one file whose modules all share one CIE at a time. */
static struct tally check_module(const char *path, uintptr_t bias)
{
    char command[5000], line[512];
    struct table table = {.rbp_column = -1, .rsp_column = -1};
    struct pending pending = {.is_there = false};
    struct tally tally = {0};
    bool in_cie = false, in_function = false;
    snprintf(command, sizeof command, "readelf --debug-dump=frames-interp '%s' 2>/dev/null", path);
    FILE *const listing = popen(command, "r");
    assert_non_null(listing);
    /* FDEs name their CIE by offset; keep the few CIEs a file has. */
    static struct {
        uint64_t offset;
        bool is_signal_frame;
        char line[512];
    } cies[64];
    size_t n_cies = 0;
    while (fgets(line, sizeof line, listing)) {
        uint64_t cie_offset;
        const char *const cie_of = strstr(line, " cie=");
        if (strstr(line, " CIE ")) {
            settle(&pending, bias, table.end, &tally);
            in_cie = true;
            in_function = false;
            assert_true(n_cies < 64);
            cies[n_cies].offset = strtoull(line, NULL, 16);
            cies[n_cies++].is_signal_frame = strchr(strchr(line, '"'), 'S') != NULL;
        } else if (cie_of && strstr(line, " FDE ")) {
            settle(&pending, bias, table.end, &tally);
            in_cie = false;
            in_function = true;
            assert_int_equal(sscanf(cie_of, " cie=%lx", &cie_offset), 1);
            size_t i = 0;
            while (i < n_cies && cies[i].offset != cie_offset)
                i++;
            assert_true(i < n_cies);
            table.is_signal_frame = cies[i].is_signal_frame;
            strcpy(table.inherited, cies[i].line);
            begin_function(line, &table, &pending);
            tally.n_functions++;
        } else if (strstr(line, "   LOC ") == line) {
            read_columns(line, &table);
        } else if (in_cie && is_rule(line)) {
            strcpy(cies[n_cies - 1].line, line);
        } else if (in_function && is_rule(line)) {
            uint64_t from;
            const struct cfi_rule rule = expected(line, &table, &from);
            settle(&pending, bias, from, &tally);
            pending = (struct pending){true, from, rule};
        }
    }
    settle(&pending, bias, table.end, &tally);
    pclose(listing);
    return tally;
}

static void check_library(const char *name, size_t n_least)
{
    void *const handle = dlopen(name, RTLD_NOW);
    if (!handle || system("command -v readelf >/dev/null") != 0)
        skip();
    struct link_map *map = NULL;
    assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    const struct tally tally = check_module(map->l_name, map->l_addr);
    print_message("%s: %zu functions, %zu ranges: %zu rules, %zu unusual, %zu outermost\n", name,
                  tally.n_functions, tally.n_lines, tally.n_rules, tally.n_unusual,
                  tally.n_outermost);
    assert_true(tally.n_functions >= n_least);
    assert_true(tally.n_rules > 50 * tally.n_unusual); /* what makes the fast way worth having */
}

static void rules_of_libc_are_those_of_readelf(void **state)
{
    (void)state;
    check_library("libc.so.6", 3000);
}

static void rules_of_the_loader_are_those_of_readelf(void **state)
{
    (void)state;
    check_library("ld-linux-x86-64.so.2", 200);
}

static void rules_of_libstdcpp_are_those_of_readelf(void **state)
{
    (void)state;
    check_library("libstdc++.so.6", 3000);
}

static void rules_of_libcrypto_are_those_of_readelf(void **state)
{
    (void)state;
    check_library("libcrypto.so.3", 8000);
}

static void addresses_outside_any_function_have_no_rule(void **state)
{
    void *const heap = malloc(16);
    void *const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static int variable = 1;
    (void)state;
    assert_int_equal(cfi_find(0).kind, CFI_NO_TABLE);
    assert_int_equal(cfi_find(UINTPTR_MAX).kind, CFI_NO_TABLE);
    assert_int_equal(cfi_find((uintptr_t)heap).kind, CFI_NO_TABLE);
    assert_int_equal(cfi_find((uintptr_t)page).kind, CFI_NO_TABLE);
    assert_int_equal(cfi_find((uintptr_t)&variable).kind, CFI_NO_TABLE);
    munmap(page, 4096);
    free(heap);
}

/* As interpreters and coders of media have it: a module's code, but no table for it. */
__asm__(".text\n"
        ".p2align 8\n"
        "code_without_table: .skip 192, 0xcc\n");
extern const char code_without_table[];

static void code_of_a_module_may_have_no_table(void **state)
{
    (void)state;
    assert_int_equal(cfi_find((uintptr_t)code_without_table + 64).kind, CFI_NO_TABLE);
}

static void the_loaders_start_code_has_no_caller(void **state)
{
    const uintptr_t base = getauxval(AT_BASE);
    (void)state;
    if (base == 0)
        skip();
    const uintptr_t entry = base + ((const ElfW(Ehdr) *)base)->e_entry;
    assert_int_equal(cfi_find(entry).kind, CFI_NONE);
    assert_int_equal(cfi_find(entry + 40).kind, CFI_NONE);
}

static void never_run(void) {}

static void a_coroutines_end_has_no_caller(void **state)
{
    static uintptr_t stack[1024];
    ucontext_t context;
    (void)state;
    getcontext(&context);
    context.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    context.uc_link = NULL;
    makecontext(&context, never_run, 0);
    const uintptr_t return_address = *(uintptr_t *)context.uc_mcontext.gregs[REG_RSP];
    assert_int_equal(cfi_find(return_address - 1).kind, CFI_NONE);
}

static void an_entry_is_found_for_code_that_has_one(void **state)
{
    (void)state;
    uintptr_t function = 0;
    const uintptr_t code = (uintptr_t)an_entry_is_found_for_code_that_has_one;
    assert_non_null(cfi_find_fde(code + 1, &function));
    assert_int_equal(function, code);
    assert_null(cfi_find_fde(0x10, &function));
    assert_null(cfi_find_fde((uintptr_t)&function, &function));
    assert_int_equal(function, code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_found_for_code_that_has_one),
        cmocka_unit_test(rules_of_libc_are_those_of_readelf),
        cmocka_unit_test(rules_of_the_loader_are_those_of_readelf),
        cmocka_unit_test(rules_of_libstdcpp_are_those_of_readelf),
        cmocka_unit_test(rules_of_libcrypto_are_those_of_readelf),
        cmocka_unit_test(addresses_outside_any_function_have_no_rule),
        cmocka_unit_test(code_of_a_module_may_have_no_table),
        cmocka_unit_test(the_loaders_start_code_has_no_caller),
        cmocka_unit_test(a_coroutines_end_has_no_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
