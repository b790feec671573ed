/* SPDX-License-Identifier: MIT */
/* How does a file become something libelf can read safely? */
#include "elf_image.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/elf_bytes.h"

static void note_build_id(struct elf_image *image)
{
    const void *id;
    const ssize_t n_bytes = dwelf_elf_gnu_build_id(image->elf, &id);
    if (n_bytes <= 0 || (size_t)n_bytes > (sizeof image->build_id - 1) / 2) {
        return;
    }
    static const char digits[] = "0123456789abcdef";
    for (ssize_t i = 0; i < n_bytes; i++) {
        const unsigned char byte = ((const unsigned char *)id)[i];
        image->build_id[2 * i] = digits[byte >> 4];
        image->build_id[2 * i + 1] = digits[byte & 15];
    }
    image->build_id[2 * n_bytes] = '\0';
}

/* Kept, since asking libelf takes a lock each time, and walks ask for every range they meet. */
static void note_code(struct elf_image *image)
{
    size_t n_headers;
    if (elf_getphdrnum(image->elf, &n_headers) != 0) {
        return;
    }
    for (size_t i = 0; i < n_headers && image->n_code < ELF_IMAGE_MAX_CODE; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(image->elf, (int)i, &header) == NULL) {
            return;
        }
        if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0 &&
            header.p_memsz <= UINT64_MAX - header.p_vaddr) {
            image->code[image->n_code].low = header.p_vaddr;
            image->code[image->n_code++].high = header.p_vaddr + header.p_memsz;
        }
    }
}

static int parse(struct elf_image *image)
{
    const unsigned char *ident = image->bytes;
    if (memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_CLASS] != ELFCLASS64 ||
        ident[EI_DATA] != ELFDATA2LSB || elf_version(EV_CURRENT) == EV_NONE) {
        return -ENOEXEC;
    }
    image->elf = elf_memory((char *)image->bytes, image->size_bytes);
    if (image->elf == NULL || elf_kind(image->elf) != ELF_K_ELF) {
        return -ENOEXEC;
    }
    note_build_id(image);
    note_code(image);
    return 0;
}

int elf_image_open(const char *path, enum elf_bytes_wanted wanted, struct elf_image *image_out)
{
    struct elf_image image = {0};
    struct elf_bytes file = {0};
    /* O_NONBLOCK: a path in a trace may name a FIFO by now. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    int result = elf_bytes_read(fd, wanted, &file);
    close(fd);
    image.bytes = file.bytes;
    image.size_bytes = file.size_bytes;
    if (result == 0) {
        result = parse(&image);
    }
    if (result == 0 && (image.path = strdup(path)) == NULL) {
        result = -ENOMEM;
    }
    if (result != 0) {
        elf_image_fini(&image);
        return result;
    }
    *image_out = image;
    return 0;
}

bool elf_image_has_dwarf(const struct elf_image *image)
{
    size_t names;
    if (image->elf == NULL || elf_getshdrstrndx(image->elf, &names) != 0) {
        return false;
    }
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type == SHT_NOBITS) {
            continue;
        }
        const char *name = elf_strptr(image->elf, names, header.sh_name);
        if (name != NULL && header.sh_size > 0 &&
            (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)) {
            return true;
        }
    }
    return false;
}

void elf_image_hide_unused(struct elf_image *image)
{
    static const char *const unused[] = {
        ".debug_aranges",  ".debug_frame",    ".debug_gnu_pubnames", ".debug_gnu_pubtypes",
        ".debug_loc",      ".debug_loclists", ".debug_macro",        ".debug_names",
        ".debug_pubnames", ".debug_pubtypes"};
    size_t names;
    if (elf_getshdrstrndx(image->elf, &names) != 0) {
        return;
    }
    for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section)) != NULL;) {
        Elf64_Shdr *header = elf64_getshdr(section); /* libelf's own copy, or our private bytes */
        const char *name = header == NULL ? NULL : elf_strptr(image->elf, names, header->sh_name);
        for (size_t i = 0; name != NULL && i < sizeof unused / sizeof *unused; i++) {
            if (strcmp(name, unused[i]) == 0) {
                header->sh_type = SHT_NOBITS;
            }
        }
    }
}

bool elf_image_is_code(const struct elf_image *image, uint64_t address)
{
    for (uint32_t i = 0; i < image->n_code; i++) {
        if (address >= image->code[i].low && address < image->code[i].high) {
            return true;
        }
    }
    return false;
}

void elf_image_fini(struct elf_image *image)
{
    elf_end(image->elf);
    if (image->bytes != NULL) {
        munmap(image->bytes, image->size_bytes);
    }
    free(image->path);
    *image = (struct elf_image){0};
}
