/* SPDX-License-Identifier: MIT */
/* Hooks of the printf family of bytes. `level` is what the compiler gives the fortified forms. */
#include "preload/stdio_hook.h"

#include "preload/io_call.h"
#include "preload/stdio_transfer.h"

STDIO_FORMAT(printf, real.vprintf, (const char *format, ...), stdout, format, (format, values))
STDIO_SAME(int, _IO_printf, printf, (const char *, ...))
STDIO_FORMAT(fprintf, real.vfprintf, (FILE * stream, const char *format, ...), stream, format,
             (stream, format, values))
STDIO_SAME(int, _IO_fprintf, fprintf, (FILE *, const char *, ...))
STDIO_HOOK(int, vprintf, (const char *format, va_list values), stdout, (format, values))
STDIO_HOOK(int, vfprintf, (FILE * stream, const char *format, va_list values), stream,
           (stream, format, values))
STDIO_SAME(int, _IO_vfprintf, vfprintf, (FILE *, const char *, va_list))

STDIO_FORMAT(__printf_chk, real.__vprintf_chk, (int level, const char *format, ...), stdout, format,
             (level, format, values))
STDIO_FORMAT(__fprintf_chk, real.__vfprintf_chk,
             (FILE * stream, int level, const char *format, ...), stream, format,
             (stream, level, format, values))
STDIO_HOOK(int, __vprintf_chk, (int level, const char *format, va_list values), stdout,
           (level, format, values))
STDIO_HOOK(int, __vfprintf_chk, (FILE * stream, int level, const char *format, va_list values),
           stream, (stream, level, format, values))

/* ---- to a descriptor: by a stream of the moment, since glibc 2.37 by none ---- */

enum { PLAIN = -1 };

/* What passed no stream is recorded as one write; how many there were, one per buffer, is libc's secret. */
static int print_to(int fd, int level, const char *format, va_list values,
                    const struct arch_frame *caller)
{
    const uintptr_t frame = caller->sp - 2 * sizeof(uintptr_t);
    stdio_enter(NULL, frame);
    const uint64_t began = io_begin_on(fd);
    const int n = level == PLAIN ? real.vdprintf(fd, format, values)
                                 : real.__vdprintf_chk(fd, level, format, values);
    if (n > 0 && began && stdio_thread.n_unlisted) {
        const struct event_io io = {.op = IO_WRITE,
                                    .fd = fd,
                                    .requested_bytes = (uint64_t)n,
                                    .result = n,
                                    .detail = 1,
                                    .began = began};
        stdio_transfer_record(&io, caller);
    }
    stdio_leave(frame);
    return n;
}

STDIO_EXPORT int dprintf(int fd, const char *format, ...)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    va_list values;
    va_start(values, format);
    const int n = print_to(fd, PLAIN, format, values, &caller);
    va_end(values);
    return n;
}

STDIO_EXPORT int vdprintf(int fd, const char *format, va_list values)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    return print_to(fd, PLAIN, format, values, &caller);
}

STDIO_EXPORT int __dprintf_chk(int fd, int level, const char *format, ...);
STDIO_EXPORT int __dprintf_chk(int fd, int level, const char *format, ...)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    va_list values;
    va_start(values, format);
    const int n = print_to(fd, level, format, values, &caller);
    va_end(values);
    return n;
}

STDIO_EXPORT int __vdprintf_chk(int fd, int level, const char *format, va_list values);
STDIO_EXPORT int __vdprintf_chk(int fd, int level, const char *format, va_list values)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    return print_to(fd, level, format, values, &caller);
}
