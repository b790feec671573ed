/* SPDX-License-Identifier: MIT */
/* Function names from ELF symbol tables, for code without DWARF. */
#ifndef HEAPWISE_SYMBOLS_SYMTAB_H
#define HEAPWISE_SYMBOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elf_image.h"

struct symtab_entry {
    uint64_t start;
    uint64_t size_bytes; /* 0: up to the next entry (hand-written assembly) */
    const char *name;    /* in the image; may carry "@VERSION" */
    uint32_t rank;       /* lower is better among names of one address */
};

struct symtab {
    struct symtab_entry *entries; /* by start, one per start */
    size_t n, capacity;
};

/* Read the functions of `image`'s .symtab, or of its .dynsym when `dynamic`.
 * Names point into the image, which must outlive the table. An absent table gives an empty one.
 * Returns 0 or -ENOMEM. */
int symtab_load(const struct elf_image *image, bool dynamic, struct symtab *symtab_out);

/* Return the linker name of the function at `address`, NULL when none is known there.
 * `exact` asks for a function that begins there. The name may carry "@VERSION" at its end. */
const char *symtab_find(const struct symtab *symtab, uint64_t address, bool exact);

/* Whether `image` defines a function called `name` in .dynsym or .symtab. */
bool symtab_defines(const struct elf_image *image, const char *name);

void symtab_fini(struct symtab *symtab);

#endif
