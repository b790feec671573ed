/* SPDX-License-Identifier: MIT */
/* How libc's tables of stream functions are found and changed. Nothing is believed: the table must lie in
 * the RELRO segment of a module, what it points to in that module's code, and afterwards the
 * slots are read again. */
#include "preload/stdio_tables.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/syscalls.h"

enum {
    FIRST_SLOT = 14, /* of read, counted in words of a table */
    PAGE_BYTES = 4096,
};
_Static_assert(sizeof(struct stdio_slots) == 4 * sizeof(uintptr_t), "one word a slot");

/* Addresses [start, end) of libc's memory. */
struct span {
    uintptr_t start, end;
};

static bool holds(const struct span *span, uintptr_t address, size_t n_bytes)
{
    return address >= span->start && address < span->end && n_bytes <= span->end - address;
}

/* A stream's table pointer stands right behind its public part. */
static uintptr_t table_of(const FILE *stream)
{
    uintptr_t table;
    memcpy(&table, stream + 1, sizeof table);
    return table;
}

/* The segments of the module around `address`, from its program headers in memory. */
static bool find_segments(uintptr_t address, struct span *relro_out, struct span *code_out)
{
    struct dl_find_object found;
    *relro_out = *code_out = (struct span){.end = 0};
    if (_dl_find_object((void *)address, &found) != 0)
        return false;
    const ElfW(Ehdr) *const head = found.dlfo_map_start;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_phentsize != sizeof(ElfW(Phdr)) ||
        head->e_phoff + head->e_phnum * sizeof(ElfW(Phdr)) > PAGE_BYTES)
        return false;
    const uintptr_t bias = found.dlfo_link_map->l_addr;
    const ElfW(Phdr) *const segments =
        (const ElfW(Phdr) *)((const uint8_t *)found.dlfo_map_start + head->e_phoff);
    for (size_t i = 0; i < head->e_phnum; i++) {
        const ElfW(Phdr) *const segment = &segments[i];
        const struct span span = {bias + segment->p_vaddr,
                                  bias + segment->p_vaddr + segment->p_memsz};
        if (segment->p_type == PT_GNU_RELRO)
            *relro_out = span;
        else if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X))
            *code_out = span;
    }
    return relro_out->end != 0 && code_out->end != 0;
}

/* What the slots of `before` are to become: those that stand in all tables are found by their values. */
static struct stdio_slots wanted_slots(const struct stdio_slots *before,
                                       const struct stdio_slots *usual,
                                       const struct stdio_slots *ours)
{
    struct stdio_slots wanted = *ours;
    if (before->seek != usual->seek)
        wanted.seek = before->seek;
    return wanted;
}

