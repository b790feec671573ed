/* SPDX-License-Identifier: MIT */
/* How records become descriptors and counts: a table by record; calls on descriptors are io_transfer.c's.
 *
 * An open names its file as the program did. What the descriptor really leads to comes later, before
 * its first transfer; then the open is counted there instead. */
#include "reader/io_events.h"

#include <errno.h>
#include <string.h>

#include "reader/array.h"
#include "reader/io_files.h"
#include "reader/io_habits.h"
#include "reader/io_sites.h"
#include "reader/io_transfer.h"
#include "reader/sites.h"
#include "trace/io_ops.h"

/* ---- descriptors ---- */

static void forget_open(struct model_io *io, uint32_t opener)
{
    if (opener)
        io_opener(io, opener)->open_now = subtract_floored(io_opener(io, opener)->open_now, 1);
}

static void close_range_of(const struct io_scene *scene, uint32_t first, uint32_t last)
{
    struct fds_slot closed;
    uint32_t at = 0;
    while (fds_close_next(&scene->image->fds, &scene->io->descriptions, first, last, &at, &closed))
        forget_open(scene->io, closed.opener);
}

/* A descriptor that is open already was closed unseen. */
static void close_unseen(const struct io_scene *scene, int32_t fd)
{
    if (fd >= 0)
        close_range_of(scene, (uint32_t)fd, (uint32_t)fd);
}

static void count_open(const struct io_scene *scene, uint32_t number, bool succeeded, uint32_t file)
{
    struct model_io_opener *const opener = io_opener(scene->io, number);
    opener->opens += succeeded;
    opener->failed += !succeeded;
    if (file)
        opener->file = file;
    if (!succeeded)
        return;
    opener->open_now++;
    if (opener->open_now > opener->max_open)
        opener->max_open = opener->open_now;
}

static int open_new(const struct io_scene *scene, int32_t fd, uint32_t opener, uint32_t file)
{
    uint32_t number;
    close_unseen(scene, fd);
    const int error = fds_open(&scene->image->fds, &scene->io->descriptions, fd, opener, &number);
    if (error || number == 0)
        return error;
    struct fds_description *const description = fds_description(&scene->io->descriptions, number);
    description->file = file;
    description->is_opening = file != 0 && scene->is_shown;
    description->offset_bytes = description->end_bytes = file ? 0 : -1;
    return 0;
}

/* ---- calls that name a path ---- */

static void note_slow(const struct io_scene *scene, uint32_t file, uint32_t node)
{
    const struct record_path_call *const path_call = &scene->record->path_call;
    const struct io_call call = {
        .op = path_call->op, .took_ticks = path_call->took_ticks, .file = file, .node = node};
    io_sites_note_slow(scene, &call);
}

static int on_open(const struct io_scene *scene, uint32_t file)
{
    const struct record_path_call *const call = &scene->record->path_call;
    const bool succeeded = call->result >= 0 && call->result <= INT32_MAX;
    uint32_t opener;
    const int error = io_sites_find_opener(scene, call->stack, call->op, &opener);
    if (error)
        return error;
    scene->process->io.opens++;
    count_open(scene, opener, succeeded, file);
    note_slow(scene, file, io_opener(scene->io, opener)->node);
    if (file && scene->is_shown) {
        io_file(scene->io, file)->opens += succeeded;
        io_file(scene->io, file)->failed_opens += !succeeded;
    }
    return succeeded ? open_new(scene, (int32_t)call->result, opener, file) : 0;
}

static int on_path_call(const struct io_scene *scene)
{
    const struct record_path_call *const call = &scene->record->path_call;
    const enum io_class class = io_op_class(call->op);
    uint32_t file;
    int error = io_files_find_path(scene, call->folder_fd, &call->path, &file);
    if (error == 0)
        error = path_sites_note(scene, file);
    if (error || class == IO_CLASS_OPEN)
        return error ? error : on_open(scene, file);
    if (class == IO_CLASS_STAT) {
        scene->process->io.stats++;
        if (file && scene->is_shown)
            io_file(scene->io, file)->stats++;
    }
    uint32_t node;
    if ((error = sites_find_node(scene->model, scene->stream, call->stack, &node)))
        return error;
    note_slow(scene, file, node);
    return 0;
}

/* ---- descriptors without a path, closing ---- */

static int duplicate(const struct io_scene *scene, uint32_t opener)
{
    const int32_t fd = scene->record->fd_new.fd, other = scene->record->fd_new.other_fd;
    const struct fds_slot *const slot = fds_find(&scene->image->fds, other);
    if (!slot)
        return open_new(scene, fd, opener, 0);
    struct fds_slot with = *slot;
    with.opener = opener;
    close_unseen(scene, fd);
    return fds_share(&scene->image->fds, &scene->io->descriptions, fd, &with);
}

