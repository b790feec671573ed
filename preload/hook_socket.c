/* SPDX-License-Identifier: MIT */
/* Hooks of sockets: what is sent and received, and how a socket comes to be.
 *
 * Of several messages in one call the result is the bytes of all, the detail their number. Descriptors that
 * came with a message are new ones; connecting makes a socket another, so what was told of it is void. */
#include "preload/io_call.h"
#include "preload/io_message.h"

#include <sys/socket.h>

#define IO_ALIAS(name) IO_EXPORT __attribute__((alias(name)))

IO_EXPORT ssize_t __send(int fd, const void *buffer, size_t n_bytes, int flags);
IO_EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags);
IO_EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags,
                                 __SOCKADDR_ARG address, socklen_t *n_address);

/* ---- sending ---- */

IO_ALIAS("send") ssize_t __send(int fd, const void *buffer, size_t n_bytes, int flags);
IO_EXPORT ssize_t send(int fd, const void *buffer, size_t n_bytes, int flags)
{
    IO_CALL(ssize_t, IO_SENDTO, fd, real.send(fd, buffer, n_bytes, flags),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t sendto(int fd, const void *buffer, size_t n_bytes, int flags,
                         __CONST_SOCKADDR_ARG address, socklen_t n_address)
{
    IO_CALL(ssize_t, IO_SENDTO, fd, real.sendto(fd, buffer, n_bytes, flags, address, n_address),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    IO_CALL(ssize_t, IO_SENDMSG, fd, real.sendmsg(fd, message, flags), IO_MESSAGE(message, result));
}

IO_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
    IO_BODY(int, io_begin_on(fd), IO_SENDMMSG, fd, real.sendmmsg(fd, messages, n, flags),
            io_messages_result(messages, result), IO_MESSAGES(messages, result));
}

/* ---- receiving ---- */

IO_EXPORT ssize_t recv(int fd, void *buffer, size_t n_bytes, int flags)
{
    IO_CALL(ssize_t, IO_RECVFROM, fd, real.recv(fd, buffer, n_bytes, flags),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags)
{
    IO_CALL(ssize_t, IO_RECVFROM, fd, real.__recv_chk(fd, buffer, n_bytes, n_room, flags),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t recvfrom(int fd, void *buffer, size_t n_bytes, int flags, __SOCKADDR_ARG address,
                           socklen_t *n_address)
{
    IO_CALL(ssize_t, IO_RECVFROM, fd, real.recvfrom(fd, buffer, n_bytes, flags, address, n_address),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags,
                                 __SOCKADDR_ARG address, socklen_t *n_address)
{
    IO_CALL(ssize_t, IO_RECVFROM, fd,
            real.__recvfrom_chk(fd, buffer, n_bytes, n_room, flags, address, n_address),
            .requested_bytes = n_bytes, .buffer = buffer);
}

IO_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin_on(fd);
    const ssize_t result = real.recvmsg(fd, message, flags);
    if (!began)
        return result;
    io_record(&(struct event_io){.op = IO_RECVMSG,
                                 .fd = fd,
                                 .began = began,
                                 .result = io_result(result),
                                 IO_MESSAGE(message, result)},
              &caller);
    if (result >= 0)
        io_message_descriptors(message, fd, &caller);
    return result;
}

IO_EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags,
                       struct timespec *limit)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin_on(fd);
    const int result = real.recvmmsg(fd, messages, n, flags, limit);
    if (!began)
        return result;
    io_record(&(struct event_io){.op = IO_RECVMMSG,
                                 .fd = fd,
                                 .began = began,
                                 .result = io_messages_result(messages, result),
                                 IO_MESSAGES(messages, result)},
              &caller);
    for (int i = 0; i < result; i++)
        io_message_descriptors(&messages[i].msg_hdr, fd, &caller);
    return result;
}

/* ---- how sockets come to be ---- */

IO_EXPORT int socket(int family, int type, int protocol)
{
    IO_NEW(IO_SOCKET, -1, real.socket(family, type, protocol));
}

IO_EXPORT int socketpair(int family, int type, int protocol, int fds[2])
{
    IO_PAIR(IO_SOCKETPAIR, fds, real.socketpair(family, type, protocol, fds));
}

IO_EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *n_address)
{
    IO_NEW(IO_ACCEPT, fd, real.accept(fd, address, n_address));
}

IO_EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *n_address, int flags)
{
    IO_NEW(IO_ACCEPT, fd, real.accept4(fd, address, n_address, flags));
}

IO_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t n_address)
{
    const struct arch_frame caller = ARCH_CALLER_FRAME();
    const uint64_t began = io_begin();
    const int result = real.connect(fd, address, n_address);
    if (!began)
        return result;
    identity_forget(fd);
    io_record(&(struct event_io){.op = IO_CONNECT,
                                 .fd = fd,
                                 .began = began,
                                 .result = io_result(result),
                                 .requested_bytes = n_address},
              &caller);
    return result;
}
