/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/shim_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/heapwise-shim-XXXXXX";

/* Copy this program to folder/`place`/program and a shim to folder/`shim`, then let the copy look for it:
 * it exits with 0 when all is as it should be (see look()). */
static int status_of_copy(const char *place, const char *shim)
{
    char command[2048];
    char self[1024] = "";
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(command, sizeof command,
             "cd %s && rm -rf ./* && mkdir -p \"%s\" \"$(dirname \"%s\")\" && "
             "cp '%s' \"%s/program\" && echo x >\"%s\" && exec \"%s/program\" look",
             folder, place, shim, self, place, shim, place);
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int look(void)
{
    struct shim_path found;
    const int error = shim_path_find(false, &found);
    if (error)
        return -error;
    const int faults = (access(found.path, R_OK) != 0) + (strpbrk(found.path, " :") != NULL);
    const int linked = found.folder[0] != 0;
    struct stat status;
    if (linked && (stat(found.folder, &status) || (status.st_mode & 0777) != 0711))
        return 102;
    shim_path_remove(&found);
    if (linked && access(found.folder, F_OK) == 0)
        return 101;
    return faults ? 100 : linked ? 99 : 0;
}

static void the_shim_is_found_beside_the_program(void **state)
{
    static const struct {
        const char *place, *shim;
        int status;
    } rows[] = {
        {"build/cli", "build/preload/libheapwise-preload.so", 0},
        {"bin", "bin/libheapwise-preload.so", 0},
        {"prefix/bin", "prefix/lib/heapwise/libheapwise-preload.so", 0},
        {"prefix/bin", "prefix/lib/x86_64-linux-gnu/heapwise/libheapwise-preload.so", 0},
        {"prefix/bin", "prefix/bin/" HEAPWISE_SHIM_PLACE "/libheapwise-preload.so", 0},
        {"prefix/bin", "elsewhere/libheapwise-preload.so", ENOENT},
        {"a b/bin", "a b/bin/libheapwise-preload.so", 99}, /* through a link */
        {"a:b/bin", "a:b/lib/heapwise/libheapwise-preload.so", 99},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(status_of_copy(rows[i].place, rows[i].shim), rows[i].status);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "look") == 0)
        return look();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_shim_is_found_beside_the_program)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
