/* SPDX-License-Identifier: MIT */
/* Eight functions of libc called for the first time, so that the loader looks for each, and a handler that allocates and
 * frees a block of 61 bytes at every instruction on the way: from the linkage table through the loader into the
 * function and back, some 11,600 of them. Each function twice, as what the loader wrote into the table is undone
 * between. Main allocates and frees 8 blocks of 62 bytes. Every stack is whole. Linked lazily. */
#include "victim.h"

#include <ctype.h>
#include <link.h>
#include <signal.h>
#include <strings.h>

enum { ROUNDS = 2, PAIRS = 8, RESERVED_SLOTS = 3, MAX_SLOTS = 256 };

static volatile uint64_t n_steps;
static uintptr_t unbound[MAX_SLOTS];

SITE static void at_step(int number)
{
    (void)number;
    free(malloc(61));
    n_steps++;
}

#define STEP_THROUGH(call)                                                                         \
    do {                                                                                           \
        __asm__ volatile("pushf; orq $0x100, (%%rsp); popf" : : : "memory", "cc");                 \
        call;                                                                                      \
        __asm__ volatile("pushf; andq $~0x100, (%%rsp); popf" : : : "memory", "cc");               \
    } while (0)

SITE static long bind_all(void)
{
    long sum = 0;
    STEP_THROUGH(sum += abs(-1));
    STEP_THROUGH(sum += labs(-1));
    STEP_THROUGH(sum += toupper('a'));
    STEP_THROUGH(sum += ffs(8));
    STEP_THROUGH(sum += atoi("8"));
    STEP_THROUGH(sum += strtol("8", NULL, 10));
    STEP_THROUGH(sum += (long)strnlen("four", 8));
    STEP_THROUGH(sum += (long)strspn("four", "of"));
    return sum;
}

SITE static void in_main(void)
{
    for (int i = 0; i < PAIRS; i++)
        free(malloc(62));
}

/* Of an entry of our own dynamic section; ld.so has made its pointers absolute. */
static uintptr_t dynamic_value(ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return entry->d_un.d_val;
    return 0;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = at_step};
    const size_t n_slots = dynamic_value(DT_PLTRELSZ) / sizeof(ElfW(Rela));
    uintptr_t *const slots = (uintptr_t *)dynamic_value(DT_PLTGOT) + RESERVED_SLOTS;

    in_main(); /* so that what the handler calls is bound */
    if (n_slots == 0 || n_slots > MAX_SLOTS)
        return 1;
    memcpy(unbound, slots, n_slots * sizeof *slots);
    sigaction(SIGTRAP, &action, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(slots, unbound, n_slots * sizeof *slots);
        bind_all();
    }
    expect_freed("at_step", n_steps, n_steps * 61);
    expect_freed("in_main", PAIRS, PAIRS * 62);
    return 0;
}