/* All tables that read and write as `usual` does. Returns how many there are, also beyond what fits. */
static size_t find_tables(const struct span *relro, const struct span *code,
                          const struct stdio_slots *usual, struct stdio_tables *tables)
{
    size_t n = 0;
    const uintptr_t first = (relro->start + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
    for (uintptr_t at = first; holds(relro, at, sizeof *usual); at += sizeof(uintptr_t)) {
        struct stdio_slots *const slots = (struct stdio_slots *)at;
        if (slots->read != usual->read || slots->write != usual->write ||
            !holds(code, (uintptr_t)slots->seek, 1) || !holds(code, (uintptr_t)slots->close, 1))
            continue;
        if (n < STDIO_MAX_TABLES)
            tables->tables[n] = (struct stdio_table){.slots = slots, .before = *slots};
        n++;
    }
    return n;
}

static bool protect(uintptr_t page, size_t n_bytes, int protection)
{
    return arch_syscall(SYS_mprotect, page, n_bytes, protection) == 0;
}

/* Word by word: another thread may be about to call through one. */
static void put_slots(struct stdio_slots *slots, const struct stdio_slots *wanted)
{
    for (size_t i = 0; i < sizeof *slots / sizeof(uintptr_t); i++) {
        uintptr_t word;
        memcpy(&word, (const uintptr_t *)wanted + i, sizeof word);
        atomic_store((_Atomic uintptr_t *)slots + i, word);
    }
}

static bool slots_are(const struct stdio_slots *slots, const struct stdio_slots *wanted)
{
    return memcmp(slots, wanted, sizeof *slots) == 0;
}

/* Change all tables while their pages are writable; none where one does not hold what it is given. */
static bool change(struct stdio_tables *tables, const struct stdio_slots *ours)
{
    bool good = true;
    for (size_t i = 0; i < tables->n && good; i++) {
        struct stdio_table *const table = &tables->tables[i];
        const struct stdio_slots wanted = wanted_slots(&table->before, &tables->usual, ours);
        put_slots(table->slots, &wanted);
        good = slots_are(table->slots, &wanted);
    }
    for (size_t i = 0; i < tables->n && !good; i++)
        put_slots(tables->tables[i].slots, &tables->tables[i].before);
    return good;
}

/* The whole pages of RELRO that the tables lie in: the loader protects no part of a page. */
static struct span pages_of(const struct stdio_tables *tables, const struct span *relro)
{
    const uintptr_t protected_end = relro->end & ~(uintptr_t)(PAGE_BYTES - 1);
    const uintptr_t last = (uintptr_t)(tables->tables[tables->n - 1].slots + 1) + PAGE_BYTES - 1;
    struct span pages = {(uintptr_t)tables->tables[0].slots & ~(uintptr_t)(PAGE_BYTES - 1),
                         last & ~(uintptr_t)(PAGE_BYTES - 1)};
    if (pages.end > protected_end)
        pages.end = protected_end > pages.start ? protected_end : pages.start;
    return pages;
}

/* Fill in what is there; NULL, or why it cannot be as expected. */
static const char *look(const FILE *stream, struct stdio_tables *tables, struct span *relro_out)
{
    struct stdio_slots *const usual = &tables->usual;
    struct span code;
    const uintptr_t table = stream ? table_of(stream) : 0;
    const uintptr_t at = table + FIRST_SLOT * sizeof(uintptr_t);
    if (!table || !find_segments(table, relro_out, &code))
        return "no module holds stdout's table of functions";
    if (!holds(relro_out, at, sizeof *usual))
        return "stdout's table of functions lies elsewhere than expected";
    *usual = *(const struct stdio_slots *)at;
    if (!holds(&code, (uintptr_t)usual->read, 1) || !holds(&code, (uintptr_t)usual->write, 1))
        return "stdout's table of functions is not libc's own";
    tables->n = find_tables(relro_out, &code, usual, tables);
    tables->code_start = code.start;
    tables->code_end = code.end;
    return tables->n > 0 && tables->n <= STDIO_MAX_TABLES
               ? NULL
               : "libc's tables of stream functions are not as expected";
}

const char *stdio_tables_replace(const FILE *stream, const struct stdio_slots *ours,
                                 struct stdio_tables *tables_out)
{
    struct span relro;
    const char *obstacle = look(stream, tables_out, &relro);
    if (!obstacle) {
        const struct span pages = pages_of(tables_out, &relro);
        const size_t n_bytes = pages.end - pages.start;
        if (n_bytes && !protect(pages.start, n_bytes, PROT_READ | PROT_WRITE))
            obstacle = "libc's tables of stream functions cannot be made writable";
        else if (!change(tables_out, ours))
            obstacle = "libc's tables of stream functions do not keep what is put there";
        if (n_bytes)
            protect(pages.start, n_bytes, PROT_READ);
    }
    if (obstacle)
        tables_out->n = 0;
    return obstacle;
}

const struct stdio_slots *stdio_tables_before(const struct stdio_tables *tables, const FILE *stream)
{
    const uintptr_t slots = table_of(stream) + FIRST_SLOT * sizeof(uintptr_t);
    for (size_t i = 0; i < tables->n; i++)
        if ((uintptr_t)tables->tables[i].slots == slots)
            return &tables->tables[i].before;
    return &tables->usual;
}
