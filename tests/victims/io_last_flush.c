/* SPDX-License-Identifier: MIT */
/* 1000 lines of 12 bytes to standard output, which is no terminal: two full buffers by the function that prints, and the rest when
 * the program has ended, charged to the last one that wrote. */
#include "io_victim.h"

SITE static void prints(void)
{
    for (int i = 0; i < 999; i++)
        printf("line %06d\n", i);
}

SITE static void prints_last(void)
{
    printf("line %06d\n", 999);
}

int main(void)
{
    prints();
    prints_last();
    expect_io("prints", "stdio.write", 2, 2 * 4096);
    expect_io("prints_last", "stdio.write", 1, 12000 - 2 * 4096);
    return 0;
}
