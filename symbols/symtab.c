/* SPDX-License-Identifier: MIT */
/* Which function does the linker say is at an address?
 *
 * One address often has several names (malloc, __libc_malloc). The best is what callers write: global
 * before weak before local, sized before unsized, fewer leading underscores, then shorter. */
#include "symtab.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* A sized function may hold small local symbols; look back past that many. */
enum { MAX_STEPS_BACK = 16 };

enum {
    MAX_INSERTED = 8
}; /* entries of a bucket; for fewer, calling qsort is dearer than sorting */

struct symbols {
    const char *bytes; /* Elf64_Sym after Elf64_Sym, in odd files not aligned */
    size_t n;
    const char *strings;
    size_t strings_end; /* behind the last NUL: names that begin before it end in the table */
};

/* Asked for once, not by elf_strptr() for each name: that was a third of reading a table. */
static void find_strings(const struct elf_image *image, size_t section_index,
                         struct symbols *symbols)
{
    Elf_Scn *section = elf_getscn(image->elf, section_index);
    GElf_Shdr header;
    if (section == NULL || gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_STRTAB) {
        return;
    }
    const Elf_Data *data = elf_getdata(section, NULL);
    if (data == NULL || data->d_buf == NULL) {
        return;
    }
    const char *last = memrchr(data->d_buf, '\0', data->d_size);
    symbols->strings = data->d_buf;
    symbols->strings_end = last == NULL ? 0 : (size_t)(last - symbols->strings) + 1;
}

static bool find_table(const struct elf_image *image, uint32_t type, struct symbols *symbols_out)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != type) {
            continue;
        }
        const Elf_Data *data = elf_getdata(section, NULL);
        if (data == NULL || data->d_buf == NULL || data->d_type != ELF_T_SYM) {
            return false;
        }
        *symbols_out =
            (struct symbols){.bytes = data->d_buf, .n = data->d_size / sizeof(Elf64_Sym)};
        find_strings(image, header.sh_link, symbols_out);
        return true;
    }
    return false;
}

/* NULL where the table does not hold it. */
static const char *name_of(const struct symbols *symbols, const Elf64_Sym *symbol)
{
    return symbol->st_name < symbols->strings_end ? symbols->strings + symbol->st_name : NULL;
}

static Elf64_Sym symbol_at(const struct symbols *symbols, size_t i)
{
    Elf64_Sym symbol;
    memcpy(&symbol, symbols->bytes + i * sizeof symbol, sizeof symbol);
    return symbol;
}

