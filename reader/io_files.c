/* SPDX-License-Identifier: MIT */
/* How paths become files: absolute where the folder is known, without "." and doubled slashes; ".." is
 * left, as what is before it may be a link. */
#include "reader/io_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "reader/array.h"

/* A path while it is put together: a folder and what is relative to it, each of them within the limit. */
struct path {
    char text[2 * TRACE_MAX_TEXT_BYTES + 2];
    size_t n_bytes;
};

static void append_part(struct path *path, const char *part, size_t n_bytes)
{
    if (n_bytes == 0 || (n_bytes == 1 && part[0] == '.'))
        return;
    if (n_bytes + 1 > sizeof path->text - path->n_bytes)
        return;
    path->text[path->n_bytes++] = '/';
    memcpy(path->text + path->n_bytes, part, n_bytes);
    path->n_bytes += n_bytes;
}

static void append(struct path *path, const char *text, size_t n_bytes)
{
    for (size_t at = 0, end; at < n_bytes; at = end + 1) {
        const char *const slash = memchr(text + at, '/', n_bytes - at);
        end = slash ? (size_t)(slash - text) : n_bytes;
        append_part(path, text + at, end - at);
    }
}

/* The id of a name, 0 where it is new and there are too many already; or -ENOMEM. */
static int add_name(struct model *model, const char *name, size_t n_bytes, uint32_t *id_out)
{
    struct model_io *const io = &model->io;
    *id_out = strtab_find(&model->texts, name, n_bytes);
    if (*id_out || n_bytes > MODEL_MAX_IO_NAME_BYTES - io->n_name_bytes)
        return 0;
    io->n_name_bytes += n_bytes;
    *id_out = strtab_add(&model->texts, name, n_bytes);
    return *id_out ? 0 : -ENOMEM;
}

static int add_file(struct model *model, uint32_t name, uint32_t *file_out)
{
    struct model_io *const io = &model->io;
    struct model_io_file *const files =
        array_room(io->files, io->n_files, &io->files_capacity, sizeof *files);
    if (!files)
        return -ENOMEM;
    io->files = files;
    files[io->n_files++] = (struct model_io_file){.name = name};
    *file_out = io->n_files;
    return idmap_put(&io->file_by_name, name, io->n_files);
}

/* The row for all files beyond the limit. */
static int find_other(struct model *model, uint32_t *file_out)
{
    static const char name[] = "(more files)";
    struct model_io *const io = &model->io;
    int error = 0;
    if (io->other_files == 0) {
        const uint32_t id = strtab_add(&model->texts, name, sizeof name - 1);
        error = id ? add_file(model, id, &io->other_files) : -ENOMEM;
    }
    *file_out = io->other_files;
    return error;
}

int io_files_find(struct model *model, const char *name, size_t n_bytes, uint32_t *file_out)
{
    struct model_io *const io = &model->io;
    uint32_t id = strtab_find(&model->texts, name, n_bytes);
    *file_out = id ? idmap_get(&io->file_by_name, id) : 0;
    if (*file_out)
        return 0;
    if (io->n_files >= MODEL_MAX_IO_FILES)
        return find_other(model, file_out);
    const int error = add_name(model, name, n_bytes, &id);
    if (error)
        return error;
    return id ? add_file(model, id, file_out) : find_other(model, file_out);
}

/* The folder that a path is relative to, "" where it is not known. */
static const char *folder_of(const struct io_scene *scene, int32_t folder_fd)
{
    const struct strtab *const texts = &scene->model->texts;
    if (folder_fd == AT_FDCWD)
        return strtab_text(texts, scene->image->folder);
    const struct fds_slot *const slot = fds_find(&scene->image->fds, folder_fd);
    const uint32_t file =
        slot ? fds_description(&scene->io->descriptions, slot->description)->file : 0;
    return file ? strtab_text(texts, io_file(scene->io, file)->name) : "";
}

int io_files_find_path(const struct io_scene *scene, int32_t folder_fd,
                       const struct unpack_text *path, uint32_t *file_out)
{
    const bool is_absolute = path->n_bytes && path->bytes[0] == '/';
    const char *const folder = is_absolute ? "" : folder_of(scene, folder_fd);
    struct path whole = {.n_bytes = 0};
    *file_out = 0;
    if (path->n_bytes == 0 && (folder_fd == AT_FDCWD || !*folder))
        return 0;
    if (!is_absolute && folder[0] != '/') {
        const bool is_itself = path->n_bytes == 0; /* as in fstatat(fd, "") of a pipe */
        return io_files_find(scene->model, is_itself ? folder : path->bytes,
                             is_itself ? strlen(folder) : path->n_bytes, file_out);
    }
    append(&whole, folder, strlen(folder));
    append(&whole, path->bytes, path->n_bytes);
    if (whole.n_bytes == 0)
        whole.text[whole.n_bytes++] = '/';
    return io_files_find(scene->model, whole.text, whole.n_bytes, file_out);
}

int io_files_find_unnamed(struct model *model, int32_t fd, uint32_t *file_out)
{
    char name[32];
    const int n = snprintf(name, sizeof name, "fd:[%d]", (int)fd);
    return io_files_find(model, name, (size_t)n, file_out);
}

int io_files_set_folder(const struct io_scene *scene, const struct unpack_text *path)
{
    const struct strtab *const texts = &scene->model->texts;
    struct path whole = {.n_bytes = 0};
    if (path->n_bytes == 0 || path->bytes[0] != '/') {
        const char *const before = strtab_text(texts, scene->image->folder);
        if (before[0] != '/')
            return 0;
        append(&whole, before, strlen(before));
    }
    append(&whole, path->bytes, path->n_bytes);
    if (whole.n_bytes > TRACE_MAX_TEXT_BYTES)
        whole.n_bytes = 0; /* going down one folder at a time without end */
    if (whole.n_bytes == 0)
        whole.text[whole.n_bytes++] = '/';
    return add_name(scene->model, whole.text, whole.n_bytes, &scene->image->folder);
}

void io_files_identify(struct model_io *io, struct model_io_file *file, uint64_t device,
                       uint64_t inode)
{
    if (file->device == device && file->inode == inode)
        return;
    if (file->inode) {
        io->n_ranges -= file->covered.n;
        file->covered_earlier = add_capped(file->covered_earlier, file->covered.n_bytes);
        file->was_read_unknown = file->was_read_unknown || file->covered.is_unknown;
        covered_fini(&file->covered);
    }
    file->device = device;
    file->inode = inode;
}
