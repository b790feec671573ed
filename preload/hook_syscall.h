/* SPDX-License-Identifier: MIT */
/* System calls that a program makes by syscall(2), past libc's functions. */
#ifndef HEAPWISE_PRELOAD_HOOK_SYSCALL_H
#define HEAPWISE_PRELOAD_HOOK_SYSCALL_H

/* Get the function that makes a call of this number in place of syscall(), with the same arguments, and
 * records it; NULL for numbers that do no I/O. */
void *hook_syscall_of(long number);

#endif
