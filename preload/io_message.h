/* SPDX-License-Identifier: MIT */
/* What a message of a socket holds. As io_vector.h: the program's pointers are followed only after the
 * kernel did so without objection. */
#ifndef HEAPWISE_PRELOAD_IO_MESSAGE_H
#define HEAPWISE_PRELOAD_IO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "preload/arch_x86_64.h"

/* Of one message, by the call's result (with errno). */
uint64_t io_message_bytes(const struct msghdr *message, ssize_t result);
const void *io_message_buffer(const struct msghdr *message, ssize_t result);

/* Of the messages that went, `result` in number: bytes asked for, bytes that went (-errno where none), memory
 * of the first. */
uint64_t io_messages_bytes(const struct mmsghdr *messages, int result);
int64_t io_messages_result(const struct mmsghdr *messages, int result);
const void *io_messages_buffer(const struct mmsghdr *messages, int result);

/* Record the descriptors that a message brought through the socket fd (SCM_RIGHTS). */
void io_message_descriptors(const struct msghdr *message, int fd, const struct arch_frame *caller);

/* The fields of struct event_io that are told so. */
#define IO_MESSAGE(message, result)                                                                \
    .requested_bytes = io_message_bytes((message), (result)),                                      \
    .buffer = io_message_buffer((message), (result))
#define IO_MESSAGES(messages, result)                                                              \
    .requested_bytes = io_messages_bytes((messages), (result)),                                    \
    .buffer = io_messages_buffer((messages), (result)), .detail = (result) < 0 ? 0 : (result)

#endif
