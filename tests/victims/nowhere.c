/* SPDX-License-Identifier: MIT */
/* Calls a function at an address where nothing is, and allocates 1 block of 77 bytes in its SIGSEGV handler, as programs
 * do that print why they crashed. Exit status 3. */
#include "victim.h"

#include <signal.h>

static void *volatile block;

SITE static void handle(int number)
{
    (void)number;
    expect("handle", "alloc_count", 1);
    expect("handle", "alloc_bytes", 77);
    block = malloc(77);
    _exit(3);
}

int main(void)
{
    void (*volatile function)(void) = (void (*)(void))0x123456;

    signal(SIGSEGV, handle);
    function();
    return 0;
}
