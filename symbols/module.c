/* SPDX-License-Identifier: MIT */
/* What do this module's files say about an address?
 *
 *   offset ──► unit that holds it ──► scopes: inlined g, inlined f, function main
 *         │                      └──► line table: place of the innermost one
 *         └──► symbol table, where there is no DWARF
 *
 * A scope's own place is where the line table says; every scope around it is left at the place of the
 * call that was inlined. */
#include "module.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/debug_file.h"
#include "symbols/demangle.h"
#include "symbols/inline.h"
#include "symbols/line.h"
#include "symbols/symtab.h"

enum {
    MAX_UNITS = 1 << 20,
    MAX_RANGES_PER_UNIT = 1 << 20,
};

struct unit {
    Dwarf_Die die;   /* has the line table */
    Dwarf_Die scope; /* has the functions: the same, or the one in the .dwo file */
    bool indexed;    /* `index` was built */
    struct inline_index index;
};

struct module {
    struct strpool *pool;
    struct elf_image file;   /* zeroed when missing or of another build */
    struct elf_image debug;  /* zeroed unless the DWARF lies apart */
    struct elf_image shared; /* zeroed unless dwz split it further */
    Dwarf *dwarf;            /* NULL when there is none */
    Dwarf *shared_dwarf;
    bool units_listed;
    struct unit *units;
    uint32_t n_units, capacity;
    struct ranges unit_ranges;
    struct symtab symtab;
    const char
        *linker_name; /* last asked for, in the table: places come in order, many of one function */
    const char *readable_name; /* what it stands for */
};

static void open_shared(struct module *module, const char *path)
{
    if (debug_file_find_shared(module->dwarf, path, &module->shared) != 0) {
        return;
    }
    module->shared_dwarf = dwarf_begin_elf(module->shared.elf, DWARF_C_READ, NULL);
    if (module->shared_dwarf != NULL) {
        dwarf_setalt(module->dwarf, module->shared_dwarf);
    }
}

/* glibc's own two modules. Their DWARF is apart (libc6-dbg, which valgrind brings along) and
 * compressed: 60 ms to inflate in every run, to say where in libc memory is allocated. Their symbol
 * tables give the same function names in a millisecond. */
static bool is_runtime(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    return strcmp(name, "libc.so.6") == 0 || strcmp(name, "ld-linux-x86-64.so.2") == 0;
}

static void open_dwarf(struct module *module, const char *path, const char *build_id)
{
    const struct elf_image *stripped = module->file.elf == NULL ? NULL : &module->file;
    struct elf_image *source = &module->file;
    if (!elf_image_has_dwarf(&module->file)) {
        const enum elf_bytes_wanted bytes = is_runtime(path) ? ELF_BYTES_NAMES : ELF_BYTES_DWARF;
        if (debug_file_find(path, build_id, stripped, bytes, &module->debug) != 0 ||
            bytes == ELF_BYTES_NAMES) {
            return;
        }
        source = &module->debug;
    }
    elf_image_hide_unused(source);
    module->dwarf = dwarf_begin_elf(source->elf, DWARF_C_READ, NULL);
    if (module->dwarf != NULL) {
        open_shared(module, source->path);
    }
}

/* The full table is in the file or, after strip, in the debug file; .dynsym has exported names only. */
static void open_symtab(struct module *module)
{
    const struct {
        const struct elf_image *image;
        bool dynamic;
    } sources[] = {{&module->file, false}, {&module->debug, false}, {&module->file, true}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources && module->symtab.n == 0; i++) {
        symtab_fini(&module->symtab);
        (void)symtab_load(sources[i].image, sources[i].dynamic, &module->symtab);
    }
}

struct module *module_open(const char *path, const char *build_id, struct strpool *pool)
{
    struct module *module = calloc(1, sizeof *module);
    if (module == NULL) {
        return NULL;
    }
    module->pool = pool;
    if (elf_image_open(path, ELF_BYTES_DWARF, &module->file) == 0 && build_id[0] != '\0' &&
        strcmp(module->file.build_id, build_id) != 0) {
        elf_image_fini(&module->file);
    }
    open_dwarf(module, path, module->file.elf == NULL ? build_id : module->file.build_id);
    open_symtab(module);
    return module;
}

static const struct elf_image *code_of(const struct module *module)
{
    return module->file.elf != NULL ? &module->file : &module->debug;
}

static bool add_unit(struct module *module, const struct unit *unit)
{
    if (module->n_units == module->capacity) {
        const uint32_t capacity = module->capacity == 0 ? 64 : 2 * module->capacity;
        struct unit *units = reallocarray(module->units, capacity, sizeof *units);
        if (units == NULL) {
            return false;
        }
        module->units = units;
        module->capacity = capacity;
    }
    module->units[module->n_units++] = *unit;
    return true;
}

static void add_unit_ranges(struct module *module, Dwarf_Die *die, uint32_t number)
{
    Dwarf_Addr base;
    Dwarf_Addr low;
    Dwarf_Addr high;
    ptrdiff_t offset = 0;
    for (int i = 0; i < MAX_RANGES_PER_UNIT; i++) {
        offset = dwarf_ranges(die, offset, &base, &low, &high);
        if (offset <= 0) {
            return;
        }
        if (elf_image_is_code(code_of(module), low) &&
            ranges_add(&module->unit_ranges,
                       (struct range){.low = low, .high = high, .value = number}) != 0) {
            return;
        }
    }
}