static int note_accept(const struct io_scene *scene, int32_t fd)
{
    const struct fds_slot *const slot = fds_find(&scene->image->fds, fd);
    return io_habits_note(scene,
                          &(struct io_habits_call){.event = IO_HABITS_ON_ACCEPT,
                                                   .description = slot ? slot->description : 0});
}

static int on_fd_new(const struct io_scene *scene)
{
    const uint8_t op = scene->record->fd_new.op;
    const int32_t fd = scene->record->fd_new.fd;
    uint32_t opener;
    if (op == IO_DUP && fd == scene->record->fd_new.other_fd)
        return 0; /* dup2() of a descriptor to itself */
    int error = io_sites_find_opener(scene, scene->record->fd_new.stack, op, &opener);
    if (error)
        return error;
    scene->process->io.opens += io_op_class(op) == IO_CLASS_OPEN;
    scene->io->n_rings += op == IO_IO_URING && fd >= 0 && scene->is_shown;
    count_open(scene, opener, fd >= 0, 0);
    if (fd < 0)
        return 0;
    error = op == IO_DUP ? duplicate(scene, opener) : open_new(scene, fd, opener, 0);
    return error == 0 && op == IO_ACCEPT ? note_accept(scene, fd) : error;
}

static int on_fd_close(const struct io_scene *scene)
{
    close_range_of(scene, scene->record->fd_close.first, scene->record->fd_close.last);
    return 0;
}

/* ---- what descriptors lead to ---- */

/* Whether a name is another one with the kernel's mark of a file that has none any more. */
static bool is_deleted(const char *name, const char *before)
{
    const size_t n = strlen(before);
    return strncmp(name, before, n) == 0 && strcmp(name + n, " (deleted)") == 0;
}

/* The description learns its file; an open that was counted under another name moves there. */
static void lead_to(const struct io_scene *scene, struct fds_description *description,
                    uint32_t file)
{
    struct model_io *const io = scene->io;
    const struct strtab *const texts = &scene->model->texts;
    const uint32_t before = description->file;
    const bool was_opening = description->is_opening;
    description->is_opening = false;
    if (before == file)
        return;
    if (before && is_deleted(strtab_text(texts, io_file(io, file)->name),
                             strtab_text(texts, io_file(io, before)->name)))
        return;
    description->file = file;
    if (!was_opening || !before)
        return;
    io_file(io, before)->opens = subtract_floored(io_file(io, before)->opens, 1);
    io_file(io, file)->opens++;
}

/* The description of a descriptor that is being told of, made if it is new. *number_out is 0 where it is
 * not to be followed. */
static int find_description(const struct io_scene *scene, int32_t fd, uint32_t file,
                            uint32_t *number_out)
{
    struct fds *const fds = &scene->image->fds;
    struct fds_pool *const pool = &scene->io->descriptions;
    const struct fds_slot *slot = fds_find(fds, fd);
    *number_out = slot ? slot->description : 0;
    if (slot)
        return 0;
    slot = fds_find(&scene->image->before_exec, fd);
    if (!slot || fds_description(pool, slot->description)->file != file)
        return fds_open(fds, pool, fd, 0, number_out);
    *number_out = slot->description;
    return fds_share(fds, pool, fd, slot);
}

static int on_fd_is(const struct io_scene *scene)
{
    const struct record_fd_is *const is = &scene->record->fd_is;
    uint32_t file, number;
    int error = io_files_find(scene->model, is->name.bytes, is->name.n_bytes, &file);
    if (error == 0)
        error = find_description(scene, is->fd, file, &number);
    if (error || number == 0)
        return error;
    struct fds_description *const description = fds_description(&scene->io->descriptions, number);
    const uint32_t before = description->file;
    lead_to(scene, description, file);
    const struct fds_slot *const slot = fds_find(&scene->image->fds, is->fd);
    if (slot && slot->opener && io_opener(scene->io, slot->opener)->file == before)
        io_opener(scene->io, slot->opener)->file = description->file;
    description->kind = is->kind;
    description->flags = is->flags;
    description->is_seekable =
        is->offset_bytes >= 0 && (is->kind == TRACE_FD_FILE || is->kind == TRACE_FD_BLOCK);
    description->offset_bytes = description->is_seekable ? is->offset_bytes : -1;
    if (description->end_bytes < 0)
        description->end_bytes = description->offset_bytes;
    if (is->kind == TRACE_FD_FILE)
        io_files_identify(scene->io, io_file(scene->io, description->file), is->device, is->inode);
    return io_habits_note(scene, &(struct io_habits_call){.event = IO_HABITS_ON_FILE,
                                                          .description = number,
                                                          .bytes = is->size_bytes});
}

static int on_folder(const struct io_scene *scene)
{
    return io_files_set_folder(scene, &scene->record->folder.path);
}

