/* SPDX-License-Identifier: MIT */
/* 2000 jumps out of a recursion 10 deep, from below a block's allocation: 2000 blocks of 56 bytes, freed
 * by the place the jump lands in; then 1000 more blocks whose stacks must not show the frames that were left. */
#include "victim.h"

#include <setjmp.h>

static jmp_buf landing;
static void *block;

SITE static void jump_out(int depth)
{
    if (depth > 0)
        jump_out(depth - 1);
    block = malloc(56);
    if (block)
        longjmp(landing, 1);
}

SITE static void after_jump(void)
{
    free(malloc(57));
}

int main(void)
{
    for (volatile int i = 0; i < 2000; i++) {
        if (setjmp(landing) == 0)
            jump_out(10);
        free(block);
        if (i % 2)
            after_jump();
    }
    expect_freed("jump_out", 2000, 2000 * 56);
    expect_freed("after_jump", 1000, 57000);
    return 0;
}
