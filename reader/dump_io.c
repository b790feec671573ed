/* SPDX-License-Identifier: MIT */
/* How the records of I/O become lines. */
#include "reader/dump_fields.h"

#include "trace/io_ops.h"

static void put_op(FILE *out, unsigned op)
{
    fprintf(out, ", \"op\": \"%s\"", io_op_kernel_call(op));
}

/* What the last number means hangs on the operation. */
static const char *detail_key(const struct record *record)
{
    if (record->tag == TRACE_STDIO)
        return "stdio_calls";
    return io_op_class(record->io.op) == IO_CLASS_COPY ? "to_fd" : "offset";
}

void dump_io(FILE *out, const struct record *record)
{
    const struct record_io *const io = &record->io;
    put_op(out, io->op);
    dump_put_signed(out, "fd", io->fd);
    dump_put_number(out, "requested", io->requested_bytes);
    dump_put_signed(out, "result", io->result);
    dump_put_number(out, "took", io->took_ticks);
    dump_put_address(out, "buffer", io->buffer);
    dump_put_signed(out, detail_key(record), io->detail);
    dump_put_number(out, "stack", io->stack);
}

void dump_path_call(FILE *out, const struct record *record)
{
    const struct record_path_call *const call = &record->path_call;
    put_op(out, call->op);
    dump_put_signed(out, "folder_fd", call->folder_fd);
    dump_put_text(out, "path", call->path);
    dump_put_signed(out, "result", call->result);
    dump_put_number(out, "took", call->took_ticks);
    dump_put_number(out, "stack", call->stack);
}

void dump_fd_new(FILE *out, const struct record *record)
{
    put_op(out, record->fd_new.op);
    dump_put_signed(out, "fd", record->fd_new.fd);
    dump_put_signed(out, "other_fd", record->fd_new.other_fd);
    dump_put_number(out, "stack", record->fd_new.stack);
}

void dump_fd_is(FILE *out, const struct record *record)
{
    const struct record_fd_is *const is = &record->fd_is;
    dump_put_signed(out, "fd", is->fd);
    dump_put_text(out, "name", is->name);
    dump_put_number(out, "kind", is->kind);
    dump_put_number(out, "flags", is->flags);
    dump_put_signed(out, "offset", is->offset_bytes);
    dump_put_number(out, "device", is->device);
    dump_put_number(out, "inode", is->inode);
    dump_put_number(out, "size", is->size_bytes);
}

void dump_fd_close(FILE *out, const struct record *record)
{
    dump_put_number(out, "first", record->fd_close.first);
    dump_put_number(out, "last", record->fd_close.last);
}

void dump_folder(FILE *out, const struct record *record)
{
    dump_put_text(out, "path", record->folder.path);
}

void dump_kernel_io(FILE *out, const struct record *record)
{
    const struct record_kernel_io *const io = &record->kernel_io;
    if (record->tag == TRACE_PROCESS_IO)
        dump_put_signed(out, "pid", io->pid);
    else
        dump_put_number(out, "moment", io->moment);
    dump_put_number(out, "reads", io->n_reads);
    dump_put_number(out, "writes", io->n_writes);
    dump_put_number(out, "read_bytes", io->read_bytes);
    dump_put_number(out, "written_bytes", io->written_bytes);
}
