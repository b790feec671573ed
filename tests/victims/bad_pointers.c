/* SPDX-License-Identifier: MIT */
/* Hands the kernel pointers that lead nowhere, through functions that have a hook: each call fails with EFAULT.
 * Exit status: the number of the first that does not. 2 children. */
#include "victim.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int faults(long result)
{
    return result == -1 && errno == EFAULT;
}

int main(void)
{
    char *const nowhere = (char *)16;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (!faults(waitpid(child, (int *)(void *)nowhere, 0)))
        return 1;
    child = fork();
    if (child == 0)
        _exit(0);
    if (!faults(waitid(P_PID, (id_t)child, (siginfo_t *)(void *)nowhere, WEXITED)))
        return 2;
    if (!faults(prctl(PR_SET_NAME, nowhere)))
        return 3;
    return 0;
}
