/* SPDX-License-Identifier: MIT */
/* Each call of hook_socket.c makes one record, and descriptors that arrive are named. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace/io_ops.h"
#include "tests/support/io_fixture.h"

ssize_t __recv_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t n_bytes, size_t n_room, int flags,
                       __SOCKADDR_ARG address, socklen_t *n_address);

static struct record records[64];
static size_t n_records;
static int ends[2];
static char bytes[64];

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    io_fixture_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* The records of one kind, moved to the front. */
static size_t stop(enum trace_tag tag)
{
    const size_t n = io_fixture_stop(records, sizeof records / sizeof *records);
    n_records = 0;
    for (size_t i = 0; i < n; i++)
        if (records[i].tag == tag)
            records[n_records++] = records[i];
    return n_records;
}

static void expect(size_t i, enum io_op op, uint64_t requested, int64_t result, int64_t detail)
{
    const struct record_io *const io = &records[i].io;
    assert_int_equal(io->op, op);
    assert_true(io->requested_bytes == requested && io->result == result);
    assert_true(io->detail == detail);
}

static void every_way_of_sending_and_receiving_counts(void **state)
{
    struct iovec vector[] = {{bytes, 4}, {bytes + 4, 8}};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
    struct mmsghdr both[] = {{.msg_hdr = message}, {.msg_hdr = message}};
    (void)state;
    assert_int_equal(send(ends[0], bytes, 5, 0), 5);
    assert_int_equal(sendto(ends[0], bytes, 6, 0, NULL, 0), 6);
    assert_int_equal(sendmsg(ends[0], &message, 0), 12);
    assert_int_equal(sendmmsg(ends[0], both, 2, 0), 2);
    assert_int_equal(recv(ends[1], bytes, 64, 0), 5);
    assert_int_equal(recvfrom(ends[1], bytes, 64, 0, NULL, NULL), 6);
    assert_int_equal(recvmsg(ends[1], &message, 0), 12);
    assert_int_equal(recvmmsg(ends[1], both, 2, 0, NULL), 2);
    assert_int_equal(__recv_chk(ends[1], bytes, 1, sizeof bytes, MSG_DONTWAIT), -1);
    assert_int_equal(__recvfrom_chk(ends[1], bytes, 2, sizeof bytes, MSG_DONTWAIT, NULL, NULL), -1);
    assert_int_equal(stop(TRACE_IO), 10);
    expect(0, IO_SENDTO, 5, 5, 0);
    expect(1, IO_SENDTO, 6, 6, 0);
    expect(2, IO_SENDMSG, 12, 12, 0);
    expect(3, IO_SENDMMSG, 24, 24, 2);
    expect(4, IO_RECVFROM, 64, 5, 0);
    expect(5, IO_RECVFROM, 64, 6, 0);
    expect(6, IO_RECVMSG, 12, 12, 0);
    expect(7, IO_RECVMMSG, 24, 24, 2);
    expect(8, IO_RECVFROM, 1, -EAGAIN, 0);
    expect(9, IO_RECVFROM, 2, -EAGAIN, 0);
}

static void bad_messages_are_the_kernels_to_refuse(void **state)
{
    struct msghdr *volatile nowhere = (struct msghdr *)8;
    struct iovec *volatile no_vector = (struct iovec *)8;
    struct msghdr message = {.msg_iov = no_vector, .msg_iovlen = 2};
    (void)state;
    assert_int_equal(sendmsg(ends[0], nowhere, 0), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(recvmsg(ends[0], &message, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(sendmmsg(ends[0], (struct mmsghdr *)nowhere, 1, 0), -1);
    assert_int_equal(stop(TRACE_IO), 3);
    expect(0, IO_SENDMSG, 0, -EFAULT, 0);
    expect(1, IO_RECVMSG, 0, -EFAULT, 0);
    expect(2, IO_SENDMMSG, 0, -EFAULT, 0);
}

static void sockets_are_new_descriptors(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int pair[2];
    (void)state;
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(listening, 5), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &n), 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), -1); /* told before it is connected */
    assert_int_equal(connect(client, (struct sockaddr *)&address, n), 0);
    const int server = accept(listening, NULL, NULL);
    assert_int_equal(write(client, "x", 1), 1);
    assert_int_equal(accept4(client, NULL, NULL, 0), -1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const size_t n_all = io_fixture_stop(records, 64);
    size_t n_new = 0, n_told = 0;
    for (size_t i = 0; i < n_all; i++) {
        n_new += records[i].tag == TRACE_FD_NEW;
        n_told += records[i].tag == TRACE_FD_IS;
    }
    assert_int_equal(n_new, 5);
    assert_int_equal(n_told, 2);
    for (size_t i = 0; i < n_all; i++) {
        if (records[i].tag != TRACE_FD_NEW)
            continue;
        if (records[i].fd_new.op == IO_ACCEPT)
            assert_true(records[i].fd_new.fd == server && records[i].fd_new.other_fd == listening);
        if (records[i].fd_new.op == IO_SOCKETPAIR)
            assert_int_equal(records[i].fd_new.fd + records[i].fd_new.other_fd, pair[0] + pair[1]);
    }
    const int fds[] = {listening, client, server, pair[0], pair[1]};
    for (size_t i = 0; i < 5; i++)
        close(fds[i]);
}

static void descriptors_may_arrive_in_a_message(void **state)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr head;
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(2 * sizeof(int))}};
    struct iovec vector = {bytes, 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int fds[2] = {1, 2};
    (void)state;
    memcpy(CMSG_DATA(&control.head), fds, sizeof fds);
    assert_int_equal(sendmsg(ends[0], &message, 0), 1);
    memset(&control, 0, sizeof control);
    assert_int_equal(recvmsg(ends[1], &message, 0), 1);
    memcpy(fds, CMSG_DATA(&control.head), sizeof fds);
    assert_int_equal(stop(TRACE_FD_NEW), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(records[i].fd_new.op, IO_RECEIVED_FD);
        assert_int_equal(records[i].fd_new.fd, fds[i]);
        assert_int_equal(records[i].fd_new.other_fd, ends[1]);
        close(fds[i]);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(every_way_of_sending_and_receiving_counts),
        CASE(bad_messages_are_the_kernels_to_refuse),
        CASE(sockets_are_new_descriptors),
        CASE(descriptors_may_arrive_in_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
