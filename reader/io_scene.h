/* SPDX-License-Identifier: MIT */
/* What every handler of an I/O record needs at hand. */
#ifndef HEAPWISE_READER_IO_SCENE_H
#define HEAPWISE_READER_IO_SCENE_H

#include "reader/model.h"

struct io_scene {
    struct model *model;
    struct model_io *io;
    struct model_image *image;
    struct model_process *process;
    struct model_io_thread *thread;
    uint32_t stream, process_number, thread_number;
    bool is_shown; /* the process's numbers are asked for */
    const struct record *record;
};

/* A call that took time. */
struct io_call {
    uint8_t op;
    uint64_t took_ticks, bytes;
    uint32_t file, node;
};

#endif
