/* SPDX-License-Identifier: MIT */
/* One ELF file held in memory, with no descriptor left open: a run may touch hundreds of modules, more
 * than RLIMIT_NOFILE allows. What names do not come from is not in memory (symbols/elf_bytes.h). */
#ifndef HEAPWISE_SYMBOLS_ELF_IMAGE_H
#define HEAPWISE_SYMBOLS_ELF_IMAGE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elf_bytes.h"

enum {
    ELF_IMAGE_BUILD_ID_CHARS = 129, /* hex of at most 64 bytes, and a NUL */
    ELF_IMAGE_MAX_CODE = 8,         /* executable segments; linkers make one */
};

struct elf_image {
    unsigned char *bytes; /* see symbols/elf_bytes.h */
    size_t size_bytes;
    Elf *elf;   /* reads `bytes`; NULL in a zeroed struct */
    char *path; /* where it was opened */
    uint32_t n_code;
    struct {
        uint64_t low, high; /* [low, high) */
    } code[ELF_IMAGE_MAX_CODE];
    char build_id[ELF_IMAGE_BUILD_ID_CHARS]; /* lower-case hex; "" when the file has none */
};

/* Open the 64-bit little-endian ELF file at `path`, with the `wanted` bytes of it: the others read as
 * zero, but headers tell of all.
 * Returns 0; -ENOEXEC when it is no such file; -EINVAL when it is no regular file; -ENOMEM; or the
 * errno of open/fstat/read, negative. */
int elf_image_open(const char *path, enum elf_bytes_wanted wanted, struct elf_image *image_out);

/* Whether the file has DWARF of its own: a .debug_info section with contents. */
bool elf_image_has_dwarf(const struct elf_image *image);

/* Hide the DWARF sections that no look-up of ours reads, so that libdw does not inflate them: in
 * Debian's libc6-dbg a fifth of the 77 ms that opening takes. */
void elf_image_hide_unused(struct elf_image *image);

/* Whether `address` lies in a segment that is mapped executable. */
bool elf_image_is_code(const struct elf_image *image, uint64_t address);

void elf_image_fini(struct elf_image *image);

#endif
