/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/socket_name.h"

/* "1.2.3.4:80", "::1:80" (the last colon parts the port), "/path", "@name", "-" for AF_UNIX without a name,
 * "" for no address at all. */
static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    struct sockaddr_in *const v4 = (struct sockaddr_in *)(void *)&address;
    struct sockaddr_in6 *const v6 = (struct sockaddr_in6 *)(void *)&address;
    struct sockaddr_un *const local = (struct sockaddr_un *)(void *)&address;
    char host[64] = "";
    const char *const colon = strrchr(text, ':');
    if (strchr("/@-", text[0]) && text[0]) {
        address.ss_family = AF_UNIX;
        strcpy(local->sun_path + (text[0] == '@'), text[0] == '-' ? "" : text + (text[0] == '@'));
    } else if (colon) {
        memcpy(host, text, (size_t)(colon - text));
        const in_port_t port = htons((uint16_t)atoi(colon + 1));
        if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
            address.ss_family = AF_INET;
            v4->sin_port = port;
        } else {
            assert_int_equal(inet_pton(AF_INET6, host, &v6->sin6_addr), 1);
            address.ss_family = AF_INET6;
            v6->sin6_port = port;
        }
    }
    return address;
}

static void each_family_has_its_form(void **state)
{
    static const struct {
        int type;
        const char *own, *peer, *name;
    } rows[] = {
        {SOCK_STREAM, "127.0.0.1:40000", "127.0.0.1:6379", "socket:[tcp 127.0.0.1:6379]"},
        {SOCK_STREAM, "10.0.0.1:6379", "10.0.0.2:40000", "socket:[tcp 10.0.0.1:6379]"},
        {SOCK_STREAM, "0.0.0.0:80", "", "socket:[tcp 0.0.0.0:80]"},
        {SOCK_STREAM, "::1:50000", "::1:80", "socket:[tcp6 [::1]:80]"},
        {SOCK_STREAM, ":::8080", "", "socket:[tcp6 [::]:8080]"},
        {SOCK_STREAM, "2001:db8:0:0:1:0:0:1:443", "", "socket:[tcp6 [2001:db8::1:0:0:1]:443]"},
        {SOCK_STREAM, "fe80:0:1:abcd:0:0:0:0:65535", "", "socket:[tcp6 [fe80:0:1:abcd::]:65535]"},
        {SOCK_STREAM, "1:0:3:4:5:6:7:8:9", "", "socket:[tcp6 [1:0:3:4:5:6:7:8]:9]"},
        {SOCK_DGRAM, "0.0.0.0:0", "", "socket:[udp 0.0.0.0:0]"},
        {SOCK_DGRAM, "10.255.0.9:5353", "8.8.8.8:53", "socket:[udp 8.8.8.8:53]"},
        {SOCK_DGRAM, ":::68", "", "socket:[udp6 [::]:68]"},
        {SOCK_RAW, "0.0.0.0:1", "", "socket:[raw 0.0.0.0:1]"},
        {SOCK_STREAM, "-", "/run/x y", "socket:[unix /run/x y]"},
        {SOCK_STREAM, "/run/s", "-", "socket:[unix /run/s]"},
        {SOCK_STREAM, "@hidden", "", "socket:[unix @hidden]"},
        {SOCK_STREAM, "-", "-", "socket:[unix 77]"},
        {SOCK_STREAM, "", "", "socket:[77]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[SOCKET_NAME_BYTES];
        const struct sockaddr_storage own = address_of(rows[i].own),
                                      peer = address_of(rows[i].peer);
        socket_name_of(rows[i].type, &own, &peer, 77, name);
        assert_string_equal(name, rows[i].name);
    }
}

/* Not ended by NUL, which the kernel allows. */
static void the_longest_path_fits(void **state)
{
    char name[SOCKET_NAME_BYTES], wanted[SOCKET_NAME_BYTES] = "socket:[unix ";
    struct sockaddr_storage own = {.ss_family = AF_UNIX}, peer = {.ss_family = AF_UNSPEC};
    char *const path = ((struct sockaddr_un *)(void *)&own)->sun_path;
    (void)state;
    memset(path, 'p', sizeof((struct sockaddr_un *)NULL)->sun_path);
    memset(wanted + strlen(wanted), 'p', sizeof((struct sockaddr_un *)NULL)->sun_path);
    strcat(wanted, "]");
    socket_name_of(SOCK_STREAM, &own, &peer, 1, name);
    assert_string_equal(name, wanted);
}

static void a_real_socket_is_asked(void **state)
{
    char name[SOCKET_NAME_BYTES], wanted[SOCKET_NAME_BYTES];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    (void)state;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    socket_name(fd, 5, name);
    snprintf(wanted, sizeof wanted, "socket:[tcp 127.0.0.1:%d]", ntohs(address.sin_port));
    assert_string_equal(name, wanted);
    close(fd);
    socket_name(fd, 5, name);
    assert_string_equal(name, "socket:[5]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_has_its_form),
        cmocka_unit_test(the_longest_path_fits),
        cmocka_unit_test(a_real_socket_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
