/* SPDX-License-Identifier: MIT */
/* Loads two libraries in turn, 200 times each, at (usually) the same address; each allocates 2 blocks of its
 * own size per visit, freed after it is gone. 400 blocks of 61 bytes by plugin_one, 400 of 62 by
 * plugin_two; none may be charged to the other. */
#include "victim.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>

static int visit(const char *folder, const char *name, size_t size)
{
    char path[PATH_MAX];
    void *library, *blocks[2];
    void *(*allocate)(size_t);

    snprintf(path, sizeof path, "%s/lib%s.so", folder, name);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return -1;
    *(void **)&allocate = dlsym(library, name);
    for (int i = 0; i < 2; i++)
        blocks[i] = allocate(size);
    dlclose(library);
    for (int i = 0; i < 2; i++)
        free(blocks[i]);
    return 0;
}

int main(void)
{
    static char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *folder;

    if (n < 0)
        return 1;
    folder = dirname(self);
    for (int i = 0; i < 200; i++)
        if (visit(folder, "plugin_one", 61) || visit(folder, "plugin_two", 62))
            return 2;
    expect_freed("plugin_one", 400, 400 * 61);
    expect_freed("plugin_two", 400, 400 * 62);
    return 0;
}
