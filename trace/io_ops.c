/* SPDX-License-Identifier: MIT */
/* The list of I/O operations as a table by number. */
#include "trace/io_ops.h"

static const struct row {
    const char *kernel_call;
    enum io_class class;
} rows[IO_N_OPS] = {
#define IO_OP(number, name, kernel_call, class) [number] = {kernel_call, IO_CLASS_##class},
#include "trace/io_ops.def"
#undef IO_OP
};

enum io_class io_op_class(unsigned op)
{
    return op < IO_N_OPS ? rows[op].class : IO_CLASS_UNKNOWN;
}

const char *io_op_kernel_call(unsigned op)
{
    return op < IO_N_OPS && rows[op].kernel_call ? rows[op].kernel_call : "unknown";
}
