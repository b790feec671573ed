/* SPDX-License-Identifier: MIT */
/* Which file a name stands for. */
#ifndef HEAPWISE_READER_IO_FILES_H
#define HEAPWISE_READER_IO_FILES_H

#include "reader/io_scene.h"

/* The number of the file of a name, made if new. 0 or -ENOMEM. */
int io_files_find(struct model *model, const char *name, size_t n_bytes, uint32_t *file_out);

/* The same for a path that a program gave, relative to `folder_fd` (AT_FDCWD: its working folder): made
 * absolute where that is known. An empty path is the folder itself, or no file (number 0). */
int io_files_find_path(const struct io_scene *scene, int32_t folder_fd,
                       const struct unpack_text *path, uint32_t *file_out);

/* The same for a descriptor of which nothing is known but its number. */
int io_files_find_unnamed(struct model *model, int32_t fd, uint32_t *file_out);

/* The working folder of an image from now on; not known where there were too many. 0 or -ENOMEM. */
int io_files_set_folder(const struct io_scene *scene, const struct unpack_text *path);

/* The file's name has led to this one of a device from now on. */
void io_files_identify(struct model_io *io, struct model_io_file *file, uint64_t device,
                       uint64_t inode);

#endif
