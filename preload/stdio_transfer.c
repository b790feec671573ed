/* SPDX-License-Identifier: MIT */
/* How a transfer is forwarded and recorded.
 *
 * libc's own functions do what they did; only that of writing, which goes on until all is written, is done
 * again here, as each write is to be a record of its own. It has to behave as glibc's does: libio/
 * fileops.c, _IO_new_file_write. Nothing is held over a call: a cancelled thread never comes back. */
#include "preload/stdio_transfer.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

#include "preload/event.h"
#include "preload/io_call.h"
#include "preload/session.h"
#include "preload/stdio_site.h"
#include "preload/stdio_tables.h"
#include "preload/syscalls.h"
#include "preload/unwind.h"

enum {
    NEVER_CANCELLED =
        2, /* in _flags2: opened with "c" in the mode; libio.h, _IO_FLAGS2_NOTCANCEL */
};

static struct stdio_tables tables;
static ssize_t (*libc_write)(int fd, const void *bytes, size_t n_bytes);
static bool
    is_exiting; /* the program's destructors have run: what has no hook is libc's last flush */

/* Whose transfer it is. `frame` is that of our function in the table, `inside` its caller. */
static struct arch_frame find_caller(uintptr_t frame, const struct arch_frame *inside,
                                     uintptr_t last_pc)
{
    struct arch_frame caller = *inside;
    if (stdio_site(frame, &caller))
        return caller;
    if (is_exiting && last_pc)
        return (struct arch_frame){.pc = last_pc};
    unwind_out_of(tables.code_start, tables.code_end, &caller);
    return caller;
}

/* Calls on the stream since its last transfer, and the last caller where it is known. */
static uint64_t take_calls(const FILE *stream, uintptr_t *last_pc_out)
{
    struct stdio_thread *const here = &stdio_thread;
    uint64_t n_calls;
    if (!streams_take(stream, &n_calls, last_pc_out)) {
        n_calls = here->n_unlisted;
        here->n_unlisted = 0;
    }
    return n_calls;
}

/* A transfer's record but for what differs; made before the call, so that began is the last thing taken. */
#define TRANSFER(op_, requested, buffer_)                                                          \
    {                                                                                              \
        .op = (op_), .fd = stream->_fileno, .requested_bytes = (uint64_t)(requested),              \
        .buffer = (buffer_), .began = io_begin_on(stream->_fileno)                                 \
    }

void stdio_transfer_record(const struct event_io *io, const struct arch_frame *caller)
{
    struct lane *const lane = session_enter();
    if (lane)
        event_io(lane, TRACE_STDIO, io, caller);
    session_leave(lane);
}

/* A seek leaves the count of calls to the transfer that follows. */
static void record(const FILE *stream, struct event_io *io, uintptr_t frame,
                   const struct arch_frame *inside)
{
    uintptr_t last_pc = 0;
    if (io->began == 0)
        return;
    if (io->op != IO_LSEEK)
        io->detail = (int64_t)take_calls(stream, &last_pc);
    const struct arch_frame caller = find_caller(frame, inside, last_pc);
    stdio_transfer_record(io, &caller);
}

static ssize_t transfer_read(FILE *stream, void *bytes, ssize_t n_bytes)
{
    const struct arch_frame inside = ARCH_CALLER_FRAME();
    struct event_io io = TRANSFER(IO_READ, n_bytes, bytes);
    const ssize_t n_read = stdio_tables_before(&tables, stream)->read(stream, bytes, n_bytes);
    io.result = io_result(n_read);
    record(stream, &io, STDIO_FRAME(), &inside);
    return n_read;
}

