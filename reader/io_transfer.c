/* SPDX-License-Identifier: MIT */
/* How a call on a descriptor is taken apart: whose file it was, where in it, what came of it; then each
 * of process, site, file and thread counts its part.
 *
 * Positions are followed as the kernel moves them. They are not known after a copy (whose own positions
 * the trace does not tell) and after a write that appends. */
#include "reader/io_transfer.h"

#include <errno.h>
#include <fcntl.h>

#include "reader/array.h"
#include "reader/io_files.h"
#include "reader/io_habits.h"
#include "reader/io_kernel.h"
#include "reader/io_sites.h"
#include "trace/io_ops.h"

/* One descriptor's part in a transfer. */
struct side {
    struct fds_description *description; /* NULL not known */
    uint32_t number;                     /* of the description, 0 not known */
    uint32_t file;
};

struct transfer {
    const struct record_io *io;
    bool reads, writes;
    uint64_t bytes;
    struct side from, to; /* a plain read has no `to`, a plain write no `from` */
};

/* What a descriptor leads to. */
static struct side look_up(const struct io_scene *scene, int64_t fd)
{
    const bool is_fd = fd >= 0 && fd <= INT32_MAX;
    const struct fds_slot *const slot = is_fd ? fds_find(&scene->image->fds, (int32_t)fd) : NULL;
    if (!slot)
        return (struct side){.file = 0};
    struct fds_description *const description =
        fds_description(&scene->io->descriptions, slot->description);
    return (struct side){
        .description = description, .number = slot->description, .file = description->file};
}

/* The same for a transfer, whose file has a row: what nobody explained is known by its number. */
static int find_side(const struct io_scene *scene, int64_t fd, struct side *side_out)
{
    *side_out = look_up(scene, fd);
    if (side_out->file || fd < 0 || fd > INT32_MAX || scene->record->io.result == -EBADF)
        return 0;
    const int error = io_files_find_unnamed(scene->model, (int32_t)fd, &side_out->file);
    if (error == 0 && side_out->description)
        side_out->description->file = side_out->file;
    return error;
}

/* ---- where in the file ---- */

static bool is_positional(const struct record_io *io)
{
    static const bool ops[IO_N_OPS] = {
        [IO_PREAD] = true,  [IO_PREADV] = true,  [IO_PREADV2] = true,  [IO_AIO_READ] = true,
        [IO_PWRITE] = true, [IO_PWRITEV] = true, [IO_PWRITEV2] = true, [IO_AIO_WRITE] = true,
    };
    return io->op < IO_N_OPS && ops[io->op] && io->detail >= 0;
}

static void count_pattern(struct io_pattern *pattern, int64_t start, int64_t end)
{
    pattern->consecutive += start == end;
    pattern->strided += start > end;
    pattern->random += start < end;
}

static int64_t behind(int64_t start, uint64_t bytes)
{
    int64_t end;
    return start < 0 || __builtin_add_overflow(start, bytes, &end) ? -1 : end;
}

/* A call moved bytes at `start` (-1: not known) of a file with positions. */
static void note_place(struct model_io_site *site, struct model_io_file *file,
                       struct fds_description *description, int64_t start, uint64_t bytes)
{
    const bool appends = start < 0 && description->flags & O_APPEND;
    const int64_t last = description->end_bytes;
    if (appends) { /* behind the file's end, wherever the last one was */
        site->pattern.consecutive++;
        file->pattern.consecutive++;
    } else if (start >= 0) {
        count_pattern(&site->pattern, start, last < 0 ? start : last);
        count_pattern(&file->pattern, start, last < 0 ? start : last);
    }
    description->end_bytes = behind(start, bytes);
}

/* Which bytes of the file a read covered, and how many of them had been. Where there are too many ranges, files
 * that need a further one are followed no more. */
static int note_covered(struct model_io *io, struct model_io_file *file, int64_t start,
                        uint64_t bytes, uint64_t *reread_bytes_out)
{
    const uint32_t n_before = file->covered.n;
    const uint64_t bytes_before = file->covered.n_bytes;
    if (file->was_read_unknown)
        return 0;
    file->was_read_unknown = behind(start, bytes) < 0;
    const int error = file->was_read_unknown ? 0
                                             : covered_add(&file->covered, (uint64_t)start,
                                                           (uint64_t)behind(start, bytes));
    if (file->covered.n > n_before && io->n_ranges >= MODEL_MAX_IO_RANGES)
        file->was_read_unknown = true;
    if (file->was_read_unknown)
        covered_fini(&file->covered);
    io->n_ranges = io->n_ranges - n_before + file->covered.n;
    if (!file->was_read_unknown && !file->covered.is_unknown)
        *reread_bytes_out = bytes - (file->covered.n_bytes - bytes_before);
    return error;
}

