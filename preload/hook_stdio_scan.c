/* SPDX-License-Identifier: MIT */
/* Hooks of the scanf family, of bytes and of wide characters: three sets, since %a changed its meaning in C99 and
 * %i in C23. Headers give the plain names to the newer sets; here the symbol counts. */
#include "preload/stdio_hook.h"

/* Of glibc 2.38; without it nothing that calls it can have been linked. */
static int scan_c23(FILE *stream, const char *format, va_list values)
{
    return (real.__isoc23_vfscanf ? real.__isoc23_vfscanf : real.__isoc99_vfscanf)(stream, format,
                                                                                   values);
}

static int scan_wide_c23(FILE *stream, const wchar_t *format, va_list values)
{
    return (real.__isoc23_vfwscanf ? real.__isoc23_vfwscanf
                                   : real.__isoc99_vfwscanf)(stream, format, values);
}

/* The four of a set and a width: scanf, fscanf, vscanf, vfscanf. */
#define SCAN_SET(set, callee, character, scan, fscan, vscan, vfscan)                               \
    STDIO_FORMAT_AS(set##_##scan, scan, callee, (const character *format, ...), stdin, format,     \
                    (stdin, format, values))                                                       \
    STDIO_FORMAT_AS(set##_##fscan, fscan, callee, (FILE * stream, const character *format, ...),   \
                    stream, format, (stream, format, values))                                      \
    STDIO_HOOK_AS(int, set##_##vscan, vscan, callee, (const character *format, va_list values),    \
                  stdin, (stdin, format, values))                                                  \
    STDIO_HOOK_AS(int, set##_##vfscan, vfscan, callee,                                             \
                  (FILE * stream, const character *format, va_list values), stream,                \
                  (stream, format, values))

SCAN_SET(gnu, real.vfscanf, char, scanf, fscanf, vscanf, vfscanf)
SCAN_SET(gnu, real.vfwscanf, wchar_t, wscanf, fwscanf, vwscanf, vfwscanf)
SCAN_SET(c99, real.__isoc99_vfscanf, char, __isoc99_scanf, __isoc99_fscanf, __isoc99_vscanf,
         __isoc99_vfscanf)
SCAN_SET(c99, real.__isoc99_vfwscanf, wchar_t, __isoc99_wscanf, __isoc99_fwscanf, __isoc99_vwscanf,
         __isoc99_vfwscanf)
SCAN_SET(c23, scan_c23, char, __isoc23_scanf, __isoc23_fscanf, __isoc23_vscanf, __isoc23_vfscanf)
SCAN_SET(c23, scan_wide_c23, wchar_t, __isoc23_wscanf, __isoc23_fwscanf, __isoc23_vwscanf,
         __isoc23_vfwscanf)
STDIO_SAME(int, __vfscanf, vfscanf, (FILE *, const char *, va_list))
