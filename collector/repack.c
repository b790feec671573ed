/* SPDX-License-Identifier: MIT */
/* Each thread takes the next frame of the old file, makes it dense, waits for its turn and appends it:
 *
 *    old file --take, in order--> [thread: decompress, compress] --in turn--> NAME.XXXXXXXX --rename--> NAME
 *
 * so the order stays, and no more than a frame a thread is in memory. Which frames were stored is told
 * by their size. A file without a name (O_TMPFILE) would leave nothing behind when we are killed, but
 * linkat(2) never replaces a file; a moment without any trace would be worse than a stale file. */
#include "collector/repack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "collector/trace_file.h"
#include "collector/way.h"

enum repack_sizes {
    PLAIN_BYTES = 1 << 20, /* of a frame that is made dense; compress.c makes none longer but one */
    READ_BYTES = 2 << 20,  /* at least one frame of those */
    MOST_READ_BYTES = 32 << 20, /* for the one: a command line */
    MOST_THREADS = 4,
    MOST_NAME_BYTES = 256,
    TRIES = 16,
};

/* The old file, of which bytes[at..end) is read. */
struct old_file {
    int fd;
    uint8_t *bytes;
    size_t at, end, cap;
    bool at_end;
};

struct packing {
    const struct repack *repack;
    struct trace_file new_file; /* the one's whose turn it is */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t turned;
    struct old_file old;
    uint64_t n_taken, n_written; /* frames */
    uint64_t n_saved_bytes;
    int error; /* the first; everybody stops */
};

/* One thread's, with the frame it works at. */
struct packer {
    struct packing *packing;
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    uint8_t *frame, *plain, *dense; /* READ_BYTES or more, PLAIN_BYTES, and what those may become */
    size_t cap;
    size_t n_bytes;
    uint64_t turn;
};

/* ---- the old file ---- */

static int read_more(struct old_file *old)
{
    memmove(old->bytes, old->bytes + old->at, old->end - old->at);
    old->end -= old->at;
    old->at = 0;
    if (old->end == old->cap) {
        if (old->cap >= MOST_READ_BYTES)
            return -EBADMSG;
        uint8_t *const moved = realloc(old->bytes, 2 * old->cap);
        if (!moved)
            return -ENOMEM;
        old->bytes = moved;
        old->cap *= 2;
    }
    const ssize_t n = read(old->fd, old->bytes + old->end, old->cap - old->end);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    old->at_end = n == 0;
    old->end += (size_t)n;
    return 0;
}

/* Find the next frame, bytes[at..at + n). n is 0 at the end of the file. */
static int find_frame(struct old_file *old, size_t *n_out)
{
    for (;;) {
        const size_t n_left = old->end - old->at;
        const size_t n = ZSTD_findFrameCompressedSize(old->bytes + old->at, n_left);
        if (!ZSTD_isError(n) || (old->at_end && n_left == 0)) {
            *n_out = n_left ? n : 0;
            return 0;
        }
        if (old->at_end)
            return -EBADMSG;
        const int error = read_more(old);
        if (error)
            return error;
    }
}

/* ---- taking, packing, writing ---- */

/* Under the lock: the next frame, unless there is no need of more. Returns 1 with one, 0, or an error. */
static int take_frame(struct packing *packing, struct packer *packer)
{
    struct old_file *const old = &packing->old;
    size_t n;
    if (packing->n_saved_bytes >= packing->repack->debt_bytes)
        return 0;
    if (atomic_load(packing->repack->unwanted))
        return -ECANCELED;
    const int error = find_frame(old, &n);
    if (error || n == 0)
        return error;
    if (n > packer->cap) {
        uint8_t *const larger = realloc(packer->frame, n);
        if (!larger)
            return -ENOMEM;
        packer->frame = larger;
        packer->cap = n;
    }
    memcpy(packer->frame, old->bytes + old->at, n);
    old->at += n;
    packer->n_bytes = n;
    packer->turn = packing->n_taken++;
    return 1;
}

