/* SPDX-License-Identifier: MIT */
/* 500 blocks of 40 bytes, each from below a recursion of 100 frames: with `--depth 32` every stack is cut, and
 * counted as cut, and the counts stay exact. */
#include "victim.h"

SITE static void descend(int depth)
{
    if (depth > 0)
        descend(depth - 1);
    else
        free(malloc(40));
}

int main(void)
{
    for (int i = 0; i < 500; i++)
        descend(100);
    expect_freed("descend", 500, 20000);
    return 0;
}
