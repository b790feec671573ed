/* SPDX-License-Identifier: MIT */
/* Which file on this machine holds a module's debug information? */
#include "debug_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define SYSTEM_FOLDER       "/usr/lib/debug"
#define FOLDERS_ENVIRONMENT "HEAPWISE_DEBUG_PATH"

/* What makes a file the right one. */
struct wanted {
    const char *build_id; /* "" when the module has none */
    enum elf_bytes_wanted bytes;
    bool has_crc;
    uint32_t crc;
};

/* Of the whole file, as the image does not hold all of it. False when it cannot be read. */
static bool has_crc(const char *path, uint32_t crc)
{
    unsigned char bytes[16384];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return false;
    }
    uLong found = crc32_z(0, NULL, 0);
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0) {
            found = crc32_z(found, bytes, (size_t)n);
        }
    }
    close(fd);
    return n == 0 && found == crc;
}

static bool is_wanted(const struct elf_image *image, const struct wanted *wanted)
{
    if (wanted->build_id[0] != '\0') {
        return strcmp(image->build_id, wanted->build_id) == 0;
    }
    return wanted->has_crc && has_crc(image->path, wanted->crc);
}

/* Open the file at the formatted path if it is the right one. */
__attribute__((format(printf, 3, 4))) static int
try_path(const struct wanted *wanted, struct elf_image *image_out, const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int n_chars = vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    struct elf_image image;
    if (n_chars < 0 || (size_t)n_chars >= sizeof path ||
        elf_image_open(path, wanted->bytes, &image) != 0) {
        return -ENOENT;
    }
    if (!is_wanted(&image, wanted)) {
        elf_image_fini(&image);
        return -ENOENT;
    }
    *image_out = image;
    return 0;
}

/* Take the next folder off the list; at its end the system's, then NULL. */
static const char *next_folder(const char **list, char *folder, size_t capacity)
{
    while (*list != NULL) {
        if (**list == '\0') {
            *list = NULL;
            return SYSTEM_FOLDER;
        }
        const size_t n_chars = strcspn(*list, ":");
        const int n = snprintf(folder, capacity, "%.*s", (int)n_chars, *list);
        *list += n_chars + ((*list)[n_chars] == ':');
        if (n > 0 && (size_t)n < capacity) {
            return folder;
        }
    }
    return NULL;
}

static const char *folder_list(void)
{
    const char *list = getenv(FOLDERS_ENVIRONMENT);
    return list == NULL ? "" : list;
}

static int find_by_build_id(const struct wanted *wanted, struct elf_image *image_out)
{
    if (strlen(wanted->build_id) < 3) {
        return -ENOENT;
    }
    char buffer[PATH_MAX];
    const char *list = folder_list();
    const char *folder;
    while ((folder = next_folder(&list, buffer, sizeof buffer)) != NULL) {
        if (try_path(wanted, image_out, "%s/.build-id/%.2s/%s.debug", folder, wanted->build_id,
                     wanted->build_id + 2) == 0) {
            return 0;
        }
    }
    return -ENOENT;
}

static int find_by_link(const struct wanted *wanted, const char *path, const char *name,
                        struct elf_image *image_out)
{
    const char *slash = strrchr(path, '/');
    const int n_chars = slash == NULL ? 0 : (int)(slash - path);
    if (name[0] == '\0' || strchr(name, '/') != NULL || slash == NULL) {
        return -ENOENT; /* a link is a bare name; anything else was made to lead elsewhere */
    }
    if (try_path(wanted, image_out, "%.*s/%s", n_chars, path, name) == 0 ||
        try_path(wanted, image_out, "%.*s/.debug/%s", n_chars, path, name) == 0) {
        return 0;
    }
    char buffer[PATH_MAX];
    const char *list = folder_list();
    const char *folder;
    while ((folder = next_folder(&list, buffer, sizeof buffer)) != NULL) {
        if (try_path(wanted, image_out, "%s/%.*s/%s", folder, n_chars, path, name) == 0) {
            return 0;
        }
    }
    return -ENOENT;
}

int debug_file_find(const char *path, const char *build_id, const struct elf_image *stripped,
                    enum elf_bytes_wanted bytes, struct elf_image *debug_out)
{
    struct wanted wanted = {.build_id = build_id, .bytes = bytes};
    struct elf_image found;
    if (find_by_build_id(&wanted, &found) != 0) {
        GElf_Word crc = 0;
        const char *name = stripped == NULL ? NULL : dwelf_elf_gnu_debuglink(stripped->elf, &crc);
        wanted.has_crc = name != NULL;
        wanted.crc = crc;
        if (name == NULL || find_by_link(&wanted, path, name, &found) != 0) {
            return -ENOENT;
        }
    }
    if (!elf_image_has_dwarf(&found)) {
        elf_image_fini(&found);
        return -ENOENT; /* a link that names the stripped file itself */
    }
    *debug_out = found;
    return 0;
}

int debug_file_find_shared(Dwarf *dwarf, const char *path, struct elf_image *shared_out)
{
    const char *name;
    const void *id;
    const ssize_t n_bytes = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
    char hex[ELF_IMAGE_BUILD_ID_CHARS] = "";
    if (n_bytes <= 0 || (size_t)n_bytes > (sizeof hex - 1) / 2) {
        return -ENOENT;
    }
    for (ssize_t i = 0; i < n_bytes; i++) {
        snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)id)[i]);
    }
    const struct wanted wanted = {.build_id = hex, .bytes = ELF_BYTES_DWARF};
    if (name[0] == '/' && try_path(&wanted, shared_out, "%s", name) == 0) {
        return 0;
    }
    /* A relative name counts from where the file really lies, not from a .build-id link to it. */
    char real[PATH_MAX];
    if (name[0] != '/' && realpath(path, real) != NULL) {
        const int n_chars = (int)(strrchr(real, '/') - real);
        if (try_path(&wanted, shared_out, "%.*s/%s", n_chars, real, name) == 0) {
            return 0;
        }
    }
    return find_by_build_id(&wanted, shared_out);
}
