/* SPDX-License-Identifier: MIT */
/* A pair of sockets and a connection over TCP on loopback: 40 sends of 10 bytes and as many receives by each function, a
 * descriptor passed over, EAGAIN where nothing waits. */
#include "io_victim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

static char bytes[64];

SITE static void by_send(int from, int to)
{
    for (int i = 0; i < 40; i++) {
        MUST(send(from, bytes, 10, 0) == 10);
        MUST(recv(to, bytes, 10, MSG_WAITALL) == 10);
    }
}

SITE static void by_sendto(int from, int to)
{
    for (int i = 0; i < 40; i++) {
        MUST(sendto(from, bytes, 10, 0, NULL, 0) == 10);
        MUST(recvfrom(to, bytes, 10, 0, NULL, NULL) == 10);
    }
}

SITE static void by_message(int from, int to)
{
    for (int i = 0; i < 40; i++) {
        struct iovec pieces[2] = {{bytes, 4}, {bytes + 4, 6}};
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
        MUST(sendmsg(from, &message, 0) == 10);
        MUST(recvmsg(to, &message, 0) == 10);
    }
}

SITE static void by_write(int from, int to)
{
    for (int i = 0; i < 40; i++) {
        MUST(write(from, bytes, 10) == 10);
        MUST(read(to, bytes, 10) == 10);
    }
}

SITE static void nothing_waits(int fd)
{
    for (int i = 0; i < 5; i++)
        MUST(recv(fd, bytes, 10, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

/* One byte and the descriptor of a file; what arrives is read. */
SITE static void passed_over(int from, int to)
{
    const int file = io_file("io_sockets");
    MUST(write(file, bytes, 33) == 33 && lseek(file, 0, SEEK_SET) == 0);
    struct iovec piece = {bytes, 1};
    union {
        char room[CMSG_SPACE(sizeof file)];
        struct cmsghdr head;
    } control = {.room = {0}};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *const head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof file)};
    memcpy(CMSG_DATA(head), &file, sizeof file);
    MUST(sendmsg(from, &message, 0) == 1);
    MUST(close(file) == 0);
    MUST(recvmsg(to, &message, 0) == 1);
    int received;
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
    MUST(read(received, bytes, sizeof bytes) == 33);
    MUST(close(received) == 0);
}

static void connect_to_ourselves(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(bind(listening, (struct sockaddr *)&address, n) == 0 && listen(listening, 1) == 0);
    MUST(getsockname(listening, (struct sockaddr *)&address, &n) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(connect(ends[0], (struct sockaddr *)&address, n) == 0);
    ends[1] = accept(listening, NULL, NULL);
    MUST(ends[1] >= 0 && close(listening) == 0);
}

int main(void)
{
    int pair[2], ends[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    connect_to_ourselves(ends);
    by_send(pair[0], pair[1]);
    by_sendto(ends[0], ends[1]);
    by_message(ends[1], ends[0]);
    by_write(pair[1], pair[0]);
    nothing_waits(ends[0]);
    passed_over(pair[0], pair[1]);
    for (int i = 0; i < 2; i++)
        MUST(close(pair[i]) == 0 && close(ends[i]) == 0);
    expect_io("by_send", "syscall.sendto", 40, 400);
    expect_io("by_send", "syscall.recvfrom", 40, 400);
    expect_io("by_sendto", "syscall.sendto", 40, 400);
    expect_io("by_sendto", "syscall.recvfrom", 40, 400);
    expect_io("by_message", "syscall.sendmsg", 40, 400);
    expect_io("by_message", "syscall.recvmsg", 40, 400);
    expect_io("by_write", "syscall.write", 40, 400);
    expect_io("by_write", "syscall.read", 40, 400);
    expect_io("nothing_waits", "syscall.recvfrom", 5, 0);
    expect("nothing_waits", "syscall.recvfrom.would_block", 5);
    expect_io("passed_over", "syscall.write", 1, 33);
    expect_io("passed_over", "syscall.read", 1, 33);
    expect_io("passed_over", "syscall.sendmsg", 1, 1);
    expect_io("passed_over", "syscall.recvmsg", 1, 1);
    return 0;
}
