/* SPDX-License-Identifier: MIT */
/* What a hook of stdio looks like: one line each, by these.
 *
 *     STDIO_HOOK(int, fputc, (int byte, FILE *stream), stream, (byte, stream))
 *     STDIO_SAME(int, _IO_fputc, fputc, (int byte, FILE *stream))
 *
 * The third argument names the stream among the parameters. Functions with a variable number of arguments are
 * forwarded to those that take a list, as the standard defines the one by the other. All are declared
 * here once more: some are in no header, others under another name. */
#ifndef HEAPWISE_PRELOAD_STDIO_HOOK_H
#define HEAPWISE_PRELOAD_STDIO_HOOK_H

#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include "preload/real.h"
#include "preload/session.h"
#include "preload/stdio_site.h"

/* Here the functions are meant. */
#undef fread_unlocked
#undef fwrite_unlocked

#define STDIO_EXPORT __attribute__((visibility("default")))

/* `c_name` is the symbol `name`; they differ where a header gives the plain name another meaning. `callee` is
 * the real function. */
#define STDIO_HOOK_AS(result_type, c_name, name, callee, parameters, file, arguments)              \
    STDIO_EXPORT result_type c_name parameters __asm__(#name);                                     \
    STDIO_EXPORT result_type c_name parameters                                                     \
    {                                                                                              \
        stdio_enter(file, STDIO_FRAME());                                                          \
        result_type const result = (callee)arguments;                                              \
        stdio_leave(STDIO_FRAME());                                                                \
        return result;                                                                             \
    }
#define STDIO_HOOK(result_type, name, parameters, file, arguments)                                 \
    STDIO_HOOK_AS(result_type, name, name, real.name, parameters, file, arguments)

#define STDIO_VOID_HOOK(name, parameters, file, arguments)                                         \
    STDIO_EXPORT void name parameters;                                                             \
    STDIO_EXPORT void name parameters                                                              \
    {                                                                                              \
        stdio_enter(file, STDIO_FRAME());                                                          \
        real.name arguments;                                                                       \
        stdio_leave(STDIO_FRAME());                                                                \
    }

/* `callee` takes the list `values`; `last` is the last named parameter. */
#define STDIO_FORMAT_AS(c_name, name, callee, parameters, file, last, arguments)                   \
    STDIO_EXPORT int c_name parameters __asm__(#name);                                             \
    STDIO_EXPORT int c_name parameters                                                             \
    {                                                                                              \
        stdio_enter(file, STDIO_FRAME());                                                          \
        va_list values;                                                                            \
        va_start(values, last);                                                                    \
        const int result = (callee)arguments;                                                      \
        va_end(values);                                                                            \
        stdio_leave(STDIO_FRAME());                                                                \
        return result;                                                                             \
    }
#define STDIO_FORMAT(name, callee, parameters, file, last, arguments)                              \
    STDIO_FORMAT_AS(name, name, callee, parameters, file, last, arguments)

/* One function under another name, as in libc. */
#define STDIO_SAME(result_type, name, original, parameters)                                        \
    STDIO_EXPORT result_type name parameters __attribute__((alias(#original)));

#endif