/* A stored frame is not much smaller than what it holds. */
static bool is_stored(const struct packer *packer, size_t *n_plain_out)
{
    const unsigned long long n = ZSTD_getFrameContentSize(packer->frame, packer->n_bytes);
    if (n == 0 || n > PLAIN_BYTES || packer->n_bytes < n / 8 * 7)
        return false;
    *n_plain_out = (size_t)n;
    return true;
}

/* Find the bytes to be written instead of the frame. Frames are decompressed with their checksums, and
 * those that do not get smaller stay. */
static int pack_frame(struct packer *packer, const uint8_t **bytes_out, size_t *n_out)
{
    size_t n_plain;
    *bytes_out = packer->frame;
    *n_out = packer->n_bytes;
    if (!is_stored(packer, &n_plain))
        return 0;
    if (ZSTD_decompressDCtx(packer->decompressor, packer->plain, PLAIN_BYTES, packer->frame,
                            packer->n_bytes) != n_plain)
        return -EBADMSG;
    const size_t n = ZSTD_compress2(packer->compressor, packer->dense,
                                    ZSTD_COMPRESSBOUND(PLAIN_BYTES), packer->plain, n_plain);
    if (ZSTD_isError(n))
        return -ENOMEM;
    if (n < packer->n_bytes) {
        *bytes_out = packer->dense;
        *n_out = n;
    }
    return 0;
}

/* Under the lock: wait for the turn, let go of the lock for writing, pass the turn on. */
static int write_in_turn(struct packing *packing, const struct packer *packer, const uint8_t *bytes,
                         size_t n_bytes)
{
    while (packing->n_written != packer->turn && !packing->error)
        pthread_cond_wait(&packing->turned, &packing->lock);
    if (packing->error)
        return packing->error;
    pthread_mutex_unlock(&packing->lock);
    const int error = trace_file_write(&packing->new_file, bytes, n_bytes);
    pthread_mutex_lock(&packing->lock);
    packing->n_written++;
    packing->n_saved_bytes += packer->n_bytes - n_bytes;
    pthread_cond_broadcast(&packing->turned);
    return error;
}

/* Under the lock but for the work itself. */
static void pack_frames(struct packing *packing, struct packer *packer)
{
    while (!packing->error) {
        const uint8_t *bytes;
        size_t n_bytes;
        int error = take_frame(packing, packer);
        if (error == 0)
            return;
        if (error > 0) {
            pthread_mutex_unlock(&packing->lock);
            error = pack_frame(packer, &bytes, &n_bytes);
            pthread_mutex_lock(&packing->lock);
        }
        if (error == 0)
            error = write_in_turn(packing, packer, bytes, n_bytes);
        if (error && !packing->error)
            packing->error = error;
    }
    pthread_cond_broadcast(&packing->turned);
}

/* ---- the threads ---- */

static int packer_init(struct packer *packer, struct packing *packing)
{
    *packer = (struct packer){.packing = packing, .cap = READ_BYTES};
    packer->compressor = way_new_context();
    packer->decompressor = ZSTD_createDCtx();
    packer->frame = malloc(READ_BYTES);
    packer->plain = malloc(PLAIN_BYTES);
    packer->dense = malloc(ZSTD_COMPRESSBOUND(PLAIN_BYTES));
    return packer->compressor && packer->decompressor && packer->frame && packer->plain &&
                   packer->dense
               ? 0
               : -ENOMEM;
}

static void packer_fini(struct packer *packer)
{
    ZSTD_freeCCtx(packer->compressor);
    ZSTD_freeDCtx(packer->decompressor);
    free(packer->frame);
    free(packer->plain);
    free(packer->dense);
}

static void *run_packer(void *of_packing)
{
    struct packing *const packing = of_packing;
    struct packer packer;
    const int error = packer_init(&packer, packing);
    pthread_mutex_lock(&packing->lock);
    if (error && !packing->error)
        packing->error = error;
    pack_frames(packing, &packer);
    pthread_mutex_unlock(&packing->lock);
    packer_fini(&packer);
    return NULL;
}

static unsigned count_threads(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (unsigned)n;
}