/* Where a plain read or write begins: -1 not known, and where there are no places. */
static int64_t start_of(const struct transfer *transfer, const struct side *side)
{
    const struct fds_description *const description = side->description;
    if (!description || !description->is_seekable ||
        (transfer->writes && description->flags & O_APPEND))
        return -1;
    return is_positional(transfer->io) ? transfer->io->detail : description->offset_bytes;
}

/* Follow the position of a plain read or write. */
static int move(const struct io_scene *scene, const struct transfer *transfer,
                struct io_habits_call *call)
{
    const struct side *const side = transfer->reads ? &transfer->from : &transfer->to;
    struct fds_description *const description = side->description;
    const uint8_t turn = transfer->reads ? FDS_TURN_READ : FDS_TURN_WRITE;
    if (!description || !side->file || transfer->bytes == 0)
        return 0;
    struct model_io_file other = {0}; /* where the process is not asked for */
    struct model_io_file *const file = scene->is_shown ? io_file(scene->io, side->file) : &other;
    file->turns += description->last_turn != FDS_TURN_NONE && description->last_turn != turn;
    description->last_turn = turn;
    if (!description->is_seekable)
        return 0;
    note_place(io_site(scene->io, call->site), file, description, call->start, transfer->bytes);
    if (!call->is_positional)
        description->offset_bytes = behind(call->start, transfer->bytes);
    return transfer->reads && scene->is_shown
               ? note_covered(scene->io, file, call->start, transfer->bytes, &call->reread_bytes)
               : 0;
}

/* The same, after what it did with memory was looked at. */
static int move_plain(const struct io_scene *scene, const struct transfer *transfer,
                      uint32_t number)
{
    const struct side *const side = transfer->reads ? &transfer->from : &transfer->to;
    struct io_joins_use use = {.reads = transfer->reads, .bytes = transfer->bytes};
    struct io_habits_call call = {
        .event = transfer->reads ? IO_HABITS_ON_READ : IO_HABITS_ON_WRITE,
        .description = side->number,
        .site = number,
        .bytes = transfer->bytes,
        .start = start_of(transfer, side),
        .is_positional = is_positional(transfer->io),
    };
    int error = io_joins_use(scene, number, &use);
    if (error == 0)
        error = move(scene, transfer, &call);
    call.block = use.block;
    call.is_copied = use.is_copied;
    return error ? error : io_habits_note(scene, &call);
}

/* The program may have given a copy positions of its own: none is known after it. */
static int move_copy(const struct io_scene *scene, const struct transfer *transfer)
{
    const struct side *const sides[] = {&transfer->from, &transfer->to};
    int error = 0;
    for (size_t i = 0; i < 2 && transfer->bytes && error == 0; i++) {
        struct fds_description *const description = sides[i]->description;
        error = io_habits_note(scene, &(struct io_habits_call){.event = IO_HABITS_ON_COPY,
                                                               .description = sides[i]->number});
        if (!description || !description->is_seekable)
            continue;
        description->offset_bytes = description->end_bytes = -1;
        if (i == 0 && scene->is_shown && sides[i]->file)
            io_file(scene->io, sides[i]->file)->was_read_unknown = true;
    }
    return error;
}

/* ---- what each counts ---- */

static int count_value(struct histogram *histogram, uint64_t value)
{
    return histogram_count(histogram, histogram_bucket(value), value);
}

