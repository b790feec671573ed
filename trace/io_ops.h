/* SPDX-License-Identifier: MIT */
/* Which I/O operations there are; the list is io_ops.def. */
#ifndef HEAPWISE_TRACE_IO_OPS_H
#define HEAPWISE_TRACE_IO_OPS_H

enum io_op {
#define IO_OP(number, name, kernel_call, class) IO_##name = (number),
#include "trace/io_ops.def"
#undef IO_OP
    IO_N_OPS = 128, /* numbers are below it; one byte in a record */
};

enum io_class {
    IO_CLASS_UNKNOWN, /* of a newer minor version */
    IO_CLASS_READ,
    IO_CLASS_WRITE,
    IO_CLASS_COPY,
    IO_CLASS_SYNC,
    IO_CLASS_SEEK,
    IO_CLASS_STAT,
    IO_CLASS_OPEN,
    IO_CLASS_FD,
    IO_CLASS_PATH,
    IO_CLASS_CONTROL,
};

/* What an operation's number means; IO_CLASS_UNKNOWN and "unknown" for numbers not listed. Any thread. */
enum io_class io_op_class(unsigned op);
const char *io_op_kernel_call(unsigned op);

#endif
