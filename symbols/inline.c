/* SPDX-License-Identifier: MIT */
/* Which function is at an address, and through which inlined calls?
 *
 *   unit
 *   ├─ subprogram main      [100,200)   scope 0
 *   │  └─ lexical_block                 (no scope of its own)
 *   │     └─ inlined f      [120,150)   scope 1, parent 0, called at main.c:7
 *   │        └─ inlined g   [130,140)   scope 2, parent 1, called at main.c:3
 *   └─ structure, ...                   (skipped)
 *
 * The walk goes from DIE to DIE in the order they lie in the file and never steps back, so a
 * DW_AT_sibling made to point backwards cannot make it loop. dwarf_siblingof is asked only about DIEs
 * that it need not search through: leaves, and those that have the attribute. */
#include "inline.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"
#include "symbols/line.h"

enum {
    MAX_NESTING = 512,         /* DIEs within DIEs; compilers stay below 100 */
    MAX_RANGES_PER_DIE = 4096, /* a function in more pieces than this is no function */
};

/* Entries and ranges read for one unit: the largest units known (LTO of a browser) hold 20 million
 * entries, read in about two seconds. */
#define MAX_WORK UINT64_C(50000000)

struct walk {
    Dwarf_Die die;
    const unsigned char *end; /* of the unit's bytes */
    const struct elf_image *code;
    struct inline_index *index;
    uint64_t work;
    uint32_t nesting;
    uint32_t owner[MAX_NESTING + 1]; /* scope that DIEs at each nesting belong to */
};

static const unsigned char *unit_end(Dwarf_Die *unit)
{
    const Dwarf_Off start = dwarf_dieoffset(unit) - dwarf_cuoffset(unit);
    Dwarf_Off next;
    if (dwarf_next_unit(dwarf_cu_getdwarf(unit->cu), start, &next, NULL, NULL, NULL, NULL, NULL,
                        NULL, NULL) != 0 ||
        next <= dwarf_dieoffset(unit)) {
        return unit->addr;
    }
    return (const unsigned char *)unit->addr + (next - dwarf_dieoffset(unit));
}

static bool step_in(struct walk *walk)
{
    Dwarf_Die child = {0};
    if (walk->nesting == MAX_NESTING || dwarf_child(&walk->die, &child) != 0 ||
        (unsigned char *)child.addr <= (unsigned char *)walk->die.addr) {
        return false;
    }
    walk->die = child;
    walk->nesting++;
    return true;
}

/* Go to the next DIE of this nesting or, at its end, of the nearest one outside it. */
static bool step_on(struct walk *walk)
{
    Dwarf_Die next = {0};
    const int result = dwarf_siblingof(&walk->die, &next);
    if (result < 0 || (unsigned char *)next.addr <= (unsigned char *)walk->die.addr) {
        return false;
    }
    if (result == 0) {
        walk->die = next;
        return true;
    }
    /* next.addr is at the null entry that ends this nesting (libdw leaves it there). */
    const unsigned char *at = next.addr;
    while (at < walk->end && *at == 0 && walk->nesting > 0) {
        at++;
        walk->nesting--;
    }
    if (at >= walk->end || walk->nesting == 0) {
        return false;
    }
    walk->die = (Dwarf_Die){.addr = (void *)(uintptr_t)at, .cu = walk->die.cu};
    return true;
}

/* Types hold no code, and abstract functions only what concrete ones refer to. */
static bool may_skip(Dwarf_Die *die, int tag)
{
    switch (tag) {
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_array_type:
    case DW_TAG_subroutine_type: break;
    case DW_TAG_subprogram:
        if (dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges)) {
            return false;
        }
        break;
    default: return false;
    }
    return dwarf_hasattr(die, DW_AT_sibling);
}

static int add_scope(struct walk *walk, bool inlined, uint32_t *scope_out)
{
    struct inline_index *index = walk->index;
    if (index->n_scopes == index->capacity) {
        const uint32_t capacity = index->capacity == 0 ? 64 : 2 * index->capacity;
        struct inline_scope *scopes = reallocarray(index->scopes, capacity, sizeof *scopes);
        if (scopes == NULL) {
            return -ENOMEM;
        }
        index->scopes = scopes;
        index->capacity = capacity;
    }
    *scope_out = index->n_scopes++;
    index->scopes[*scope_out] = (struct inline_scope){
        .die = walk->die, .parent = walk->owner[walk->nesting], .inlined = inlined};
    return 0;
}

/* Make the current DIE a scope when it has code, and the owner of what is inside it. */
static int visit(struct walk *walk, int tag)
{
    uint32_t scope = INLINE_NONE;
    Dwarf_Addr base;
    Dwarf_Addr low;
    Dwarf_Addr high;
    ptrdiff_t offset = 0;
    for (int i = 0; i < MAX_RANGES_PER_DIE; i++) {
        offset = dwarf_ranges(&walk->die, offset, &base, &low, &high);
        if (offset <= 0) {
            break;
        }
        walk->work++;
        if (low >= high || !elf_image_is_code(walk->code, low)) {
            continue;
        }
        if (scope == INLINE_NONE &&
            add_scope(walk, tag == DW_TAG_inlined_subroutine, &scope) != 0) {
            return -ENOMEM;
        }
        const struct range range = {
            .low = low, .high = high, .depth = walk->nesting, .value = scope};
        if (ranges_add(&walk->index->ranges, range) != 0) {
            return -ENOMEM;
        }
    }
    if (scope != INLINE_NONE && walk->nesting < MAX_NESTING) {
        walk->owner[walk->nesting + 1] = scope;
    }
    return 0;
}

