/* SPDX-License-Identifier: MIT */
/* How calls are held against the one before: a small state per description that each call looks at, then
 * replaces.
 *
 *   write  write  read  read       lseek  read       write  fsync
 *          ^adj.  ^reply                  ^after             ^charged to the write
 */
#include "reader/io_habits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader/array.h"
#include "trace/io_ops.h"

/* A call while it is noted. */
struct note {
    const struct io_scene *scene;
    const struct record_io *io;
    const struct io_habits_call *call;
    const struct fds_description *description;
    struct io_habits_last *last;
    struct io_habits_site *site; /* NULL for calls without one */
};

/* ---- what is kept ---- */

int io_habits_begin(struct model_io *io)
{
    io->habits = calloc(1, sizeof *io->habits);
    return io->habits ? 0 : -ENOMEM;
}

void io_habits_fini(struct model_io *io)
{
    if (!io->habits)
        return;
    path_sites_fini(&io->habits->paths);
    free(io->habits->sites);
    free(io->habits->lasts);
    free(io->habits);
    io->habits = NULL;
}

static int reach_site(struct io_habits_book *book, uint32_t number)
{
    while (book->n_sites < number) {
        struct io_habits_site *const sites =
            array_room(book->sites, book->n_sites, &book->sites_capacity, sizeof *sites);
        if (!sites)
            return -ENOMEM;
        book->sites = sites;
        sites[book->n_sites++] = (struct io_habits_site){.adjacent_calls = 0};
    }
    return 0;
}

static int reach_last(struct io_habits_book *book, uint32_t number)
{
    while (book->n_lasts < number) {
        struct io_habits_last *const lasts =
            array_room(book->lasts, book->n_lasts, &book->lasts_capacity, sizeof *lasts);
        if (!lasts)
            return -ENOMEM;
        book->lasts = lasts;
        lasts[book->n_lasts++] = (struct io_habits_last){.serial = 0};
    }
    return 0;
}

/* The state of a description, which begins anew when its number does. */
static struct io_habits_last *last_of(struct io_habits_book *book,
                                      const struct fds_description *description, uint32_t number)
{
    struct io_habits_last *const last = &book->lasts[number - 1];
    if (last->serial != description->serial)
        *last = (struct io_habits_last){.serial = description->serial, .start = -1, .end = -1};
    return last;
}

/* A new site takes the least frequent one's count along: its own may have been forgotten earlier. */
void io_habits_vote(struct io_habits_votes *votes, uint32_t site, uint64_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < IO_HABITS_BEFORE; i++) {
        if (votes->sites[i] == site) {
            at = i;
            break;
        }
        if (votes->counts[i] < votes->counts[at])
            at = i;
    }
    votes->sites[at] = site;
    votes->counts[at] = add_capped(votes->counts[at], n);
}

/* ---- the call before ---- */

static uint32_t thread_of(const struct note *note)
{
    return note->scene->thread_number + 1;
}

/* What this thread did last here, if nobody else did anything since. */
static enum io_habits_was was_before(const struct note *note)
{
    return note->last->thread == thread_of(note) ? (enum io_habits_was)note->last->was
                                                 : IO_HABITS_NOTHING;
}

/* Places that are not known, and those of streams, follow each other as the calls do. What a short write left over
 * is no write of its own. */
static bool is_adjacent(const struct note *note)
{
    return was_before(note) == IO_HABITS_WRITE && !note->last->is_short &&
           note->call->start == note->last->end;
}

static bool is_connection(const struct note *note)
{
    const uint8_t kind = note->description->kind;
    return kind == TRACE_FD_SOCKET || kind == TRACE_FD_PIPE;
}

static bool is_reply(const struct note *note)
{
    return was_before(note) == IO_HABITS_WRITE && note->last->role != IO_HABITS_ANSWERS &&
           is_connection(note);
}

