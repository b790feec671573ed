/* SPDX-License-Identifier: MIT */
/* When a vector may be read, and what it holds. */
#include "preload/io_vector.h"

#include <errno.h>
#include <limits.h>

/* The kernel takes the vector in before it does anything else with an open descriptor, so a refusal that
 * comes from the file, pipe or socket itself is later. */
bool io_vector_was_read(ssize_t result)
{
    if (result >= 0)
        return true;
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case EPIPE:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case ECONNRESET:
    case ETIMEDOUT: return true;
    default: return false;
    }
}

static bool was_read(const struct iovec *vector, size_t n, ssize_t result)
{
    return vector && n > 0 && n <= IOV_MAX && io_vector_was_read(result);
}

uint64_t io_vector_bytes(const struct iovec *vector, size_t n, ssize_t result)
{
    uint64_t n_bytes = 0;
    if (!was_read(vector, n, result))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(n_bytes, vector[i].iov_len, &n_bytes))
            return UINT64_MAX;
    return n_bytes;
}

const void *io_vector_buffer(const struct iovec *vector, size_t n, ssize_t result)
{
    return was_read(vector, n, result) ? vector[0].iov_base : NULL;
}
