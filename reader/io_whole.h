/* SPDX-License-Identifier: MIT */
/* Whether a program reads whole files into one block of memory. */
#ifndef HEAPWISE_READER_IO_WHOLE_H
#define HEAPWISE_READER_IO_WHOLE_H

#include <stdint.h>

enum io_whole_limits {
    IO_WHOLE_MIN_BYTES = 256 << 10, /* of a file; a smaller one may well be held */
    IO_WHOLE_STDIO_TAIL_BYTES =
        4096, /* less than so much fread() takes through the stream's buffer */
};

/* A file that one description's reads bring into a block, from its begin on and without a gap. Zero it to
 * begin. */
struct io_whole {
    uint64_t block; /* when that was allocated, plus 1: it may move; 0: no such thing goes on */
    uint64_t offset_bytes; /* of the file's begin in the block */
    uint64_t n_bytes;      /* so far */
    uint64_t n_calls;      /* of `site`, the last one */
    uint32_t site;
};

struct io_habits_call;
struct io_scene;

/* A call read from a file of so many bytes. Returns how many calls of its site filled the block, if with this one
 * it holds the whole file; else 0. */
uint64_t io_whole_note(struct io_whole *whole, const struct io_scene *scene,
                       const struct io_habits_call *call, uint64_t file_bytes);

#endif