/* Threads that are not to be had are done without. */
static int pack_side_by_side(struct packing *packing)
{
    pthread_t threads[MOST_THREADS];
    const unsigned n_wanted = count_threads() - 1;
    unsigned n = 0;
    while (n < n_wanted && pthread_create(&threads[n], NULL, run_packer, packing) == 0)
        n++;
    run_packer(packing);
    while (n > 0)
        pthread_join(threads[--n], NULL);
    return packing->error;
}

/* Behind the last frame that was taken. */
static int copy_rest(struct packing *packing)
{
    struct old_file *const old = &packing->old;
    while (!old->at_end || old->at < old->end) {
        if (atomic_load(packing->repack->unwanted))
            return -ECANCELED;
        int error = trace_file_write(&packing->new_file, old->bytes + old->at, old->end - old->at);
        old->at = old->end;
        if (error == 0)
            error = read_more(old);
        if (error)
            return error;
    }
    return 0;
}

/* ---- the two files ---- */

static int pack_file(const struct repack *repack, int old_fd, int new_fd, uint64_t *n_bytes_out)
{
    struct packing packing = {
        .repack = repack,
        .new_file = {.fd = new_fd, .folder_fd = -1},
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .turned = PTHREAD_COND_INITIALIZER,
        .old = {.fd = old_fd, .bytes = malloc(READ_BYTES), .cap = READ_BYTES},
    };
    int error = packing.old.bytes ? pack_side_by_side(&packing) : -ENOMEM;
    if (error == 0)
        error = copy_rest(&packing);
    free(packing.old.bytes);
    pthread_cond_destroy(&packing.turned);
    pthread_mutex_destroy(&packing.lock);
    if (error == 0)
        *n_bytes_out = packing.new_file.n_bytes;
    return error;
}

/* Open the trace for reading by its name, if that is still its name and its only one. */
static int open_old(const struct repack *repack, struct stat *status_out)
{
    struct stat trace;
    const int fd =
        openat(repack->folder_fd, repack->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (fstat(repack->trace_fd, &trace) == 0 && fstat(fd, status_out) == 0 &&
        trace.st_dev == status_out->st_dev && trace.st_ino == status_out->st_ino &&
        trace.st_nlink == 1 && S_ISREG(trace.st_mode))
        return fd;
    close(fd);
    return -ESTALE;
}

static int open_new(const struct repack *repack, char *name)
{
    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t random;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return -EIO;
        if (snprintf(name, MOST_NAME_BYTES, "%s.%08x", repack->name, random) >= MOST_NAME_BYTES)
            return -ENAMETOOLONG;
        const int fd = openat(repack->folder_fd, name,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd < 0 ? -errno : fd;
    }
    return -EEXIST;
}

/* Whoever may read the old file may read the new one, and nobody else. */
static int take_rights(int new_fd, const struct stat *old)
{
    struct stat status;
    if (fstat(new_fd, &status) ||
        (status.st_gid != old->st_gid && fchown(new_fd, (uid_t)-1, old->st_gid)) ||
        fchmod(new_fd, old->st_mode & 07777))
        return -errno;
    return status.st_uid == old->st_uid ? 0 : -ESTALE;
}

int repack_trace(const struct repack *repack, uint64_t *n_bytes_out)
{
    char name[MOST_NAME_BYTES];
    struct stat status;
    uint64_t n_bytes;
    const int old_fd = open_old(repack, &status);
    if (old_fd < 0)
        return old_fd;
    const int new_fd = open_new(repack, name);
    int error = new_fd;
    if (new_fd < 0)
        goto close_old;
    error = pack_file(repack, old_fd, new_fd, &n_bytes);
    if (error == 0)
        error = take_rights(new_fd, &status);
    if (close(new_fd) && error == 0)
        error = -errno;
    if (error == 0 && renameat(repack->folder_fd, name, repack->folder_fd, repack->name))
        error = -errno;
    if (error)
        unlinkat(repack->folder_fd, name, 0);
    else
        *n_bytes_out = n_bytes;
close_old:
    close(old_fd);
    return error;
}
