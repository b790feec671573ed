/* SPDX-License-Identifier: MIT */
/* Opens a library with RTLD_DEEPBIND: its malloc is libc's own, past any preloaded one. 100 blocks of 63 bytes
 * made there and freed here, and 100 of 64 bytes made here. A profiler sees the first or says that it does not. */
#include "victim.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>

SITE static void *in_main(void)
{
    return malloc(64);
}

int main(void)
{
    static char self[PATH_MAX], path[2 * PATH_MAX];
    void *library;
    void *(*allocate)(size_t);

    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    snprintf(path, sizeof path, "%s/libplugin_one.so", dirname(self));
    library = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    if (!library)
        return 2;
    *(void **)&allocate = dlsym(library, "plugin_one");
    for (int i = 0; i < 100; i++) {
        free(allocate(63));
        free(in_main());
    }
    expect_freed("in_main", 100, 6400);
    expect_row("", "unknown_frees", AT_LEAST); /* how many depends on what is seen */
    return 0;
}
