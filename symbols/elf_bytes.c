/* SPDX-License-Identifier: MIT */
/* Which bytes of an ELF file are read?
 *
 *   first page | interpreter, notes |  .dynsym .dynstr  | code, data | .symtab .strtab | .debug_* | headers
 *      read             read                 read          left out        read           asked for   read
 *
 * Copying whole files was three quarters of what opening a library took. */
#include "elf_bytes.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_COPIED_BYTES = 4 << 20,
    FIRST_BYTES = 4096,           /* headers and what linkers put behind them */
    MOST_NAME_BYTES = 64,         /* longer ones are of no section that is asked for */
    MOST_SECTION_NAMES = 1 << 20, /* bytes */
};

struct reading {
    int fd;
    struct elf_bytes file;
    uint64_t left_bytes; /* to copy, before mapping the file is cheaper */
};

static int copy(int fd, unsigned char *bytes, uint64_t n_bytes, uint64_t offset)
{
    while (n_bytes > 0) {
        const ssize_t n = pread(fd, bytes + offset, n_bytes, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : 0; /* cut short meanwhile: the rest stays zero */
        }
        offset += (uint64_t)n;
        n_bytes -= (uint64_t)n;
    }
    return 0;
}

/* Read [offset, offset + n_bytes), as far as the file goes. Returns -EFBIG where that would be too much. */
static int read_range(struct reading *reading, uint64_t offset, uint64_t n_bytes)
{
    const uint64_t size_bytes = reading->file.size_bytes;
    if (offset >= size_bytes) {
        return 0;
    }
    n_bytes = n_bytes < size_bytes - offset ? n_bytes : size_bytes - offset;
    if (n_bytes > reading->left_bytes) {
        return -EFBIG;
    }
    reading->left_bytes -= n_bytes;
    return copy(reading->fd, reading->file.bytes, n_bytes, offset);
}

/* Row `i` of a table of headers, zero where the file ends before. */
static void header_at(const struct reading *reading, uint64_t table, size_t i, void *header_out,
                      size_t header_bytes)
{
    const uint64_t size_bytes = reading->file.size_bytes;
    const uint64_t offset = i * header_bytes; /* of at most 65,536 rows */
    memset(header_out, 0, header_bytes);
    if (table < size_bytes && offset + header_bytes <= size_bytes - table) {
        memcpy(header_out, reading->file.bytes + table + offset, header_bytes);
    }
}

static int read_segments(struct reading *reading, const Elf64_Ehdr *elf)
{
    int error = read_range(reading, elf->e_phoff, (uint64_t)elf->e_phnum * sizeof(Elf64_Phdr));
    for (size_t i = 0; i < elf->e_phnum && error == 0; i++) {
        Elf64_Phdr header;
        header_at(reading, elf->e_phoff, i, &header, sizeof header);
        if (header.p_type == PT_INTERP || header.p_type == PT_NOTE) {
            error = read_range(reading, header.p_offset, header.p_filesz);
        }
    }
    return error;
}

static bool holds_names(const Elf64_Shdr *section)
{
    return section->sh_type == SHT_SYMTAB || section->sh_type == SHT_DYNSYM ||
           section->sh_type == SHT_STRTAB || section->sh_type == SHT_NOTE;
}

/* By name: the sections of DWARF have no type of their own. */
static bool is_wanted(const char *name, enum elf_bytes_wanted wanted)
{
    static const struct {
        const char *prefix;
        enum elf_bytes_wanted from;
    } rows[] = {{".gnu_debuglink", ELF_BYTES_NAMES},
                {".gnu_debugaltlink", ELF_BYTES_NAMES},
                {".debug_", ELF_BYTES_DWARF},
                {".zdebug_", ELF_BYTES_DWARF}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(name, rows[i].prefix, strlen(rows[i].prefix)) == 0) {
            return wanted >= rows[i].from;
        }
    }
    return false;
}

