/* SPDX-License-Identifier: MIT */
/* 1000 signals handled on a signal stack, each handler allocating and freeing 1 block of 65 bytes (the signal is
 * raised outside malloc, where that is allowed); between two of them main allocates 1 of 66. */
#include "victim.h"

#include <signal.h>

static char stack_bytes[64 * 1024];

SITE static void in_handler(int number)
{
    (void)number;
    free(malloc(65));
}

SITE static void in_main(void)
{
    free(malloc(66));
}

int main(void)
{
    const stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes};
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = SA_ONSTACK};

    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
        return 1;
    for (int i = 0; i < 1000; i++) {
        raise(SIGUSR1);
        in_main();
    }
    expect_freed("in_handler", 1000, 65000);
    expect_freed("in_main", 1000, 66000);
    return 0;
}
