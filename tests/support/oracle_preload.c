/* SPDX-License-Identifier: MIT */
/* The oracle inside any program: preloaded, it holds the stack of every ORACLE_EVERY'th allocation
 * against libunwind and writes what it found to ORACLE_OUT.<pid> at the end of the process.
 *
 * Its own copies of the shim's unwinders are used; no session is needed. */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/oracle.h"

void *__libc_malloc(size_t n_bytes);

static unsigned long every;
static __thread unsigned long n_until __attribute__((tls_model("initial-exec")));
static __thread int is_busy __attribute__((tls_model("initial-exec")));

static int read_unloads(struct dl_phdr_info *info, size_t n_bytes, void *unloads_out)
{
    (void)n_bytes;
    *(unsigned long long *)unloads_out = info->dlpi_subs;
    return 1; /* one entry tells it */
}

static void notice_unloads(void)
{
    static unsigned long long seen;
    unsigned long long unloads = 0;
    dl_iterate_phdr(read_unloads, &unloads);
    if (unloads != seen)
        oracle_new_generation();
    seen = unloads;
}

static void check(const struct arch_frame *caller)
{
    is_busy = 1;
    notice_unloads();
    oracle_check(caller, "malloc");
    is_busy = 0;
}

void *malloc(size_t n_bytes)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    if (every && !is_busy && n_until-- == 0) {
        n_until = every - 1;
        check(&caller);
    }
    return __libc_malloc(n_bytes);
}

__attribute__((constructor)) static void open_oracle(void)
{
    const char *const setting = getenv("ORACLE_EVERY");
    is_busy = 1;
    if (setting && oracle_open())
        every = strtoul(setting, NULL, 10);
    is_busy = 0;
}

__attribute__((destructor)) static void tell(void)
{
    char path[4096];
    const struct oracle_counts counts = oracle_counts();
    const char *const name = getenv("ORACLE_OUT");
    every = 0;
    if (!name || counts.n_checks == 0)
        return;
    snprintf(path, sizeof path, "%s.%d", name, (int)getpid());
    FILE *const file = fopen(path, "w");
    if (!file)
        return;
    fprintf(file, "%zu %zu %zu %zu %zu\n%s", counts.n_checks, counts.n_wrong, counts.n_unusual,
            counts.n_by_steps, counts.n_frames, counts.first);
    fclose(file);
}
