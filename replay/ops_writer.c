/* SPDX-License-Identifier: MIT */
/* How the file makes room: blocks are had before they are mapped, for a full disk met by a store is
 * SIGBUS. A chunk is twice as long as the one before it, so that ten thousand short threads cost little. */
#include "replay/ops_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FIRST_BYTES = 1 << 20, CHUNK_MIN = 16 };

static int open_file(void)
{
    const char *const asked = getenv("TMPDIR");
    const char *const folders[] = {asked && *asked ? asked : "/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const int fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
    }
    const int fd = memfd_create("heapwise-replay", MFD_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* A file that outgrows the user's limit is a signal, not an error: it has to be asked for. */
static bool is_allowed(uint64_t n_bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
           n_bytes <= limit.rlim_cur;
}

static int make_room(struct ops_writer *writer, uint64_t n_bytes)
{
    if (writer->n_bytes + n_bytes <= writer->capacity)
        return 0;
    uint64_t wanted = writer->capacity ? writer->capacity + writer->capacity / 2 : FIRST_BYTES;
    while (wanted < writer->n_bytes + n_bytes)
        wanted += wanted / 2;
    wanted = (wanted + 4095) & ~UINT64_C(4095);
    if (!is_allowed(wanted))
        return -EFBIG;
    const int error =
        posix_fallocate(writer->fd, (off_t)writer->capacity, (off_t)(wanted - writer->capacity));
    if (error)
        return -error;
    void *const bytes = writer->bytes
                            ? mremap(writer->bytes, writer->capacity, wanted, MREMAP_MAYMOVE)
                            : mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, writer->fd, 0);
    if (bytes == MAP_FAILED)
        return -ENOMEM;
    writer->bytes = bytes;
    writer->capacity = wanted;
    return 0;
}

int ops_writer_open(struct ops_writer *writer)
{
    *writer = (struct ops_writer){.fd = open_file()};
    if (writer->fd < 0)
        return writer->fd;
    const int error = make_room(writer, sizeof(struct ops_head));
    if (error)
        ops_writer_close(writer);
    writer->n_bytes = sizeof(struct ops_head);
    return error;
}

int ops_writer_put(struct ops_writer *writer, const void *bytes, size_t n_bytes, uint64_t *at_out)
{
    const uint64_t padded = (n_bytes + 15) & ~(uint64_t)15;
    const int error = make_room(writer, padded);
    if (error)
        return error;
    if (n_bytes)
        memcpy(writer->bytes + writer->n_bytes, bytes, n_bytes);
    *at_out = writer->n_bytes;
    writer->n_bytes += padded;
    return 0;
}

static int begin_chunk(struct ops_writer *writer, struct ops_list *list)
{
    const uint32_t n = list->n_chunk == 0              ? CHUNK_MIN
                       : list->n_chunk < OPS_CHUNK_MAX ? 2 * list->n_chunk
                                                       : OPS_CHUNK_MAX;
    const int error = make_room(writer, n * sizeof(struct ops_op));
    if (error)
        return error;
    const uint64_t at = writer->n_bytes;
    writer->n_bytes += n * sizeof(struct ops_op);
    if (list->n_chunk)
        *ops_writer_op(writer, list->end) =
            (struct ops_op){.kind = OPS_JUMP, .slot = n, .bytes = at};
    else
        *list = (struct ops_list){.first_at = at, .n_first = n};
    list->n_chunk = n;
    list->at = at;
    list->end = at + (n - 1) * sizeof(struct ops_op);
    return 0;
}

int ops_writer_add(struct ops_writer *writer, struct ops_list *list, const struct ops_op *op,
                   uint64_t *at_out)
{
    const int error = list->at == list->end ? begin_chunk(writer, list) : 0;
    if (error)
        return error;
    *ops_writer_op(writer, list->at) = *op;
    *at_out = list->at;
    list->at += sizeof *op;
    return 0;
}

void ops_writer_close(struct ops_writer *writer)
{
    if (writer->bytes)
        munmap(writer->bytes, writer->capacity);
    if (writer->fd >= 0)
        close(writer->fd);
    *writer = (struct ops_writer){.fd = -1};
}
