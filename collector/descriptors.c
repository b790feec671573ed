/* SPDX-License-Identifier: MIT */
/* How descriptors are dropped: close_range over the gaps between those to keep. */
#include "collector/descriptors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int compare_fds(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

void descriptors_close_others(int *keep, size_t n)
{
    if (n)
        qsort(keep, n, sizeof *keep, compare_fds);
    unsigned first = 3;
    for (size_t i = 0; i < n; i++) {
        if (keep[i] < (int)first)
            continue;
        if (keep[i] > (int)first)
            close_range(first, (unsigned)keep[i] - 1, 0);
        first = (unsigned)keep[i] + 1;
    }
    close_range(first, ~0U, 0);
}

void descriptors_fill_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void descriptors_to_null(int fd)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        close(fd);
    if (null < 0 || null == fd)
        return;
    dup2(null, fd);
    close(null);
}
