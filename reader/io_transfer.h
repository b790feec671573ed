/* SPDX-License-Identifier: MIT */
/* What one call on a descriptor adds to the numbers: reads, writes, copies, syncs, seeks. */
#ifndef HEAPWISE_READER_IO_TRANSFER_H
#define HEAPWISE_READER_IO_TRANSFER_H

#include "reader/io_scene.h"

/* Apply a TRACE_IO or TRACE_STDIO. 0 or -ENOMEM. */
int io_transfer(const struct io_scene *scene);

#endif
