/* SPDX-License-Identifier: MIT */
/* Where the host's description comes from: uname(2), confstr-like glibc calls, CPUID. /proc/cpuinfo
 * is not read: the kernel takes milliseconds to print it on large machines. */
#include "collector/host.h"

#include <cpuid.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Intel SDM vol. 2, CPUID: leaves 0x80000002 to 0x80000004 spell the brand string. */
static void describe_cpu(char cpu[static 128])
{
    unsigned words[13] = {0};
    if (__get_cpuid_max(0x80000000, NULL) < 0x80000004)
        return;
    for (unsigned i = 0; i < 3; i++)
        __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2],
                    &words[4 * i + 3]);
    const char *brand = (const char *)words;
    while (*brand == ' ')
        brand++;
    snprintf(cpu, 128, "%s", brand);
}

void host_describe(struct host *host_out)
{
    struct utsname name;
    const long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    *host_out = (struct host){
        .n_cores = n_cores > 0 ? (uint32_t)n_cores : 1,
        .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
    };
    if (uname(&name) == 0)
        snprintf(host_out->kernel, sizeof host_out->kernel, "%s", name.release);
    snprintf(host_out->libc, sizeof host_out->libc, "glibc %s", gnu_get_libc_version());
    describe_cpu(host_out->cpu);
}

uint32_t host_count_filters(void)
{
    char line[256];
    unsigned n = 0;
    FILE *const status = fopen("/proc/self/status", "re");
    while (status && n == 0 && fgets(line, sizeof line, status))
        sscanf(line, "Seccomp_filters: %u", &n);
    if (status)
        fclose(status);
    return n;
}
