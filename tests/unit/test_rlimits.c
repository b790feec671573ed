/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/rlimits.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: lower the soft limits, then raise them as the collector does. */
static int faults_after_raising(void)
{
    static const int resources[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE,
                                    RLIMIT_CPU};
    struct rlimit before[5], after;
    struct rlimits limits;
    int faults = 0;
    for (int i = 0; i < 5; i++) {
        getrlimit(resources[i], &before[i]);
        const rlim_t low = resources[i] == RLIMIT_NOFILE ? 32 : UINT64_C(1) << 33;
        const struct rlimit lowered = {low, before[i].rlim_max};
        faults += setrlimit(resources[i], &lowered) != 0;
    }
    rlimits_raise(&limits);
    for (int i = 0; i < 5; i++) {
        getrlimit(resources[i], &after);
        faults += after.rlim_cur < before[i].rlim_max;
    }
    faults += limits.caller_file_bytes != UINT64_C(1) << 33; /* as it was, to be kept to */
    faults += limits.own_file_bytes < UINT64_C(1) << 33;
    faults += limits.files < 32;
    return faults;
}

static void soft_limits_are_escaped_and_remembered(void **state)
{
    int status;
    (void)state;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(faults_after_raising());
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(soft_limits_are_escaped_and_remembered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