static bool is_answer(const struct note *note)
{
    return was_before(note) == IO_HABITS_READ && note->last->role == IO_HABITS_ANSWERS &&
           is_connection(note);
}

static void note_adjacent(const struct note *note)
{
    note->site->adjacent_calls++;
    note->site->adjacent_bytes = add_capped(note->site->adjacent_bytes, note->call->bytes);
    io_habits_vote(&note->site->adjacent, note->last->site, 1);
}

static void note_reply(const struct note *note)
{
    struct io_habits_site *const site = note->site;
    site->reply_calls++;
    site->reply_ticks = add_capped(site->reply_ticks, note->io->took_ticks);
    site->reply_bytes = add_capped(site->reply_bytes, note->call->bytes);
    site->request_bytes = add_capped(site->request_bytes, note->last->request_bytes);
    io_habits_vote(&site->reply, note->last->site, 1);
}

/* ---- what it moved, and where ---- */

/* Calls of one site that gave nothing, until something moves. */
static void note_dry(const struct note *note)
{
    struct io_habits_last *const last = note->last;
    if (note->io->result == -EINTR)
        return;
    if (note->io->result != 0 && note->io->result != -EAGAIN) {
        last->n_dry = 0;
        return;
    }
    last->n_dry = last->dry_site == note->call->site ? last->n_dry + 1 : 1;
    last->dry_site = note->call->site;
    if (last->n_dry > note->site->longest_dry_run)
        note->site->longest_dry_run = last->n_dry;
}

static void note_whole(const struct note *note)
{
    struct io_habits_site *const site = note->site;
    const uint64_t file_bytes = note->last->file_bytes;
    const uint64_t n_calls = io_whole_note(&note->last->whole, note->scene, note->call, file_bytes);
    site->whole_file_calls += n_calls;
    if (n_calls && file_bytes > site->whole_file_bytes)
        site->whole_file_bytes = file_bytes;
}

/* Which descriptor filled the memory that the thread may write next. */
static void note_source(const struct note *note)
{
    if (note->io->buffer)
        note->scene->thread->read_serial = note->description->serial;
}

static void note_copied(const struct note *note)
{
    const uint64_t source = note->scene->thread->read_serial;
    note->site->copied_elsewhere_calls +=
        note->call->is_copied && source && source != note->description->serial;
}

/* ---- the kinds of calls ---- */

static void remember(const struct note *note, enum io_habits_was was)
{
    struct io_habits_last *const last = note->last;
    const struct io_habits_call *const call = note->call;
    const bool is_read = was == IO_HABITS_READ;
    const uint64_t before =
        was_before(note) == IO_HABITS_WRITE ? last->request_bytes : 0; /* not yet replied to */
    int64_t end;
    if (last->role == IO_HABITS_UNKNOWN)
        last->role = is_read ? IO_HABITS_ANSWERS : IO_HABITS_ASKS;
    last->request_bytes = is_read ? 0 : add_capped(before, call->bytes);
    last->was = (uint8_t)was;
    last->thread = thread_of(note);
    last->site = call->site;
    last->is_short = call->bytes < note->io->requested_bytes;
    last->start = call->start;
    last->end =
        call->start < 0 || __builtin_add_overflow(call->start, call->bytes, &end) ? -1 : end;
    if (is_read)
        return;
    last->unsynced_site = call->site;
    last->unsynced_thread = last->thread;
}

/* Returns whether the call moved bytes, so that it is one of a sequence. */
static bool begin_transfer(const struct note *note)
{
    const int64_t result = note->io->result;
    note_dry(note);
    if (result == -EAGAIN || result == -EINTR)
        return false;
    note->site->after_seek_calls +=
        was_before(note) == IO_HABITS_SEEK && result >= 0 && !note->call->is_positional;
    if (note->call->bytes == 0) {
        note->last->was = IO_HABITS_NOTHING;
        return false;
    }
    note->site->backward_calls += note->call->start >= 0 && note->call->start < note->last->start;
    return true;
}

