/* SPDX-License-Identifier: MIT */
/* Hooks of the functions that flush, place and buffer a stream: what they write and where they seek is their
 * caller's doing. */
#include "preload/stdio_hook.h"

STDIO_HOOK(int, fflush, (FILE * stream), stream, (stream))
STDIO_SAME(int, _IO_fflush, fflush, (FILE *))
STDIO_HOOK(int, fflush_unlocked, (FILE * stream), stream, (stream))
STDIO_HOOK(int, setvbuf, (FILE * stream, char *buffer, int mode, size_t n_bytes), stream,
           (stream, buffer, mode, n_bytes))
STDIO_SAME(int, _IO_setvbuf, setvbuf, (FILE *, char *, int, size_t))
STDIO_VOID_HOOK(setbuf, (FILE * stream, char *buffer), stream, (stream, buffer))
STDIO_VOID_HOOK(setbuffer, (FILE * stream, char *buffer, size_t n_bytes), stream,
                (stream, buffer, n_bytes))
STDIO_SAME(void, _IO_setbuffer, setbuffer, (FILE *, char *, size_t))
STDIO_VOID_HOOK(setlinebuf, (FILE * stream), stream, (stream))

STDIO_HOOK(int, fseek, (FILE * stream, long offset, int whence), stream, (stream, offset, whence))
STDIO_HOOK(int, fseeko, (FILE * stream, off_t offset, int whence), stream, (stream, offset, whence))
STDIO_SAME(int, fseeko64, fseeko, (FILE *, off64_t, int))
STDIO_VOID_HOOK(rewind, (FILE * stream), stream, (stream))
STDIO_HOOK(int, fsetpos, (FILE * stream, const fpos_t *position), stream, (stream, position))
STDIO_SAME(int, fsetpos64, fsetpos, (FILE *, const fpos64_t *))
STDIO_SAME(int, _IO_fsetpos, fsetpos, (FILE *, const fpos_t *))
STDIO_SAME(int, _IO_fsetpos64, fsetpos, (FILE *, const fpos64_t *))

STDIO_HOOK(long, ftell, (FILE * stream), stream, (stream))
STDIO_SAME(long, _IO_ftell, ftell, (FILE *))
STDIO_HOOK(off_t, ftello, (FILE * stream), stream, (stream))
STDIO_SAME(off64_t, ftello64, ftello, (FILE *))
STDIO_HOOK(int, fgetpos, (FILE * stream, fpos_t *position), stream, (stream, position))
STDIO_SAME(int, fgetpos64, fgetpos, (FILE *, fpos64_t *))
STDIO_SAME(int, _IO_fgetpos, fgetpos, (FILE *, fpos_t *))
STDIO_SAME(int, _IO_fgetpos64, fgetpos, (FILE *, fpos64_t *))
