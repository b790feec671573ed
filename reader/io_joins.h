/* SPDX-License-Identifier: MIT */
/* How the memory of transfers relates to the heap: blocks that calls used, each with who used it.
 *
 * A block is known by the time of its allocation, which a resize keeps. Forgotten are those that are no
 * longer live, whenever the table would grow: it holds as many as live blocks were ever used, at most. */
#ifndef HEAPWISE_READER_IO_JOINS_H
#define HEAPWISE_READER_IO_JOINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IO_JOINS_SITES = 4,  /* that are remembered of a block; the newest replaces the oldest */
    IO_JOINS_RECENT = 4, /* blocks in whose midst the next buffer may lie */
};

struct io_joins_block {
    uint64_t key; /* its start_ticks; 0 empty */
    uint64_t address;
    uint64_t n_uses;
    uint32_t sites[IO_JOINS_SITES];
};

/* One image's. Zero it to begin. */
struct io_joins {
    struct io_joins_block *slots; /* open addressing, at most half full */
    size_t n_slots, n_used;
    uint64_t recent[IO_JOINS_RECENT]; /* addresses, the last one first */
};

struct block;
struct io_scene;
struct model_image;

/* What a call did with memory. */
struct io_joins_use {
    bool reads; /* moved `bytes` into its buffer, else out of it */
    uint64_t bytes;
    /* Found by io_joins_use(). */
    const struct block
        *block;     /* where the buffer lay, valid until the next event; NULL elsewhere */
    bool is_copied; /* the thread's last read had filled it */
};

/* A call of the scene from site `number` used its buffer. 0 or -ENOMEM. */
int io_joins_use(const struct io_scene *scene, uint32_t number, struct io_joins_use *use);

/* A resize moved a block: buffers far inside of it are looked for there from now on. */
void io_joins_move(struct io_joins *joins, uint64_t from, uint64_t to);

/* The image's blocks go: settle which of them were used once. Its live ones are still there. */
void io_joins_close(struct model_image *image);

#endif
