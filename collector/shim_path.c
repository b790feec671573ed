/* SPDX-License-Identifier: MIT */
/* How the shim is found: by places relative to /proc/self/exe, so that an installation can be moved. */
#include "collector/shim_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char shim_name[] = "libheapwise-preload.so";

/* From the folder of the program. */
static const char *const places[] = {
    "../preload",        /* build tree */
    "preload",           /* build tree, program in its root */
    ".",                 /* all in one folder */
    HEAPWISE_SHIM_PLACE, /* installed, as configured */
    "../lib/heapwise",   /* installed, and moved into another layout */
    "../lib/x86_64-linux-gnu/heapwise",
    "../lib64/heapwise",
};

/* Resolve `folder`/`place`/shim into path. */
static bool shim_in(const char *folder, const char *place, char path[static 4096])
{
    char joined[8192];
    char resolved[4096];
    snprintf(joined, sizeof joined, "%s/%s/%s", folder, place, shim_name);
    if (access(joined, R_OK) || !realpath(joined, resolved))
        return false;
    strcpy(path, resolved);
    return true;
}

static int make_link(bool for_others, struct shim_path *found)
{
    const char *const runtime = for_others ? NULL : getenv("XDG_RUNTIME_DIR"); /* is ours alone */
    const char *const roots[] = {runtime && *runtime == '/' ? runtime : "/tmp", "/tmp", "/dev/shm"};
    char link_path[4096];
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        if (strlen(roots[i]) > 1024 || strpbrk(roots[i], " :"))
            continue;
        snprintf(found->folder, sizeof found->folder, "%s/heapwise-XXXXXX", roots[i]);
        if (!mkdtemp(found->folder))
            continue;
        snprintf(link_path, sizeof link_path, "%.2048s/%s", found->folder, shim_name);
        /* Another user may pass, should the program become one: the shim's own mode decides. */
        if (symlink(found->path, link_path) == 0 && chmod(found->folder, 0711) == 0) {
            strcpy(found->path, link_path);
            return 0;
        }
        unlink(link_path);
        rmdir(found->folder);
    }
    found->folder[0] = 0;
    return -EACCES;
}

int shim_path_find(bool for_others, struct shim_path *found_out)
{
    struct shim_path found = {.folder = ""};
    char folder[4096];
    const ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n <= 0)
        return -ENOENT;
    folder[n] = 0;
    *strrchr(folder, '/') = 0;
    size_t i = 0;
    while (i < sizeof places / sizeof *places && !shim_in(folder, places[i], found.path))
        i++;
    if (i == sizeof places / sizeof *places)
        return -ENOENT;
    const int error = strpbrk(found.path, " :\t\n") ? make_link(for_others, &found) : 0;
    if (error == 0)
        *found_out = found;
    return error;
}

void shim_path_remove(const struct shim_path *found)
{
    if (!found->folder[0])
        return;
    unlink(found->path);
    rmdir(found->folder);
}
