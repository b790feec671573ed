/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/descriptors.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run in a child, which loses its descriptors; its exit status is the number of faults. */
static int faults_of(int (*check)(void))
{
    int status;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(check());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int keep_some(void)
{
    int faults = 0;
    for (int fd = 3; fd < 40; fd++)
        dup2(STDIN_FILENO, fd);
    int keep[] = {20, 5, 6, 5, 39};
    descriptors_close_others(keep, sizeof keep / sizeof *keep);
    for (int fd = 0; fd < 50; fd++) {
        const int wanted = fd < 3 || fd == 5 || fd == 6 || fd == 20 || fd == 39;
        faults += (fcntl(fd, F_GETFD) >= 0) != wanted;
    }
    return faults;
}

static int keep_none(void)
{
    dup2(STDIN_FILENO, 3);
    descriptors_close_others(NULL, 0);
    return fcntl(3, F_GETFD) >= 0;
}

static int silence(void)
{
    char byte;
    close(STDIN_FILENO); /* the lowest number is then taken by /dev/null itself */
    descriptors_to_null(STDIN_FILENO);
    descriptors_to_null(STDOUT_FILENO);
    return (read(STDIN_FILENO, &byte, 1) != 0) + (write(STDOUT_FILENO, "x", 1) != 1);
}

static int fill_gaps(void)
{
    close(0);
    close(2);
    descriptors_fill_standard();
    int faults = (fcntl(0, F_GETFD) != FD_CLOEXEC) + (fcntl(2, F_GETFD) != FD_CLOEXEC);
    faults += fcntl(1, F_GETFD) != 0; /* what was open is as it was */
    const int next = dup(1);
    return faults + (next <= 2);
}

static void closed_standard_streams_are_kept_free(void **state)
{
    (void)state;
    assert_int_equal(faults_of(fill_gaps), 0);
}

static void all_but_the_kept_are_closed(void **state)
{
    (void)state;
    assert_int_equal(faults_of(keep_some), 0);
    assert_int_equal(faults_of(keep_none), 0);
}

static void standard_streams_lead_nowhere(void **state)
{
    (void)state;
    assert_int_equal(faults_of(silence), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_the_kept_are_closed),
        cmocka_unit_test(closed_standard_streams_are_kept_free),
        cmocka_unit_test(standard_streams_lead_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
