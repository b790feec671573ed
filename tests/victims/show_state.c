/* SPDX-License-Identifier: MIT */
/* Prints what a program can notice of its own surroundings: descriptors, signal masks and dispositions, number of
 * threads, umask, limits, folder, arguments and environment (less what a profiler may add: its entry in
 * LD_PRELOAD and one variable of its own). Nothing here may differ with and without a profiler. */
#include "victim.h"

#include <ctype.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern char **environ;

static void show_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        char path[300], target[300];
        ssize_t n;

        if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == dirfd(folder))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%.16s", entry->d_name);
        n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        printf("fd %s %.*s\n", entry->d_name, (int)strcspn(target, ":[#"), target);
    }
    closedir(folder);
}

static void show_status(void)
{
    static const char *const keys[] = {
        "SigPnd:",     "ShdPnd:",  "SigBlk:", "SigIgn:", "SigCgt:", "Threads:",
        "NoNewPrivs:", "Seccomp:", "Umask:",  "CapEff:", "VmLck:"};
    FILE *status = fopen("/proc/self/status", "r");
    char line[4096];

    while (status && fgets(line, sizeof line, status))
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strncmp(line, keys[i], strlen(keys[i])) == 0)
                fputs(line, stdout);
    fclose(status);
}

static void show_environment(int argc, char **argv)
{
    char folder[4096];

    for (int i = 1; i < argc; i++)
        printf("argument %s\n", argv[i]);
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "HEAPWISE_", 9) != 0 && strncmp(*variable, "LD_PRELOAD=", 11) != 0 &&
            strncmp(*variable, "VICTIM_", 7) != 0)
            printf("environment %s\n", *variable);
    printf("folder %s\n", getcwd(folder, sizeof folder));
}

static void show_limits(void)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit = {0, 0};

        getrlimit(i, &limit);
        printf("limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
               (unsigned long long)limit.rlim_max);
    }
}

int main(int argc, char **argv)
{
    free(malloc(10));
    show_descriptors();
    show_status();
    show_limits();
    show_environment(argc, argv);
    return 23;
}