int inline_build(Dwarf_Die *unit, const struct elf_image *code, struct inline_index *index_out)
{
    struct inline_index index = {0};
    struct walk walk = {.die = *unit, .end = unit_end(unit), .code = code, .index = &index};
    walk.owner[0] = INLINE_NONE;
    walk.owner[1] = INLINE_NONE;
    for (bool more = step_in(&walk); more && walk.work < MAX_WORK; walk.work++) {
        const int tag = dwarf_tag(&walk.die);
        const bool skip = may_skip(&walk.die, tag);
        if (walk.nesting < MAX_NESTING) {
            walk.owner[walk.nesting + 1] = walk.owner[walk.nesting];
        }
        if (!skip && (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) &&
            visit(&walk, tag) != 0) {
            inline_fini(&index);
            return -ENOMEM;
        }
        more = (!skip && step_in(&walk)) || step_on(&walk);
    }
    ranges_seal(&index.ranges);
    *index_out = index;
    return 0;
}

static const char *linker_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) == NULL &&
        dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute) == NULL) {
        return NULL;
    }
    return dwarf_formstring(&attribute);
}

/* Follow a reference to another DIE. */
static bool follow(Dwarf_Die *die, unsigned attribute_name, Dwarf_Die *die_out)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, attribute_name, &attribute) != NULL &&
           dwarf_formref_die(&attribute, die_out) != NULL;
}

/* Name of the class whose member function `die` is, by the type its `this` points to; NULL for none.
 * Four steps at most: const, pointer, const, class. A lambda's class has no name in DWARF. */
static const char *class_name(Dwarf_Die *die)
{
    Dwarf_Die type;
    if (!follow(die, DW_AT_object_pointer, &type)) {
        return NULL;
    }
    for (int i = 0; i < 4 && follow(&type, DW_AT_type, &type); i++) {
        const int tag = dwarf_tag(&type);
        if (tag == DW_TAG_class_type || tag == DW_TAG_structure_type) {
            const char *name = dwarf_diename(&type);
            return name == NULL ? "<lambda>" : name;
        }
    }
    return NULL;
}

static void name_function(struct inline_scope *scope, struct strpool *pool)
{
    const char *name = linker_name(&scope->die);
    if (name != NULL && demangle_is_mangled(name)) {
        scope->function = demangle_name(pool, name);
        scope->qualified = true;
        return;
    }
    name = dwarf_diename(&scope->die);
    if (name == NULL) {
        scope->function = "";
        return;
    }
    /* Members of local classes and lambdas have no linker name in DWARF. */
    char text[1024];
    const char *owner = class_name(&scope->die);
    const int n = snprintf(text, sizeof text, "%s%s%s", owner == NULL ? "" : owner,
                           owner == NULL ? "" : "::", name);
    scope->function = n < 0 || (size_t)n >= sizeof text ? strpool_keep(pool, name, strlen(name))
                                                        : strpool_keep(pool, text, (size_t)n);
}

static uint64_t number_of(Dwarf_Die *die, unsigned attribute_name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    if (dwarf_attr(die, attribute_name, &attribute) == NULL ||
        dwarf_formudata(&attribute, &value) != 0) {
        return 0;
    }
    return value;
}

static const struct inline_scope *named(struct inline_scope *scope, struct strpool *pool,
                                        Dwarf_Die *unit)
{
    if (scope->named) {
        return scope;
    }
    scope->named = true;
    name_function(scope, pool);
    scope->call_file = "";
    if (scope->inlined) {
        const uint64_t line = number_of(&scope->die, DW_AT_call_line);
        scope->call_line = line <= UINT32_MAX ? (uint32_t)line : 0;
        scope->call_file = line_file(pool, unit, number_of(&scope->die, DW_AT_call_file));
    }
    return scope;
}

const struct inline_scope *inline_find(struct inline_index *index, struct strpool *pool,
                                       Dwarf_Die *unit, uint64_t address)
{
    const uint32_t found = ranges_find(&index->ranges, address);
    return found == RANGES_NONE ? NULL : named(&index->scopes[found], pool, unit);
}

const struct inline_scope *inline_parent(struct inline_index *index, struct strpool *pool,
                                         Dwarf_Die *unit, const struct inline_scope *scope)
{
    if (!scope->inlined || scope->parent == INLINE_NONE) {
        return NULL;
    }
    return named(&index->scopes[scope->parent], pool, unit);
}

void inline_fini(struct inline_index *index)
{
    free(index->scopes);
    ranges_fini(&index->ranges);
    *index = (struct inline_index){0};
}