/* One write, as libc makes it: such a call of its own can be cancelled, but for streams that say not to. */
static ssize_t write_once(const FILE *stream, const void *bytes, size_t n_bytes)
{
    if (libc_write && !(stream->_flags2 & NEVER_CANCELLED))
        return libc_write(stream->_fileno, bytes, n_bytes);
    const long result = arch_syscall(SYS_write, stream->_fileno, bytes, n_bytes);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static ssize_t transfer_write(FILE *stream, const void *bytes, ssize_t n_bytes)
{
    const struct arch_frame inside = ARCH_CALLER_FRAME();
    ssize_t n_left = n_bytes;
    while (n_left > 0) {
        const uint8_t *const next = (const uint8_t *)bytes + (n_bytes - n_left);
        struct event_io io = TRANSFER(IO_WRITE, n_left, next);
        const ssize_t n_written = write_once(stream, next, (size_t)n_left);
        io.result = io_result(n_written);
        record(stream, &io, STDIO_FRAME(), &inside);
        if (n_written < 0) {
            stream->_flags |= _IO_ERR_SEEN;
            break;
        }
        n_left -= n_written;
    }
    const ssize_t n_done = n_bytes - n_left;
    if (stream->_offset >= 0)
        stream->_offset += n_done;
    return n_done;
}

static off64_t transfer_seek(FILE *stream, off64_t offset, int whence)
{
    const struct arch_frame inside = ARCH_CALLER_FRAME();
    struct stdio_thread *const here = &stdio_thread;
    struct event_io io = {
        .op = IO_LSEEK, .fd = stream->_fileno, .requested_bytes = (uint64_t)whence};
    const bool is_opening = here->entered_at && here->opening_at == here->entered_at;
    io.began = is_opening ? io_begin() : io_begin_on(stream->_fileno);
    const off64_t position = stdio_tables_before(&tables, stream)->seek(stream, offset, whence);
    io.result = io_result(position);
    if (is_opening)
        here->seek = (struct stdio_seek){.began = io.began, .result = io.result, .whence = whence};
    else
        record(stream, &io, STDIO_FRAME(), &inside);
    return position;
}

static int transfer_close(FILE *stream)
{
    if (io_begin() && stream->_fileno >= 0)
        io_record_closing((uint32_t)stream->_fileno, (uint32_t)stream->_fileno);
    streams_remove(stream);
    return stdio_tables_before(&tables, stream)->close(stream);
}

void stdio_opening_begin(void)
{
    stdio_thread.opening_at = stdio_thread.entered_at;
    stdio_thread.seek.began = 0;
}

void stdio_opening_end(const FILE *stream)
{
    struct stdio_thread *const here = &stdio_thread;
    const uintptr_t frame = STDIO_FRAME();
    here->opening_at = 0;
    if (!stream || here->seek.began == 0)
        return;
    identity_tell(stream->_fileno);
    struct event_io io = {.op = IO_LSEEK,
                          .fd = stream->_fileno,
                          .requested_bytes = (uint64_t)here->seek.whence,
                          .result = here->seek.result,
                          .began = here->seek.began};
    record(stream, &io, frame, &(struct arch_frame){.pc = stdio_return_address(frame)});
}

/* A write of libc's own: another shim's would see what it never saw without us. */
static void find_libc_write(void)
{
    session_begin_internal();
    void *const address = dlsym(RTLD_NEXT, "__write");
    session_end_internal();
    if ((uintptr_t)address >= tables.code_start && (uintptr_t)address < tables.code_end)
        *(void **)(void *)&libc_write = address;
}

/* Also under a filter that the process began with: the loader has just made the same calls. */
static const char *replace_slots(void)
{
    static const struct stdio_slots ours = {
        .read = transfer_read,
        .write = transfer_write,
        .seek = transfer_seek,
        .close = transfer_close,
    };
    session_begin_internal();
    const FILE *const libc_stdout = dlsym(RTLD_NEXT, "_IO_2_1_stdout_");
    session_end_internal();
    return stdio_tables_replace(libc_stdout, &ours, &tables);
}

const char *stdio_transfer_start(void)
{
    const char *const obstacle = replace_slots();
    if (!obstacle)
        find_libc_write();
    return obstacle;
}

/* Attaches the process, too, where no event has yet: constructors of one library have no order to count on. */
__attribute__((constructor)) static void see_transfers(void)
{
    session_start();
    if (atomic_load(&session.state) != SESSION_ON || (session.flags & SESSION_NO_IO))
        return;
    const char *const obstacle = stdio_transfer_start();
    struct lane *const lane = obstacle ? session_enter() : NULL;
    if (lane)
        event_number_text(lane, TRACE_REMARK, TRACE_REMARK_STDIO_UNSEEN, obstacle);
    session_leave(lane);
}

/* After the program's own; those of libraries, which follow, write by hooks like everybody. libc flushes last. */
__attribute__((destructor)) static void note_exit(void)
{
    is_exiting = true;
}