static void count_process(const struct io_scene *scene, const struct transfer *transfer)
{
    struct model_io_counts *const counts = &scene->process->io;
    struct model_kernel_counts *const seen = &scene->process->kernel_io.seen;
    const struct io_kernel_counted counted = io_kernel_counts(transfer->io);
    const uint64_t read_bytes = transfer->reads ? transfer->bytes : 0;
    const uint64_t write_bytes = transfer->writes ? transfer->bytes : 0;
    counts->read_calls += transfer->reads;
    counts->write_calls += transfer->writes;
    counts->read_bytes = add_capped(counts->read_bytes, read_bytes);
    counts->write_bytes = add_capped(counts->write_bytes, write_bytes);
    seen->read_calls += counted.reads;
    seen->write_calls += counted.writes;
    seen->read_bytes = add_capped(seen->read_bytes, counted.reads ? read_bytes : 0);
    seen->write_bytes = add_capped(seen->write_bytes, counted.writes ? write_bytes : 0);
    if (scene->is_shown)
        timeline_count_io(&scene->model->timeline, read_bytes, write_bytes);
}

/* Time inside transfers and syncs. */
static void count_time(const struct io_scene *scene, uint64_t ticks, bool is_sync)
{
    struct model_io_thread *const thread = scene->thread;
    scene->process->io.ticks = add_capped(scene->process->io.ticks, ticks);
    thread->calls++;
    thread->ticks = add_capped(thread->ticks, ticks);
    if (is_sync)
        thread->sync_ticks = add_capped(thread->sync_ticks, ticks);
    if (ticks > thread->longest_ticks)
        thread->longest_ticks = ticks;
}

static int count_site(struct model_io_site *site, const struct transfer *transfer)
{
    const struct record_io *const io = transfer->io;
    site->calls++;
    site->bytes = add_capped(site->bytes, transfer->bytes);
    site->ticks = add_capped(site->ticks, io->took_ticks);
    site->failed += io->result < 0;
    site->would_block += io->result == -EAGAIN;
    site->interrupted += io->result == -EINTR;
    if (transfer->reads || transfer->writes) {
        site->short_calls += io->result > 0 && transfer->bytes < io->requested_bytes;
        site->empty += io->result == 0;
    }
    const int error = transfer->bytes ? count_value(&site->sizes, transfer->bytes) : 0;
    return error ? error : count_value(&site->latency_ticks, io->took_ticks);
}

static int count_read(struct model_io_file *file, const struct transfer *transfer)
{
    file->read_calls++;
    file->read_bytes = add_capped(file->read_bytes, transfer->bytes);
    return transfer->bytes ? count_value(&file->read_sizes, transfer->bytes) : 0;
}

static int count_write(struct model_io_file *file, const struct transfer *transfer)
{
    file->write_calls++;
    file->write_bytes = add_capped(file->write_bytes, transfer->bytes);
    return transfer->bytes ? count_value(&file->write_sizes, transfer->bytes) : 0;
}

/* The files of both sides; one that is on both is in the call once as long. */
static int count_files(const struct io_scene *scene, const struct transfer *transfer)
{
    const uint32_t from = transfer->from.file, to = transfer->to.file;
    const uint64_t ticks = transfer->io->took_ticks;
    const uint32_t files[] = {from, to == from ? 0 : to};
    int error = 0;
    if (!scene->is_shown)
        return 0;
    for (size_t i = 0; i < 2 && error == 0; i++) {
        if (files[i] == 0)
            continue;
        struct model_io_file *const file = io_file(scene->io, files[i]);
        file->ticks = add_capped(file->ticks, ticks);
        error = count_value(&file->latency_ticks, ticks);
    }
    if (error == 0 && from)
        error = count_read(io_file(scene->io, from), transfer);
    if (error == 0 && to)
        error = count_write(io_file(scene->io, to), transfer);
    return error;
}

/* ---- the kinds of calls ---- */

static void note_slow(const struct io_scene *scene, uint32_t site, uint32_t file, uint64_t bytes)
{
    const struct io_call call = {.op = scene->record->io.op,
                                 .took_ticks = scene->record->io.took_ticks,
                                 .bytes = bytes,
                                 .file = file,
                                 .node = site ? io_site(scene->io, site)->node : 0};
    io_sites_note_slow(scene, &call);
}

