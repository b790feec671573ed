/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/host.h"
#include "tests/support/filter.h"

#include <string.h>
#include <unistd.h>

static void this_machine_is_described(void **state)
{
    struct host host;
    (void)state;
    host_describe(&host);
    assert_int_equal(host.page_bytes, sysconf(_SC_PAGESIZE));
    assert_true(host.n_cores >= 1);
    assert_true(strncmp(host.libc, "glibc ", 6) == 0);
    assert_true(host.kernel[0] >= '1' && host.kernel[0] <= '9');
    assert_true(memchr(host.cpu, 0, sizeof host.cpu) != NULL);
}

static void filters_are_counted(void **state)
{
    int status = -1;
    const uint32_t n_before = host_count_filters();
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(filter_add() && host_count_filters() == n_before + 1 && filter_add() &&
                      host_count_filters() == n_before + 2
                  ? 0
                  : 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(filters_are_counted),
                                       cmocka_unit_test(this_machine_is_described)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
