/* SPDX-License-Identifier: MIT */
/* Hooks of the functions that make and end streams. A descriptor made for one is recorded like any other, after
 * it is there; its closing is seen in the stream's table (stdio_transfer.c), after the last flush.
 * Streams in memory (fmemopen, open_memstream) and of the program's own making are none of ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "preload/io_call.h"
#include "preload/stdio_hook.h"
#include "preload/stdio_transfer.h"

/* A call that opens something: where, and since when. */
struct opening {
    uintptr_t frame; /* of the hook */
    uint64_t began;
};

static struct opening begin(const FILE *file, const struct arch_frame *caller)
{
    const uintptr_t frame = caller->sp - 2 * sizeof(uintptr_t);
    stdio_enter(file, frame);
    stdio_opening_begin();
    return (struct opening){.frame = frame, .began = io_begin()};
}

static void end(const struct opening *opening, const FILE *stream)
{
    stdio_opening_end(stream);
    stdio_leave(opening->frame);
}

static void record_path(enum io_op op, const struct opening *opening, const FILE *stream,
                        const char *path, const struct arch_frame *caller)
{
    const struct event_path_call call = {.op = op,
                                         .folder_fd = AT_FDCWD,
                                         .result = stream ? stream->_fileno : -errno,
                                         .path = path,
                                         .began = opening->began};
    if (opening->began)
        io_record_path(&call, caller);
}

/* Tell whether libc got as far as asking the kernel. */
static bool was_tried(const FILE *stream, const char *mode)
{
    return stream || errno != EINVAL || strchr("rwa", mode[0]);
}

STDIO_EXPORT FILE *fopen(const char *path, const char *mode)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct opening opening = begin(NULL, &caller);
    FILE *const stream = real.fopen(path, mode);
    if (was_tried(stream, mode))
        record_path(IO_OPEN, &opening, stream, path, &caller);
    end(&opening, stream);
    return stream;
}
STDIO_SAME(FILE *, fopen64, fopen, (const char *, const char *))
STDIO_SAME(FILE *, _IO_fopen, fopen, (const char *, const char *))

/* The new file has the old one's descriptor, if there was one: it takes its place in one step. Without a path
 * it is the same file again. */
static FILE *reopen(FILE *(**real_reopen)(const char *, const char *, FILE *), const char *path,
                    const char *mode, FILE *stream, const struct arch_frame *caller)
{
    const struct opening opening = begin(stream, caller);
    const int old_fd = stream->_fileno;
    FILE *const opened = (*real_reopen)(path, mode, stream);
    const int error = errno;
    if (opening.began && old_fd >= 0)
        io_record_closing((uint32_t)old_fd, (uint32_t)old_fd);
    errno = error;
    if (path && was_tried(opened, mode))
        record_path(IO_OPEN, &opening, opened, path, caller);
    end(&opening, opened);
    return opened;
}

STDIO_EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    return reopen(&real.freopen, path, mode, stream, &caller);
}

STDIO_EXPORT FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    return reopen(&real.freopen64, path, mode, stream, &caller);
}

/* The file has no name, the folder has. */
STDIO_EXPORT FILE *tmpfile(void)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct opening opening = begin(NULL, &caller);
    FILE *const stream = real.tmpfile();
    record_path(IO_MKSTEMP, &opening, stream, P_tmpdir, &caller);
    end(&opening, stream);
    return stream;
}
STDIO_SAME(FILE *, tmpfile64, tmpfile, (void))

STDIO_EXPORT FILE *popen(const char *command, const char *mode)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const struct opening opening = begin(NULL, &caller);
    FILE *const stream = real.popen(command, mode);
    if (stream && opening.began)
        io_record_new(IO_POPEN, stream->_fileno, -1, &caller);
    end(&opening, stream);
    return stream;
}
STDIO_SAME(FILE *, _IO_popen, popen, (const char *, const char *))

/* A descriptor that is there already. */
STDIO_HOOK(FILE *, fdopen, (int fd, const char *mode), NULL, (fd, mode))
STDIO_SAME(FILE *, _IO_fdopen, fdopen, (int, const char *))

/* A stream without a descriptor passes no closing of ours. */
static int close_stream(int (**real_close)(FILE *), FILE *stream, uintptr_t frame)
{
    stdio_enter(stream, frame);
    if (stream && stream->_fileno < 0)
        streams_remove(stream);
    const int result = (*real_close)(stream);
    stdio_leave(frame);
    return result;
}

STDIO_EXPORT int fclose(FILE *stream)
{
    return close_stream(&real.fclose, stream, STDIO_FRAME());
}
STDIO_SAME(int, _IO_fclose, fclose, (FILE *))

STDIO_EXPORT int pclose(FILE *stream)
{
    return close_stream(&real.pclose, stream, STDIO_FRAME());
}

STDIO_HOOK(int, fcloseall, (void), NULL, ())
