/* SPDX-License-Identifier: MIT */
/* What a vectored call asked for. Pointers of the program are followed only after the kernel did so
 * without objection: a bad one is the kernel's to refuse, not ours to die of. */
#ifndef HEAPWISE_PRELOAD_IO_VECTOR_H
#define HEAPWISE_PRELOAD_IO_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Tell whether a call that ended so (with errno) has read its vector. */
bool io_vector_was_read(ssize_t result);

/* Bytes of all pieces together; 0 where the call's result (with errno) does not show that the vector was
 * read. Saturates. */
uint64_t io_vector_bytes(const struct iovec *vector, size_t n, ssize_t result);

/* The first piece's address, likewise NULL. */
const void *io_vector_buffer(const struct iovec *vector, size_t n, ssize_t result);

/* The fields of struct event_io that are told so. */
#define IO_VECTOR(vector, n, result)                                                               \
    .requested_bytes = io_vector_bytes((vector), (size_t)(n), (result)),                           \
    .buffer = io_vector_buffer((vector), (size_t)(n), (result))

#endif
