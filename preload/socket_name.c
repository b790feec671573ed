/* SPDX-License-Identifier: MIT */
/* How a socket's name is put together, without inet_ntop: that one uses stdio. */
#include "preload/socket_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/un.h>

#include "preload/number.h"
#include "preload/syscalls.h"

static char *put(char *at, const char *text)
{
    const size_t n = strlen(text);
    memcpy(at, text, n + 1);
    return at + n;
}

static char *put_hex(char *at, unsigned number)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned shift = number > 0xfff  ? 12
                          : number > 0xff ? 8
                          : number > 0xf  ? 4
                                          : 0;
         ; shift -= 4) {
        *at++ = digits[number >> shift & 15];
        if (shift == 0)
            return at;
    }
}

static char *put_ipv4(char *at, const struct in_addr *address)
{
    const uint8_t *const bytes = (const uint8_t *)&address->s_addr;
    for (unsigned i = 0; i < 4; i++) {
        at = number_text(at, bytes[i]);
        *at++ = i < 3 ? '.' : '\0';
    }
    return at - 1;
}

static unsigned group_of(const struct in6_addr *address, unsigned i)
{
    return (unsigned)address->s6_addr[2 * i] << 8 | address->s6_addr[2 * i + 1];
}

/* Where the longest run of zero groups begins, if it has two at least; else 8. Source: RFC 5952, 4.2. */
static unsigned longest_gap(const struct in6_addr *address, unsigned *n_out)
{
    unsigned best = 8, n_best = 1, n = 0;
    for (unsigned i = 0; i < 8; i++) {
        n = group_of(address, i) == 0 ? n + 1 : 0;
        if (n > n_best) {
            n_best = n;
            best = i + 1 - n;
        }
    }
    *n_out = best < 8 ? n_best : 0;
    return best;
}

static char *put_ipv6(char *at, const struct in6_addr *address)
{
    unsigned n_gap;
    const unsigned gap = longest_gap(address, &n_gap);
    *at++ = '[';
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap) {
            at = put(at, "::");
            i += n_gap - 1;
            continue;
        }
        if (i > 0 && i != gap + n_gap)
            *at++ = ':';
        at = put_hex(at, group_of(address, i));
    }
    return put(at, "]");
}

static unsigned port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return 0;
}

static char *put_internet(char *at, int type, const struct sockaddr_storage *address)
{
    const bool is_6 = address->ss_family == AF_INET6;
    at = put(at, type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "raw");
    at = put(at, is_6 ? "6 " : " ");
    if (is_6)
        at = put_ipv6(at, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    else
        at = put_ipv4(at, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    *at++ = ':';
    return number_text(at, port_of(address));
}

/* Returns false where the address is without a name. Abstract ones begin with NUL and may hold more. */
static bool put_unix(char **at, const struct sockaddr_storage *address)
{
    const struct sockaddr_un *const name = (const struct sockaddr_un *)(const void *)address;
    if (address->ss_family != AF_UNIX)
        return false;
    const bool is_abstract = name->sun_path[0] == '\0';
    const char *const text = name->sun_path + is_abstract;
    const size_t n = strnlen(text, sizeof name->sun_path - is_abstract);
    if (n == 0)
        return false;
    if (is_abstract)
        *(*at)++ = '@';
    memcpy(*at, text, n);
    *at += n;
    return true;
}

static const struct sockaddr_storage *lower_end(const struct sockaddr_storage *own,
                                                const struct sockaddr_storage *peer)
{
    return port_of(peer) != 0 && port_of(peer) < port_of(own) ? peer : own;
}

void socket_name_of(int type, const struct sockaddr_storage *own,
                    const struct sockaddr_storage *peer, uint64_t inode, char *name_out)
{
    char *at = put(name_out, "socket:[");
    switch (own->ss_family) {
    case AF_INET:
    case AF_INET6: at = put_internet(at, type, lower_end(own, peer)); break;
    case AF_UNIX:
        at = put(at, "unix ");
        if (!put_unix(&at, peer) && !put_unix(&at, own))
            at = number_text(at, inode);
        break;
    case AF_NETLINK: at = put(at, "netlink"); break;
    default: at = number_text(at, inode);
    }
    put(at, "]");
}

static void ask(long number, int fd, struct sockaddr_storage *address_out)
{
    socklen_t n = sizeof *address_out;
    memset(address_out, 0, sizeof *address_out);
    if (arch_syscall(number, fd, address_out, &n) != 0)
        address_out->ss_family = AF_UNSPEC;
}

void socket_name(int fd, uint64_t inode, char *name_out)
{
    struct sockaddr_storage own, peer;
    int type = 0;
    socklen_t n = sizeof type;
    arch_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &n);
    ask(SYS_getsockname, fd, &own);
    ask(SYS_getpeername, fd, &peer);
    socket_name_of(type, &own, &peer, inode, name_out);
}