static int on_move(const struct io_scene *scene, enum io_class class)
{
    const struct record_io *const io = &scene->record->io;
    struct transfer transfer = {.io = io,
                                .reads = class != IO_CLASS_WRITE,
                                .writes = class != IO_CLASS_READ,
                                .bytes = io->result > 0 ? (uint64_t)io->result : 0};
    int error = 0;
    uint32_t number = 0;
    if (transfer.reads)
        error = find_side(scene, io->fd, &transfer.from);
    if (error == 0 && transfer.writes)
        error = find_side(scene, transfer.reads ? io->detail : io->fd, &transfer.to);
    const uint32_t file = transfer.reads ? transfer.from.file : transfer.to.file;
    if (error == 0)
        error = io_sites_find(scene, io->stack, io->op, file, &number);
    if (error)
        return error;
    struct model_io_site *const site = io_site(scene->io, number);
    if (scene->record->tag == TRACE_STDIO && io->detail > 0) {
        site->logical_calls = add_capped(site->logical_calls, (uint64_t)io->detail);
        scene->process->io.logical_calls =
            add_capped(scene->process->io.logical_calls, (uint64_t)io->detail);
    }
    count_process(scene, &transfer);
    count_time(scene, io->took_ticks, false);
    note_slow(scene, number, file, transfer.bytes);
    if ((error = count_site(site, &transfer)) || (error = count_files(scene, &transfer)))
        return error;
    return class == IO_CLASS_COPY ? move_copy(scene, &transfer)
                                  : move_plain(scene, &transfer, number);
}

/* sync() is none of the calls that fsync_count names; its time counts. */
static int on_sync(const struct io_scene *scene)
{
    const struct record_io *const io = &scene->record->io;
    const struct transfer transfer = {.io = io};
    struct side side;
    uint32_t number = 0;
    int error = find_side(scene, io->fd, &side);
    if (error == 0)
        error = io_sites_find(scene, io->stack, io->op, side.file, &number);
    if (error)
        return error;
    scene->process->io.fsyncs += io->op != IO_SYNC;
    count_time(scene, io->took_ticks, true);
    note_slow(scene, number, side.file, 0);
    if (side.file && scene->is_shown) {
        struct model_io_file *const file = io_file(scene->io, side.file);
        file->fsyncs++;
        file->ticks = add_capped(file->ticks, io->took_ticks);
        file->sync_ticks = add_capped(file->sync_ticks, io->took_ticks);
    }
    if ((error = count_site(io_site(scene->io, number), &transfer)))
        return error;
    return io_habits_note(scene, &(struct io_habits_call){.event = IO_HABITS_ON_SYNC,
                                                          .description = side.number,
                                                          .site = number});
}

/* Devices such as /dev/zero let themselves be sought, but have no places. */
static bool may_have_places(const struct fds_description *description)
{
    return description->kind == TRACE_FD_FILE || description->kind == TRACE_FD_BLOCK ||
           description->kind == TRACE_FD_OTHER; /* nobody told yet */
}

/* Seeks, questions about a file and the rest: no site of their own. */
static int on_other(const struct io_scene *scene, enum io_class class)
{
    const struct record_io *const io = &scene->record->io;
    const struct side side = look_up(scene, io->fd);
    scene->process->io.seeks += class == IO_CLASS_SEEK;
    scene->process->io.stats += class == IO_CLASS_STAT;
    if (side.file && scene->is_shown) {
        io_file(scene->io, side.file)->seeks += class == IO_CLASS_SEEK;
        io_file(scene->io, side.file)->stats += class == IO_CLASS_STAT;
    }
    const struct io_habits_call call = {
        .event = class == IO_CLASS_SEEK ? IO_HABITS_ON_SEEK : IO_HABITS_ON_CONNECT,
        .description = side.number,
        .start = side.description ? side.description->offset_bytes : -1,
    };
    if (class == IO_CLASS_SEEK && side.description && io->result >= 0 &&
        may_have_places(side.description)) {
        side.description->offset_bytes = io->result;
        side.description->is_seekable = true;
    }
    return class == IO_CLASS_SEEK || io->op == IO_CONNECT ? io_habits_note(scene, &call) : 0;
}

int io_transfer(const struct io_scene *scene)
{
    const enum io_class class = io_op_class(scene->record->io.op);
    const uint8_t op = scene->record->io.op;
    scene->io->n_aio += op == IO_AIO_READ || op == IO_AIO_WRITE;
    switch (class) {
    case IO_CLASS_READ:
    case IO_CLASS_WRITE:
    case IO_CLASS_COPY: return on_move(scene, class);
    case IO_CLASS_SYNC: return on_sync(scene);
    default: return on_other(scene, class);
    }
}