static bool is_function(const Elf64_Sym *symbol)
{
    const unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

/* A label in hand-written assembly. */
static bool is_unsized_code(const struct elf_image *image, const Elf64_Sym *symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_NOTYPE && symbol->st_shndx != SHN_UNDEF &&
           elf_image_is_code(image, symbol->st_value);
}

/* What tells names of one address apart before the names themselves do. */
static uint32_t rank_of(const Elf64_Sym *symbol)
{
    static const uint32_t by_binding[16] = {
        [STB_GLOBAL] = 0, [STB_WEAK] = 1, [STB_LOCAL] = 2, [STB_GNU_UNIQUE] = 0};
    return by_binding[ELF64_ST_BIND(symbol->st_info) & 15] << 1 | (symbol->st_size == 0);
}

static int add(struct symtab *symtab, struct symtab_entry entry)
{
    if (symtab->n == symtab->capacity) {
        const size_t capacity = symtab->capacity == 0 ? 256 : 2 * symtab->capacity;
        struct symtab_entry *entries = reallocarray(symtab->entries, capacity, sizeof *entries);
        if (entries == NULL) {
            return -ENOMEM;
        }
        symtab->entries = entries;
        symtab->capacity = capacity;
    }
    symtab->entries[symtab->n++] = entry;
    return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Names are looked at only here: hardly any have to be, and each is another line of memory. */
static int compare_names(const char *a, const char *b)
{
    const int by_underscores = compare_numbers(strspn(a, "_") & 15, strspn(b, "_") & 15);
    const int by_length = compare_numbers(strnlen(a, 0xffff), strnlen(b, 0xffff));
    return by_underscores != 0 ? by_underscores : by_length != 0 ? by_length : strcmp(a, b);
}

static int by_start(const void *left, const void *right)
{
    const struct symtab_entry *a = left;
    const struct symtab_entry *b = right;
    if (a->start != b->start || a->rank != b->rank) {
        return a->start != b->start ? compare_numbers(a->start, b->start)
                                    : compare_numbers(a->rank, b->rank);
    }
    return compare_names(a->name, b->name);
}

/* Which bucket an address belongs into: they are equally wide and cover low to high. */
struct spread {
    uint64_t low;
    unsigned shift;
    size_t n_buckets;
};

static struct spread spread_of(const struct symtab *symtab)
{
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    for (size_t i = 0; i < symtab->n; i++) {
        const uint64_t start = symtab->entries[i].start;
        low = start < low ? start : low;
        high = start > high ? start : high;
    }
    struct spread spread = {.low = low};
    while ((high - low) >> spread.shift >= 2 * symtab->n) {
        spread.shift++;
    }
    spread.n_buckets = (size_t)((high - low) >> spread.shift) + 1;
    return spread;
}

static size_t bucket_of(const struct spread *spread, const struct symtab_entry *entry)
{
    return (size_t)((entry->start - spread->low) >> spread->shift);
}

/* Put entries in order of their buckets; ends[b + 1] becomes where bucket b ends. */
static void distribute(const struct symtab *symtab, const struct spread *spread, uint32_t *ends,
                       struct symtab_entry *sorted)
{
    for (size_t i = 0; i < symtab->n; i++) {
        ends[bucket_of(spread, &symtab->entries[i]) + 2]++;
    }
    for (size_t b = 2; b < spread->n_buckets + 2; b++) {
        ends[b] += ends[b - 1];
    }
    for (size_t i = 0; i < symtab->n; i++) {
        sorted[ends[bucket_of(spread, &symtab->entries[i]) + 1]++] = symtab->entries[i];
    }
}

static void sort_bucket(struct symtab_entry *entries, size_t n)
{
    if (n > MAX_INSERTED) {
        qsort(entries, n, sizeof *entries, by_start);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct symtab_entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && by_start(&entry, &entries[at - 1]) < 0; at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = entry;
    }
}

/* Functions lie evenly in a file, so each bucket gets one or two, mostly names of one address. Sorting
 * all by comparison was half of what naming costs at the end of a recording. */
static void sort_by_start(struct symtab *symtab)
{
    const struct spread spread = spread_of(symtab);
    uint32_t *ends = calloc(spread.n_buckets + 2, sizeof *ends);
    struct symtab_entry *sorted = reallocarray(NULL, symtab->n, sizeof *sorted);
    if (ends == NULL || sorted == NULL || symtab->n > UINT32_MAX) {
        qsort(symtab->entries, symtab->n, sizeof *symtab->entries, by_start);
        free(sorted);
        free(ends);
        return;
    }
    distribute(symtab, &spread, ends, sorted);
    for (size_t b = 0; b < spread.n_buckets; b++) {
        sort_bucket(sorted + ends[b], ends[b + 1] - ends[b]);
    }
    free(ends);
    free(symtab->entries);
    symtab->entries = sorted;
    symtab->capacity = symtab->n;
}

/* Sort, and keep the best name of each address with the largest size any of them claims. */
static void seal(struct symtab *symtab)
{
    if (symtab->n == 0) {
        return;
    }
    sort_by_start(symtab);
    size_t n_kept = 0;
    for (size_t i = 0; i < symtab->n; i++) {
        const struct symtab_entry *entry = &symtab->entries[i];
        struct symtab_entry *last = n_kept == 0 ? NULL : &symtab->entries[n_kept - 1];
        if (last == NULL || last->start != entry->start) {
            symtab->entries[n_kept++] = *entry;
        } else if (entry->size_bytes > last->size_bytes) {
            last->size_bytes = entry->size_bytes;
        }
    }
    symtab->n = n_kept;
}

int symtab_load(const struct elf_image *image, bool dynamic, struct symtab *symtab_out)
{
    struct symtab symtab = {0};
    struct symbols symbols = {0};
    if (image->elf != NULL) {
        find_table(image, dynamic ? SHT_DYNSYM : SHT_SYMTAB, &symbols);
    }
    for (size_t i = 0; i < symbols.n; i++) {
        const Elf64_Sym symbol = symbol_at(&symbols, i);
        const char *name = is_function(&symbol) || is_unsized_code(image, &symbol)
                               ? name_of(&symbols, &symbol)
                               : NULL;
        if (name == NULL || name[0] == '\0') {
            continue;
        }
        if (add(&symtab, (struct symtab_entry){.start = symbol.st_value,
                                               .size_bytes = symbol.st_size,
                                               .name = name,
                                               .rank = rank_of(&symbol)}) != 0) {
            symtab_fini(&symtab);
            return -ENOMEM;
        }
    }
    seal(&symtab);
    *symtab_out = symtab;
    return 0;
}

const char *symtab_find(const struct symtab *symtab, uint64_t address, bool exact)
{
    size_t begin = 0;
    size_t end = symtab->n;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (symtab->entries[middle].start <= address) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    if (begin == 0) {
        return NULL;
    }
    const struct symtab_entry *nearest = &symtab->entries[begin - 1];
    if (exact) {
        return nearest->start == address ? nearest->name : NULL;
    }
    for (size_t i = begin, steps = 0; i > 0 && steps < MAX_STEPS_BACK; i--, steps++) {
        const struct symtab_entry *entry = &symtab->entries[i - 1];
        if (address - entry->start < entry->size_bytes) {
            return entry->name;
        }
    }
    return nearest->size_bytes == 0 ? nearest->name : NULL;
}

bool symtab_defines(const struct elf_image *image, const char *name)
{
    static const uint32_t tables[] = {SHT_DYNSYM, SHT_SYMTAB};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        struct symbols symbols = {0};
        find_table(image, tables[t], &symbols);
        for (size_t i = 0; i < symbols.n; i++) {
            const Elf64_Sym symbol = symbol_at(&symbols, i);
            const char *found = is_function(&symbol) ? name_of(&symbols, &symbol) : NULL;
            if (found != NULL && strcmp(found, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

void symtab_fini(struct symtab *symtab)
{
    free(symtab->entries);
    *symtab = (struct symtab){0};
}