static void name_of(const struct reading *reading, const Elf64_Shdr *names,
                    const Elf64_Shdr *section, char name_out[static MOST_NAME_BYTES])
{
    const uint64_t size_bytes = reading->file.size_bytes;
    const uint64_t at = names->sh_offset + section->sh_name;
    name_out[0] = '\0';
    if (names->sh_offset < size_bytes && at < size_bytes && section->sh_name < names->sh_size) {
        const size_t n_left = size_bytes - at;
        const size_t n = n_left < MOST_NAME_BYTES - 1 ? n_left : MOST_NAME_BYTES - 1;
        memcpy(name_out, reading->file.bytes + at, n);
        name_out[n] = '\0';
    }
}

static int read_sections(struct reading *reading, const Elf64_Ehdr *elf,
                         enum elf_bytes_wanted wanted)
{
    Elf64_Shdr names;
    int error = read_range(reading, elf->e_shoff, (uint64_t)elf->e_shnum * sizeof(Elf64_Shdr));
    header_at(reading, elf->e_shoff, elf->e_shstrndx, &names, sizeof names);
    if (error || names.sh_size > MOST_SECTION_NAMES) {
        return error ? error : -EFBIG;
    }
    error = read_range(reading, names.sh_offset, names.sh_size);
    for (size_t i = 0; i < elf->e_shnum && error == 0; i++) {
        char name[MOST_NAME_BYTES];
        Elf64_Shdr section;
        header_at(reading, elf->e_shoff, i, &section, sizeof section);
        if (section.sh_type == SHT_NOBITS || i == elf->e_shstrndx) {
            continue;
        }
        name_of(reading, &names, &section, name);
        if (holds_names(&section) || is_wanted(name, wanted)) {
            error = read_range(reading, section.sh_offset, section.sh_size);
        }
    }
    return error;
}

/* As linkers write them. More sections or segments than the header can count are noted elsewhere. */
static bool is_usual(const Elf64_Ehdr *elf)
{
    return memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
           elf->e_ident[EI_DATA] == ELFDATA2LSB && elf->e_phnum < PN_XNUM &&
           (elf->e_phnum == 0 || elf->e_phentsize == sizeof(Elf64_Phdr)) && elf->e_shnum > 0 &&
           elf->e_shentsize == sizeof(Elf64_Shdr) && elf->e_shstrndx < elf->e_shnum;
}

static int read_parts(struct reading *reading, enum elf_bytes_wanted wanted)
{
    Elf64_Ehdr elf;
    int error = read_range(reading, 0, FIRST_BYTES);
    if (error) {
        return error;
    }
    memcpy(&elf, reading->file.bytes, sizeof elf);
    if (!is_usual(&elf)) {
        return -EFBIG;
    }
    error = read_segments(reading, &elf);
    return error ? error : read_sections(reading, &elf, wanted);
}

/* Zero where nothing is read into it, and no memory there. */
static int make_room(struct elf_bytes *file)
{
    void *const bytes = mmap(NULL, file->size_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    file->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return file->bytes == NULL ? -errno : 0;
}

static int read_whole(int fd, struct elf_bytes *file)
{
    if (file->size_bytes <= MOST_COPIED_BYTES) {
        return copy(fd, file->bytes, file->size_bytes, 0);
    }
    void *const bytes =
        mmap(file->bytes, file->size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
    return bytes == MAP_FAILED ? -errno : 0;
}

int elf_bytes_read(int fd, enum elf_bytes_wanted wanted, struct elf_bytes *bytes_out)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EINVAL;
    }
    if (status.st_size < (off_t)sizeof(Elf64_Ehdr)) {
        return -ENOEXEC;
    }
    struct reading reading = {
        .fd = fd, .file = {.size_bytes = (size_t)status.st_size}, .left_bytes = MOST_COPIED_BYTES};
    int error = make_room(&reading.file);
    if (error) {
        return error;
    }
    error = read_parts(&reading, wanted);
    if (error == -EFBIG) {
        error = read_whole(fd, &reading.file);
    }
    if (error) {
        munmap(reading.file.bytes, reading.file.size_bytes);
        return error;
    }
    *bytes_out = reading.file;
    return 0;
}
