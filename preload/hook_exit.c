/* SPDX-License-Identifier: MIT */
/* Hooks of the exits that run no destructors: the last moment at which the process can say anything. */
#include <stdlib.h>
#include <unistd.h>

#include "preload/kernel_io.h"
#include "preload/real.h"
#include "preload/session.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void _Exit(int status) __attribute__((alias("_exit")));
EXPORT void _exit(int status)
{
    if (!real._exit)
        session_start();
    kernel_io_end();
    real._exit(status);
    __builtin_unreachable();
}

EXPORT void quick_exit(int status)
{
    if (!real.quick_exit)
        session_start();
    kernel_io_end();
    real.quick_exit(status);
    __builtin_unreachable();
}
