/* SPDX-License-Identifier: MIT */
/* Which file and line? Asks the unit's line table, then writes the name the one way we write them. */
#include "line.h"

#include <dwarf.h>
#include <limits.h>
#include <string.h>

enum { MAX_PATH_CHARS = 2 * PATH_MAX };

/* Append the parts of `path` to text[0..n), taking a part back at each "..". */
static size_t append_parts(char *text, size_t n, const char *path)
{
    while (*path != '\0') {
        const size_t n_chars = strcspn(path, "/");
        if (n_chars == 2 && memcmp(path, "..", 2) == 0) {
            while (n > 0 && text[--n] != '/') {}
        } else if (n_chars > 0 && !(n_chars == 1 && path[0] == '.')) {
            if (n + n_chars + 1 >= MAX_PATH_CHARS) {
                break;
            }
            text[n++] = '/';
            memcpy(text + n, path, n_chars);
            n += n_chars;
        }
        path += n_chars + (path[n_chars] == '/');
    }
    return n;
}

const char *line_absolute(struct strpool *pool, const char *folder, const char *name)
{
    char text[MAX_PATH_CHARS];
    const char *base = name[0] != '/' && folder != NULL ? folder : "";
    if (name[0] == '\0' || name[0] == '<') {
        return strpool_keep(pool, name, strlen(name)); /* "<built-in>" is no path */
    }
    if (name[0] != '/' && base[0] != '/') { /* no folder known: reproducible builds hide it */
        while (name[0] == '.' && name[1] == '/') {
            name += 2;
        }
        return strpool_keep(pool, name, strnlen(name, MAX_PATH_CHARS));
    }
    size_t n = append_parts(text, 0, base);
    n = append_parts(text, n, name);
    return strpool_keep(pool, text, n);
}

static const char *unit_folder(Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    const char *folder = NULL;
    if (dwarf_attr(unit, DW_AT_comp_dir, &attribute) != NULL) {
        folder = dwarf_formstring(&attribute);
    }
    return folder;
}

void line_find(struct strpool *pool, Dwarf_Die *unit, uint64_t address, const char **file_out,
               uint32_t *line_out)
{
    *file_out = "";
    *line_out = 0;
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    if (line == NULL) {
        return;
    }
    const char *name = dwarf_linesrc(line, NULL, NULL);
    int number;
    if (name != NULL) {
        *file_out = line_absolute(pool, unit_folder(unit), name);
    }
    if (dwarf_lineno(line, &number) == 0 && number > 0) {
        *line_out = (uint32_t)number;
    }
}

const char *line_file(struct strpool *pool, Dwarf_Die *unit, uint64_t index)
{
    Dwarf_Files *files;
    size_t n_files;
    if (dwarf_getsrcfiles(unit, &files, &n_files) != 0 || index >= n_files) {
        return "";
    }
    const char *name = dwarf_filesrc(files, index, NULL, NULL);
    return name == NULL ? "" : line_absolute(pool, unit_folder(unit), name);
}
