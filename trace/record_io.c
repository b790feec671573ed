/* SPDX-License-Identifier: MIT */
/* How the records of I/O are decoded: transfers, calls by path, the life of descriptors. */
#include "trace/record_shape.h"

int record_decode_io(struct record_input *input)
{
    struct record_io *const io = &input->record->io;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_u8(input, &io->op)) ||
        (error = record_take_i32(input, &io->fd)) ||
        (error = record_take_u64(input, &io->requested_bytes)) ||
        (error = record_take_int(input, &io->result)) ||
        (error = record_take_u64(input, &io->took_ticks)) ||
        (error = record_take_u32(input, &io->stack)) ||
        (error = record_take_u64(input, &io->buffer)))
        return error;
    return record_take_int(input, &io->detail);
}

int record_decode_path_call(struct record_input *input)
{
    struct record_path_call *const call = &input->record->path_call;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_u8(input, &call->op)) ||
        (error = record_take_i32(input, &call->folder_fd)) ||
        (error = record_take_int(input, &call->result)) ||
        (error = record_take_u64(input, &call->took_ticks)) ||
        (error = record_take_u32(input, &call->stack)))
        return error;
    return record_take_text(input, &call->path);
}

int record_decode_fd_new(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_u8(input, &record->fd_new.op)) ||
        (error = record_take_i32(input, &record->fd_new.fd)) ||
        (error = record_take_i32(input, &record->fd_new.other_fd)))
        return error;
    return record_take_u32(input, &record->fd_new.stack);
}

int record_decode_fd_is(struct record_input *input)
{
    struct record_fd_is *const is = &input->record->fd_is;
    int error;
    if ((error = record_take_ticks(input)) || (error = record_take_i32(input, &is->fd)) ||
        (error = record_take_text(input, &is->name)) ||
        (error = record_take_u8(input, &is->kind)) ||
        (error = record_take_u32(input, &is->flags)) ||
        (error = record_take_int(input, &is->offset_bytes)) ||
        (error = record_take_u64(input, &is->device)) ||
        (error = record_take_u64(input, &is->inode)))
        return error;
    return record_take_u64(input, &is->size_bytes);
}

int record_decode_fd_close(struct record_input *input)
{
    struct record *const record = input->record;
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_u32(input, &record->fd_close.first)))
        return error;
    return record_take_u32(input, &record->fd_close.last);
}

int record_decode_folder(struct record_input *input)
{
    const int error = record_take_ticks(input);
    return error ? error : record_take_text(input, &input->record->folder.path);
}

int record_decode_kernel_io(struct record_input *input)
{
    int error;
    if ((error = record_take_ticks(input)) ||
        (error = record_take_u8(input, &input->record->kernel_io.moment)))
        return error;
    return record_take_kernel_counts(input);
}