/* From the units' own ranges, not .debug_aranges, which clang does not write. */
static void list_units(struct module *module)
{
    module->units_listed = true;
    Dwarf_CU *cu = NULL;
    uint8_t type;
    struct unit unit = {0};
    Dwarf_Die split;
    while (module->n_units < MAX_UNITS &&
           dwarf_get_units(module->dwarf, cu, &cu, NULL, &type, &unit.die, &split) == 0) {
        if (type != DW_UT_compile && type != DW_UT_skeleton) {
            continue;
        }
        unit.scope = type == DW_UT_skeleton && split.addr != NULL ? split : unit.die;
        if (!add_unit(module, &unit)) {
            break;
        }
        add_unit_ranges(module, &unit.die, module->n_units - 1);
    }
    ranges_seal(&module->unit_ranges);
}

static struct unit *find_unit(struct module *module, uint64_t offset)
{
    if (module->dwarf == NULL) {
        return NULL;
    }
    if (!module->units_listed) {
        list_units(module);
    }
    const uint32_t number = ranges_find(&module->unit_ranges, offset);
    if (number == RANGES_NONE) {
        return NULL;
    }
    struct unit *unit = &module->units[number];
    if (!unit->indexed) {
        unit->indexed = true;
        (void)inline_build(&unit->scope, code_of(module), &unit->index);
    }
    return unit;
}

/* The symbol table's name: of the function around `address`, or of exactly the one beginning there. */
static const char *table_name(struct module *module, uint64_t address, bool exact)
{
    const char *name = symtab_find(&module->symtab, address, exact);
    if (name == NULL) {
        return "";
    }
    if (name != module->linker_name) {
        const char *bare = strpool_keep(module->pool, name, strcspn(name, "@"));
        module->linker_name = name;
        module->readable_name = demangle_name(module->pool, bare);
    }
    return module->readable_name;
}

static bool entry_of(Dwarf_Die *die, Dwarf_Addr *entry_out)
{
    Dwarf_Addr base;
    Dwarf_Addr high;
    return dwarf_entrypc(die, entry_out) == 0 || dwarf_ranges(die, 0, &base, entry_out, &high) > 0;
}

/* A lambda's or a local class's function has no linker name in DWARF; the symbol table has it. */
static const char *outermost_name(struct module *module, const struct inline_scope *scope)
{
    Dwarf_Die die = scope->die;
    Dwarf_Addr entry;
    if (!scope->qualified && entry_of(&die, &entry)) {
        const char *name = symtab_find(&module->symtab, entry, true);
        if (name != NULL && demangle_is_mangled(name)) {
            return table_name(module, entry, true);
        }
    }
    return scope->function;
}

/* Fill in frames[0..n) for `scope` and those around it; when there are more than `cap`, the outermost
 * takes the last place. Returns n. */
static size_t fill_scopes(struct module *module, struct unit *unit,
                          const struct inline_scope *scope, struct symbol_frame *frames, size_t cap)
{
    struct symbol_frame place = frames[0]; /* file and line of the innermost */
    size_t n = 0;
    for (;;) {
        const struct inline_scope *parent =
            inline_parent(&unit->index, module->pool, &unit->scope, scope);
        place.function = scope->inlined ? scope->function : outermost_name(module, scope);
        place.inlined = parent != NULL;
        if (n < cap - 1 || parent == NULL) {
            frames[n] = place;
            n += n < cap;
        }
        if (parent == NULL) {
            return n;
        }
        place.file = scope->call_file;
        place.line = scope->call_line;
        scope = parent;
    }
}

size_t module_lookup(struct module *module, uint64_t offset, struct symbol_frame *frames_out,
                     size_t cap)
{
    frames_out[0] = (struct symbol_frame){.function = "", .file = ""};
    struct unit *unit = find_unit(module, offset);
    size_t n = 1;
    if (unit != NULL) {
        line_find(module->pool, &unit->die, offset, &frames_out[0].file, &frames_out[0].line);
        const struct inline_scope *scope =
            inline_find(&unit->index, module->pool, &unit->scope, offset);
        if (scope != NULL) {
            n = fill_scopes(module, unit, scope, frames_out, cap);
        }
    }
    if (frames_out[n - 1].function[0] == '\0') {
        frames_out[n - 1].function = table_name(module, offset, false);
    }
    return n;
}

void module_free(struct module *module)
{
    if (module == NULL) {
        return;
    }
    for (uint32_t i = 0; i < module->n_units; i++) {
        inline_fini(&module->units[i].index);
    }
    free(module->units);
    ranges_fini(&module->unit_ranges);
    symtab_fini(&module->symtab);
    dwarf_end(module->dwarf);
    dwarf_end(module->shared_dwarf);
    elf_image_fini(&module->file);
    elf_image_fini(&module->debug);
    elf_image_fini(&module->shared);
    free(module);
}
