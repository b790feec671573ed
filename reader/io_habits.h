/* SPDX-License-Identifier: MIT */
/* What precedes and follows each call on a descriptor: reader/habits.h, while a trace is read.
 *
 * Kept only where it is asked for: model_io.habits is NULL else, and nothing here costs more than that question.
 * For each open file description there is what came last, for each I/O site the sums; both grow with what is
 * met. Copies between descriptors and calls that were refused end a sequence; EAGAIN, EINTR and what moves neither
 * bytes nor the position (fstat, fadvise, lseek as ftell uses it) leave it as it is. */
#ifndef HEAPWISE_READER_IO_HABITS_H
#define HEAPWISE_READER_IO_HABITS_H

#include <stdbool.h>
#include <stdint.h>

#include "reader/io_scene.h"
#include "reader/io_whole.h"
#include "reader/path_sites.h"

enum io_habits_limits {
    IO_HABITS_BEFORE = 4, /* sites told apart of those that came before the calls of one */
    IO_HABITS_MAX_DESCRIPTIONS = 1 << 17, /* numbers followed, 18 MiB: open at the same time */
};

/* Which sites came before how often. Exact for IO_HABITS_BEFORE of them; a further one takes the place, and the
 * count, of the least frequent: whoever makes more than a quarter of all is there in any case. */
struct io_habits_votes {
    uint32_t sites[IO_HABITS_BEFORE]; /* 0 none */
    uint64_t counts[IO_HABITS_BEFORE];
};

/* Of one I/O site, by its number; fields as in struct io_habits. */
struct io_habits_site {
    struct io_habits_votes adjacent, reply;
    uint64_t adjacent_calls, adjacent_bytes, answer_calls;
    uint64_t reply_calls, reply_ticks, reply_bytes, request_bytes;
    uint64_t after_seek_calls, synced_calls, synced_ticks, backward_calls, reread_bytes;
    uint64_t whole_file_calls, whole_file_bytes;
    uint64_t copied_elsewhere_calls, longest_dry_run;
};

enum io_habits_was {
    IO_HABITS_NOTHING,
    IO_HABITS_READ,
    IO_HABITS_WRITE,
    IO_HABITS_SEEK,
};

/* Who speaks first on a connection: a read after a write awaits a reply only there. */
enum io_habits_role {
    IO_HABITS_UNKNOWN,
    IO_HABITS_ASKS,
    IO_HABITS_ANSWERS, /* it was accepted, or was read from before anything else */
};

/* What came last on one open file description. */
struct io_habits_last {
    uint64_t serial;        /* the description's */
    uint32_t thread;        /* number + 1 of who made the last call; 0 none */
    uint32_t site;          /* of that call */
    uint8_t was;            /* io_habits_was */
    uint8_t role;           /* io_habits_role */
    bool is_short;          /* it moved less than was asked for */
    int64_t start, end;     /* of the last transfer, whoever made it; -1 not known */
    uint64_t request_bytes; /* of that thread's writes since it read */
    uint32_t unsynced_site, unsynced_thread; /* of the last write, until a sync; 0 none */
    uint32_t dry_site; /* whose calls have given nothing since something moved */
    uint64_t n_dry;
    uint64_t file_bytes; /* the file's size when it was told of */
    struct io_whole whole;
};

struct io_habits_book {
    struct io_habits_site *sites; /* by number - 1; as many as were met */
    struct io_habits_last *lasts; /* by number of a description - 1 */
    uint32_t n_sites, sites_capacity, n_lasts, lasts_capacity;
    struct path_sites paths;
};

enum io_habits_event {
    IO_HABITS_ON_READ,
    IO_HABITS_ON_WRITE,
    IO_HABITS_ON_SYNC,
    IO_HABITS_ON_SEEK,
    IO_HABITS_ON_COPY, /* from or to the descriptor */
    IO_HABITS_ON_CONNECT,
    IO_HABITS_ON_ACCEPT,
    IO_HABITS_ON_FILE, /* what the descriptor leads to was told */
};

/* The scene's record, as far as it was understood. */
struct io_habits_call {
    enum io_habits_event event;
    uint32_t description; /* number, 0 not known: nothing is noted then */
    uint32_t site;        /* of reads, writes and syncs */
    uint64_t bytes;       /* moved; of a file its size */
    int64_t start;        /* where the bytes lie, a seek begins; -1 not known, no such places */
    bool is_positional;   /* it named that place itself */
    bool is_copied;       /* writes: of memory that the thread's last read filled */
    uint64_t reread_bytes;
    const struct block *block; /* where the buffer lay; NULL elsewhere */
};

/* Begin to keep them. 0 or -ENOMEM. */
int io_habits_begin(struct model_io *io);
void io_habits_fini(struct model_io *io);

/* Note a call. Returns 0 or -ENOMEM. */
int io_habits_apply(const struct io_scene *scene, const struct io_habits_call *call);

static inline int io_habits_note(const struct io_scene *scene, const struct io_habits_call *call)
{
    return scene->io->habits ? io_habits_apply(scene, call) : 0;
}

/* Count a site `n` more times. */
void io_habits_vote(struct io_habits_votes *votes, uint32_t site, uint64_t n);

#endif
