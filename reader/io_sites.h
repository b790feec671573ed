/* SPDX-License-Identifier: MIT */
/* Which I/O site a call belongs to, and who opens descriptors where. */
#ifndef HEAPWISE_READER_IO_SITES_H
#define HEAPWISE_READER_IO_SITES_H

#include "reader/io_scene.h"

/* The number of the site of a call that `stack` (stream's id, 0 unknown) made, made if new; notes that
 * the scene's thread was there, and the file (0: none). 0 or -ENOMEM. */
int io_sites_find(const struct io_scene *scene, uint32_t stack, uint8_t op, uint32_t file,
                  uint32_t *site_out);

/* The number of the opener, made if new. 0 or -ENOMEM. */
int io_sites_find_opener(const struct io_scene *scene, uint32_t stack, uint8_t op,
                         uint32_t *opener_out);

/* Keep the call if it is one of the slowest so far; it ended now. */
void io_sites_note_slow(const struct io_scene *scene, const struct io_call *call);

#endif