/* ---- the kernel's own counts ---- */

static struct model_kernel_counts counts_of(const struct record_kernel_io *from)
{
    return (struct model_kernel_counts){.read_calls = from->n_reads,
                                        .write_calls = from->n_writes,
                                        .read_bytes = from->read_bytes,
                                        .write_bytes = from->written_bytes};
}

/* Between the end of one image and the start of the next one only the loader was at work; a forked child
 * begins at 0. */
static int on_kernel_io(const struct io_scene *scene)
{
    const struct record_kernel_io *const told = &scene->record->kernel_io;
    struct model_kernel_io *const kernel = &scene->process->kernel_io;
    struct model_kernel_counts *const loader = &kernel->loader;
    const struct model_kernel_counts *const end = &kernel->end;
    if (told->moment == TRACE_KERNEL_IO_END) {
        kernel->end = counts_of(told);
        kernel->has_end = true;
    } else if (told->moment == TRACE_KERNEL_IO_OWN) {
        kernel->own = counts_of(told);
    } else if (told->moment == TRACE_KERNEL_IO_START &&
               (kernel->has_end || scene->process->n_images < 2)) {
        loader->read_calls =
            add_capped(loader->read_calls, subtract_floored(told->n_reads, end->read_calls));
        loader->read_bytes =
            add_capped(loader->read_bytes, subtract_floored(told->read_bytes, end->read_bytes));
        kernel->own =
            (struct model_kernel_counts){0}; /* that of the image before is in the difference */
    }
    return 0;
}

void io_events_process_io(struct model *model, const struct record_kernel_io *counts)
{
    const uint32_t number = idmap_get(&model->process_by_pid, (uint32_t)counts->pid);
    if (number == 0)
        return;
    model_process(model, number)->kernel_io.exit = counts_of(counts);
    model_process(model, number)->kernel_io.has_exit = true;
}

/* ---- threads ---- */

int io_events_add_thread(struct model *model, uint32_t image, int32_t tid)
{
    struct model_io *const io = &model->io;
    struct model_io_thread *const threads =
        array_room(io->threads, io->n_threads, &io->threads_capacity, sizeof *threads);
    if (!threads)
        return -ENOMEM;
    io->threads = threads;
    threads[io->n_threads++] = (struct model_io_thread){
        .image = image,
        .tid = tid,
    };
    return 0;
}

void io_events_thread_over(struct model *model, uint32_t thread)
{
    if (thread < model->io.n_threads)
        model->io.threads[thread].last_ticks = model->now_ticks;
}

static int on_thread(const struct io_scene *scene)
{
    const struct unpack_text name = scene->record->thread.name;
    if (scene->thread->first_ticks == 0)
        scene->thread->first_ticks = scene->record->ticks;
    scene->thread->name = strtab_add(&scene->model->texts, name.bytes, name.n_bytes);
    return scene->thread->name ? 0 : -ENOMEM;
}

/* ---- all of it ---- */

static int (*const handlers[TRACE_TAG_FILE])(const struct io_scene *scene) = {
    [TRACE_THREAD] = on_thread,       [TRACE_IO] = io_transfer,   [TRACE_STDIO] = io_transfer,
    [TRACE_PATH_CALL] = on_path_call, [TRACE_FD_NEW] = on_fd_new, [TRACE_FD_IS] = on_fd_is,
    [TRACE_FD_CLOSE] = on_fd_close,   [TRACE_FOLDER] = on_folder, [TRACE_KERNEL_IO] = on_kernel_io,
};

int io_events_apply(struct model *model, uint32_t number, const struct record *record)
{
    if (record->tag >= TRACE_TAG_FILE || !handlers[record->tag])
        return 0;
    const struct model_stream *const stream = &model->streams[number];
    struct model_image *const image = model_image(model, stream->image);
    const struct io_scene scene = {.model = model,
                                   .io = &model->io,
                                   .image = image,
                                   .process = model_process(model, image->process),
                                   .thread = &model->io.threads[stream->thread],
                                   .stream = number,
                                   .process_number = image->process,
                                   .thread_number = stream->thread,
                                   .is_shown = model_shows(model, image->process),
                                   .record = record};
    model->io.was_met = model->io.was_met || record->tag >= TRACE_IO;
    scene.process->events += record_is_io(record->tag);
    return handlers[record->tag](&scene);
}

void io_events_exec(struct model_image *image, struct model_image *before)
{
    struct fds *const fds = &before->fds;
    for (uint32_t i = 0; i < fds->n_slots; i++) {
        if (fds->slots[i].key)
            forget_open(&before->model->io, fds->slots[i].opener);
        fds->slots[i].opener = 0;
    }
    fds_fini(&image->before_exec, &image->model->io.descriptions);
    image->before_exec = *fds;
    *fds = (struct fds){.n_slots = 0};
}
