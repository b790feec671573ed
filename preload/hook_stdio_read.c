/* SPDX-License-Identifier: MIT */
/* Hooks of the functions that read bytes from a stream. getc_unlocked and its like are inlined into programs
 * and call only once the buffer is empty, __uflow then; getline becomes __getdelim. */
#include "preload/stdio_hook.h"

STDIO_HOOK(size_t, fread, (void *bytes, size_t size, size_t n, FILE *stream), stream,
           (bytes, size, n, stream))
STDIO_SAME(size_t, _IO_fread, fread, (void *, size_t, size_t, FILE *))
STDIO_HOOK(size_t, fread_unlocked, (void *bytes, size_t size, size_t n, FILE *stream), stream,
           (bytes, size, n, stream))
STDIO_HOOK(size_t, __fread_chk, (void *bytes, size_t room, size_t size, size_t n, FILE *stream),
           stream, (bytes, room, size, n, stream))
STDIO_HOOK(size_t, __fread_unlocked_chk,
           (void *bytes, size_t room, size_t size, size_t n, FILE *stream), stream,
           (bytes, room, size, n, stream))
STDIO_HOOK(char *, fgets, (char *text, int n, FILE *stream), stream, (text, n, stream))
STDIO_SAME(char *, _IO_fgets, fgets, (char *, int, FILE *))
STDIO_HOOK(char *, fgets_unlocked, (char *text, int n, FILE *stream), stream, (text, n, stream))
STDIO_HOOK(char *, __fgets_chk, (char *text, size_t room, int n, FILE *stream), stream,
           (text, room, n, stream))
STDIO_HOOK(char *, __fgets_unlocked_chk, (char *text, size_t room, int n, FILE *stream), stream,
           (text, room, n, stream))
STDIO_HOOK(char *, gets, (char *text), stdin, (text))
STDIO_SAME(char *, _IO_gets, gets, (char *))
STDIO_HOOK(char *, __gets_chk, (char *text, size_t room), stdin, (text, room))
STDIO_HOOK(int, fgetc, (FILE * stream), stream, (stream))
STDIO_HOOK(int, fgetc_unlocked, (FILE * stream), stream, (stream))
STDIO_HOOK(int, getc, (FILE * stream), stream, (stream))
STDIO_SAME(int, _IO_getc, getc, (FILE *))
STDIO_HOOK(int, getc_unlocked, (FILE * stream), stream, (stream))
STDIO_HOOK(int, getchar, (void), stdin, ())
STDIO_HOOK(int, getchar_unlocked, (void), stdin, ())
STDIO_HOOK(int, getw, (FILE * stream), stream, (stream))
STDIO_HOOK(ssize_t, getline, (char **line, size_t *n, FILE *stream), stream, (line, n, stream))
STDIO_HOOK(ssize_t, getdelim, (char **line, size_t *n, int delimiter, FILE *stream), stream,
           (line, n, delimiter, stream))
STDIO_SAME(ssize_t, __getdelim, getdelim, (char **, size_t *, int, FILE *))
STDIO_HOOK(int, __uflow, (FILE * stream), stream, (stream))
STDIO_HOOK(int, __underflow, (FILE * stream), stream, (stream))
STDIO_HOOK(int, ungetc, (int byte, FILE *stream), stream, (byte, stream))
STDIO_SAME(int, _IO_ungetc, ungetc, (int, FILE *))
