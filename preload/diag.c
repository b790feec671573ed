/* SPDX-License-Identifier: MIT */
/* How the shim says something: one write, so that lines of several processes do not mix. */
#include "preload/diag.h"

#include <string.h>

#include "preload/syscalls.h"

void diag_line(const char *text)
{
    static const char prefix[] = "heapwise: ";
    char line[512];
    size_t n_text = strlen(text);
    const size_t n_prefix = sizeof prefix - 1;
    if (n_text > sizeof line - n_prefix - 1)
        n_text = sizeof line - n_prefix - 1;
    memcpy(line, prefix, n_prefix);
    memcpy(line + n_prefix, text, n_text);
    line[n_prefix + n_text] = '\n';
    arch_syscall(SYS_write, 2, line, n_prefix + n_text + 1);
}
