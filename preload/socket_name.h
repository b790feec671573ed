/* SPDX-License-Identifier: MIT */
/* What a socket is called: "socket:[tcp 127.0.0.1:6379]", "socket:[tcp6 [::1]:80]", "socket:[udp ...]",
 * "socket:[unix /path]", "socket:[unix @abstract]", "socket:[unix 12345]" (its inode, where neither end has a
 * name), "socket:[netlink]", "socket:[12345]" for the rest.
 *
 * Of a connection's two ends the one with the lower port gives the name: mostly the service, and the
 * same on both sides, so that a server's clients are one row. Makes raw system calls only. */
#ifndef HEAPWISE_PRELOAD_SOCKET_NAME_H
#define HEAPWISE_PRELOAD_SOCKET_NAME_H

#include <stdint.h>
#include <sys/socket.h>

enum { SOCKET_NAME_BYTES = 160 };

/* Write the name of an open socket, at most SOCKET_NAME_BYTES with the NUL. */
void socket_name(int fd, uint64_t inode, char *name_out);

/* The same of addresses already known; `type` as SO_TYPE says, family AF_UNSPEC where an end has none. */
void socket_name_of(int type, const struct sockaddr_storage *own,
                    const struct sockaddr_storage *peer, uint64_t inode, char *name_out);

#endif
