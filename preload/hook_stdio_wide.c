/* SPDX-License-Identifier: MIT */
/* Hooks of the functions that read and write wide characters; what they transfer are bytes all the same. */
#include "preload/stdio_hook.h"

STDIO_HOOK(wint_t, fputwc, (wchar_t character, FILE *stream), stream, (character, stream))
STDIO_HOOK(wint_t, fputwc_unlocked, (wchar_t character, FILE *stream), stream, (character, stream))
STDIO_HOOK(wint_t, putwc, (wchar_t character, FILE *stream), stream, (character, stream))
STDIO_HOOK(wint_t, putwc_unlocked, (wchar_t character, FILE *stream), stream, (character, stream))
STDIO_HOOK(wint_t, putwchar, (wchar_t character), stdout, (character))
STDIO_HOOK(wint_t, putwchar_unlocked, (wchar_t character), stdout, (character))
STDIO_HOOK(int, fputws, (const wchar_t *text, FILE *stream), stream, (text, stream))
STDIO_HOOK(int, fputws_unlocked, (const wchar_t *text, FILE *stream), stream, (text, stream))
STDIO_HOOK(wint_t, __woverflow, (FILE * stream, wint_t character), stream, (stream, character))

STDIO_HOOK(wint_t, fgetwc, (FILE * stream), stream, (stream))
STDIO_HOOK(wint_t, fgetwc_unlocked, (FILE * stream), stream, (stream))
STDIO_SAME(wint_t, getwc, fgetwc, (FILE *))
STDIO_SAME(wint_t, getwc_unlocked, fgetwc_unlocked, (FILE *))
STDIO_HOOK(wint_t, getwchar, (void), stdin, ())
STDIO_HOOK(wint_t, getwchar_unlocked, (void), stdin, ())
STDIO_HOOK(wchar_t *, fgetws, (wchar_t * text, int n, FILE *stream), stream, (text, n, stream))
STDIO_HOOK(wchar_t *, fgetws_unlocked, (wchar_t * text, int n, FILE *stream), stream,
           (text, n, stream))
STDIO_HOOK(wchar_t *, __fgetws_chk, (wchar_t * text, size_t room, int n, FILE *stream), stream,
           (text, room, n, stream))
STDIO_HOOK(wchar_t *, __fgetws_unlocked_chk, (wchar_t * text, size_t room, int n, FILE *stream),
           stream, (text, room, n, stream))
STDIO_HOOK(wint_t, __wuflow, (FILE * stream), stream, (stream))
STDIO_HOOK(wint_t, __wunderflow, (FILE * stream), stream, (stream))
STDIO_HOOK(wint_t, ungetwc, (wint_t character, FILE *stream), stream, (character, stream))

STDIO_FORMAT(wprintf, real.vwprintf, (const wchar_t *format, ...), stdout, format, (format, values))
STDIO_FORMAT(fwprintf, real.vfwprintf, (FILE * stream, const wchar_t *format, ...), stream, format,
             (stream, format, values))
STDIO_HOOK(int, vwprintf, (const wchar_t *format, va_list values), stdout, (format, values))
STDIO_HOOK(int, vfwprintf, (FILE * stream, const wchar_t *format, va_list values), stream,
           (stream, format, values))
STDIO_FORMAT(__wprintf_chk, real.__vwprintf_chk, (int level, const wchar_t *format, ...), stdout,
             format, (level, format, values))
STDIO_FORMAT(__fwprintf_chk, real.__vfwprintf_chk,
             (FILE * stream, int level, const wchar_t *format, ...), stream, format,
             (stream, level, format, values))
STDIO_HOOK(int, __vwprintf_chk, (int level, const wchar_t *format, va_list values), stdout,
           (level, format, values))
STDIO_HOOK(int, __vfwprintf_chk, (FILE * stream, int level, const wchar_t *format, va_list values),
           stream, (stream, level, format, values))