static void on_read(const struct note *note)
{
    if (!begin_transfer(note))
        return;
    if (is_reply(note))
        note_reply(note);
    note_whole(note);
    note_source(note);
    note->site->reread_bytes = add_capped(note->site->reread_bytes, note->call->reread_bytes);
    remember(note, IO_HABITS_READ);
}

static void on_write(const struct note *note)
{
    if (!begin_transfer(note))
        return;
    if (is_adjacent(note))
        note_adjacent(note);
    note->site->answer_calls += is_answer(note);
    note_copied(note);
    note->last->whole.block = 0;
    remember(note, IO_HABITS_WRITE);
}

static void on_sync(const struct note *note)
{
    struct io_habits_last *const last = note->last;
    const bool is_full = note->io->op == IO_FSYNC || note->io->op == IO_FDATASYNC;
    if (!is_full || note->io->result != 0)
        return;
    if (last->unsynced_site && last->unsynced_thread == thread_of(note)) {
        struct io_habits_site *const site =
            &note->scene->io->habits->sites[last->unsynced_site - 1];
        site->synced_calls++;
        site->synced_ticks = add_capped(site->synced_ticks, note->io->took_ticks);
    }
    last->unsynced_site = 0;
    last->was = IO_HABITS_NOTHING;
}

/* Whoever asks where he is (ftell, Python's open) moves nothing. */
static bool is_question(const struct note *note)
{
    const int64_t before = note->call->start;
    return note->io->requested_bytes == SEEK_CUR && (before < 0 || before == note->io->result);
}

static void on_seek(const struct note *note)
{
    if (note->io->result < 0 || is_question(note))
        return;
    note->last->was = IO_HABITS_SEEK;
    note->last->thread = thread_of(note);
}

/* Where it left the position is not known, nor what it wrote to a file. */
static void on_copy(const struct note *note)
{
    struct io_habits_last *const last = note->last;
    last->was = IO_HABITS_NOTHING;
    last->start = last->end = -1;
    last->unsynced_site = 0;
    last->n_dry = 0;
    last->whole.block = 0;
}

static void on_connect(const struct note *note)
{
    note->last->role = IO_HABITS_ASKS;
}

static void on_accept(const struct note *note)
{
    note->last->role = IO_HABITS_ANSWERS;
}

static void on_file(const struct note *note)
{
    note->last->file_bytes = note->call->bytes;
}

static void (*const handlers[])(const struct note *note) = {
    [IO_HABITS_ON_READ] = on_read,     [IO_HABITS_ON_WRITE] = on_write,
    [IO_HABITS_ON_SYNC] = on_sync,     [IO_HABITS_ON_SEEK] = on_seek,
    [IO_HABITS_ON_COPY] = on_copy,     [IO_HABITS_ON_CONNECT] = on_connect,
    [IO_HABITS_ON_ACCEPT] = on_accept, [IO_HABITS_ON_FILE] = on_file,
};

int io_habits_apply(const struct io_scene *scene, const struct io_habits_call *call)
{
    struct io_habits_book *const book = scene->io->habits;
    if (call->event == IO_HABITS_ON_READ && call->bytes)
        scene->thread->read_serial = 0; /* until it is known what was read */
    if (call->description == 0 || call->description > IO_HABITS_MAX_DESCRIPTIONS)
        return 0;
    const int error = reach_last(book, call->description);
    if (error || reach_site(book, call->site))
        return -ENOMEM;
    const struct fds_description *const description =
        fds_description(&scene->io->descriptions, call->description);
    const struct note note = {
        .scene = scene,
        .io = &scene->record->io,
        .call = call,
        .description = description,
        .last = last_of(book, description, call->description),
        .site = call->site ? &book->sites[call->site - 1] : NULL,
    };
    handlers[call->event](&note);
    return 0;
}
