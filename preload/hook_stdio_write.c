/* SPDX-License-Identifier: MIT */
/* Hooks of the functions that write bytes to a stream. putc_unlocked and its like are inlined into programs
 * and call only once the buffer is full, __overflow then. */
#include "preload/stdio_hook.h"

STDIO_HOOK(size_t, fwrite, (const void *bytes, size_t size, size_t n, FILE *stream), stream,
           (bytes, size, n, stream))
STDIO_SAME(size_t, _IO_fwrite, fwrite, (const void *, size_t, size_t, FILE *))
STDIO_HOOK(size_t, fwrite_unlocked, (const void *bytes, size_t size, size_t n, FILE *stream),
           stream, (bytes, size, n, stream))
STDIO_HOOK(int, fputs, (const char *text, FILE *stream), stream, (text, stream))
STDIO_SAME(int, _IO_fputs, fputs, (const char *, FILE *))
STDIO_HOOK(int, fputs_unlocked, (const char *text, FILE *stream), stream, (text, stream))
STDIO_HOOK(int, puts, (const char *text), stdout, (text))
STDIO_SAME(int, _IO_puts, puts, (const char *))
STDIO_HOOK(int, fputc, (int byte, FILE *stream), stream, (byte, stream))
STDIO_HOOK(int, fputc_unlocked, (int byte, FILE *stream), stream, (byte, stream))
STDIO_HOOK(int, putc, (int byte, FILE *stream), stream, (byte, stream))
STDIO_SAME(int, _IO_putc, putc, (int, FILE *))
STDIO_HOOK(int, putc_unlocked, (int byte, FILE *stream), stream, (byte, stream))
STDIO_HOOK(int, putchar, (int byte), stdout, (byte))
STDIO_HOOK(int, putchar_unlocked, (int byte), stdout, (byte))
STDIO_HOOK(int, putw, (int word, FILE *stream), stream, (word, stream))
STDIO_HOOK(int, __overflow, (FILE * stream, int byte), stream, (stream, byte))
