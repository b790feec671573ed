/* SPDX-License-Identifier: MIT */
/* Control messages as a hostile program might leave them; what sockets really send is in test_hook_socket.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "preload/io_message.h"
#include "tests/support/io_fixture.h"

static const struct arch_frame nowhere;
static struct record records[16];

/* How many descriptors are found in control[0..n). */
static size_t n_found(void *control, size_t n)
{
    const struct msghdr message = {.msg_control = control, .msg_controllen = n};
    io_fixture_start();
    io_message_descriptors(&message, 3, &nowhere);
    return io_fixture_stop(records, 16);
}

static void lengths_are_not_believed(void **state)
{
    static const struct {
        size_t said, given, n;
    } rows[] = {
        {CMSG_LEN(8), CMSG_SPACE(8), 2},
        {CMSG_LEN(8), CMSG_LEN(8) - 1, 0},
        {CMSG_LEN(7), CMSG_SPACE(8), 1},
        {0, CMSG_SPACE(8), 0},
        {1, CMSG_SPACE(8), 0},
        {SIZE_MAX, CMSG_SPACE(8), 0},
        {CMSG_LEN(0), CMSG_SPACE(0), 0},
        {CMSG_LEN(8), sizeof(struct cmsghdr) - 1, 0},
        {CMSG_LEN(8), 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union {
            char bytes[64];
            struct cmsghdr head;
        } control = {.bytes = ""};
        control.head = (struct cmsghdr){
            .cmsg_len = rows[i].said, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        assert_int_equal(n_found(&control, rows[i].given), rows[i].n);
    }
    assert_int_equal(n_found(NULL, 100), 0);
}

static void other_control_messages_are_passed_over(void **state)
{
    union {
        char bytes[2 * CMSG_SPACE(4)];
        struct cmsghdr head;
    } control = {.bytes = ""};
    const struct cmsghdr rights = {
        .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    (void)state;
    control.head = rights;
    control.head.cmsg_type = SCM_CREDENTIALS;
    memcpy(control.bytes + CMSG_SPACE(4), &rights, sizeof rights);
    const int fd = 77;
    memcpy(control.bytes + CMSG_SPACE(4) + CMSG_LEN(0), &fd, sizeof fd);
    assert_int_equal(n_found(&control, sizeof control), 1);
    assert_int_equal(records[0].fd_new.fd, 77);
    assert_int_equal(records[0].fd_new.other_fd, 3);
}

static void messages_are_summed(void **state)
{
    struct iovec vector[] = {{(void *)16, 10}, {(void *)32, 20}};
    const struct mmsghdr messages[] = {
        {.msg_hdr = {.msg_iov = vector, .msg_iovlen = 2}, .msg_len = 25},
        {.msg_hdr = {.msg_iov = vector + 1, .msg_iovlen = 1}, .msg_len = 4},
        {.msg_hdr = {.msg_iov = (void *)8, .msg_iovlen = 1}, .msg_len = 9},
    };
    (void)state;
    assert_int_equal(io_messages_bytes(messages, 2), 50);
    assert_int_equal(io_messages_result(messages, 2), 29);
    assert_ptr_equal(io_messages_buffer(messages, 2), (void *)16);
    assert_int_equal(io_messages_result(messages, 0), 0);
    errno = EAGAIN;
    assert_int_equal(io_messages_result(messages, -1), -EAGAIN);
    assert_null(io_messages_buffer(messages, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_not_believed),
        cmocka_unit_test(other_control_messages_are_passed_over),
        cmocka_unit_test(messages_are_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
