/* SPDX-License-Identifier: MIT */
/* What dash does for each command: a vfork child allocates before it execs, in the memory that it shares with its
 * parent. 20 blocks of 71 bytes in the parent's heap, made by the child, freed by the parent. */
#include "victim.h"

#include <sys/wait.h>

static void *volatile blocks[20];

SITE static void in_child(void)
{
    for (int i = 0; i < 20; i++)
        blocks[i] = malloc(71);
}

int main(void)
{
    char *arguments[] = {"true", NULL};
    int status = 0;
    pid_t child = vfork();

    if (child == 0) {
        in_child();
        execv("/bin/true", arguments);
        _exit(98);
    }
    if (waitpid(child, &status, 0) != child)
        return 1;
    for (int i = 0; i < 20; i++)
        free(blocks[i]);
    expect_freed("in_child", 20, 20 * 71);
    return status;
}
