/* SPDX-License-Identifier: MIT */
/* How messages are read. */
#include "preload/io_message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "preload/io_call.h"
#include "preload/io_vector.h"

/* The header is read before anything is sent or waited for, like the vector in it. */
static bool was_read(const struct msghdr *message, ssize_t result)
{
    return message && (result >= 0 || io_vector_was_read(result));
}

uint64_t io_message_bytes(const struct msghdr *message, ssize_t result)
{
    return was_read(message, result)
               ? io_vector_bytes(message->msg_iov, message->msg_iovlen, result)
               : 0;
}

const void *io_message_buffer(const struct msghdr *message, ssize_t result)
{
    return was_read(message, result)
               ? io_vector_buffer(message->msg_iov, message->msg_iovlen, result)
               : NULL;
}

uint64_t io_messages_bytes(const struct mmsghdr *messages, int result)
{
    uint64_t n_bytes = 0;
    for (int i = 0; i < result; i++)
        if (__builtin_add_overflow(n_bytes, io_message_bytes(&messages[i].msg_hdr, result),
                                   &n_bytes))
            return UINT64_MAX;
    return n_bytes;
}

int64_t io_messages_result(const struct mmsghdr *messages, int result)
{
    int64_t n_bytes = 0;
    for (int i = 0; i < result; i++)
        n_bytes += messages[i].msg_len;
    return result < 0 ? -errno : n_bytes;
}

const void *io_messages_buffer(const struct mmsghdr *messages, int result)
{
    return result > 0 ? io_message_buffer(&messages[0].msg_hdr, result) : NULL;
}

/* The data of a control message that brought descriptors. */
static void record_all(const uint8_t *data, size_t n_bytes, int from,
                       const struct arch_frame *caller)
{
    for (size_t at = 0; at + sizeof(int) <= n_bytes; at += sizeof(int)) {
        int fd;
        memcpy(&fd, data + at, sizeof fd);
        io_record_new(IO_RECEIVED_FD, fd, from, caller);
    }
}

void io_message_descriptors(const struct msghdr *message, int fd, const struct arch_frame *caller)
{
    const uint8_t *const control = message->msg_control;
    const size_t n = control ? message->msg_controllen : 0;
    size_t at = 0;
    while (at + sizeof(struct cmsghdr) <= n) {
        struct cmsghdr head;
        memcpy(&head, control + at, sizeof head);
        if (head.cmsg_len < sizeof head || head.cmsg_len > n - at)
            return;
        if (head.cmsg_level == SOL_SOCKET && head.cmsg_type == SCM_RIGHTS)
            record_all(control + at + CMSG_LEN(0), head.cmsg_len - CMSG_LEN(0), fd, caller);
        at += CMSG_ALIGN(head.cmsg_len);
    }
}
