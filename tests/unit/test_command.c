/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_environment_is_kept_but_for_two_entries(void **state)
{
    static const struct {
        const char *before[4], *after[5];
    } rows[] = {
        {{"A=1", NULL}, {"A=1", "LD_PRELOAD=/s.so", "HEAPWISE_SESSION=/p", NULL}},
        {{NULL}, {"LD_PRELOAD=/s.so", "HEAPWISE_SESSION=/p", NULL}},
        /* The user's own entries stay, behind ours, where the variable was. */
        {{"LD_PRELOAD=a.so:/b.so", "B=", NULL},
         {"LD_PRELOAD=/s.so:a.so:/b.so", "B=", "HEAPWISE_SESSION=/p", NULL}},
        {{"LD_PRELOAD=a.so  b.so", NULL},
         {"LD_PRELOAD=/s.so:a.so:b.so", "HEAPWISE_SESSION=/p", NULL}},
        /* A session around this one is left behind. */
        {{"LD_PRELOAD=/x/libheapwise-preload.so:a.so", "HEAPWISE_SESSION=/old", NULL},
         {"LD_PRELOAD=/s.so:a.so", "HEAPWISE_SESSION=/p", NULL}},
        {{"LD_PRELOAD=my-libheapwise-preload.so", NULL},
         {"LD_PRELOAD=/s.so:my-libheapwise-preload.so", "HEAPWISE_SESSION=/p", NULL}},
        {{"LD_PRELOAD=", "LD_PRELOAD=twice", NULL},
         {"LD_PRELOAD=/s.so:twice", "HEAPWISE_SESSION=/p", NULL}},
        {{"LD_PRELOADED=x", "no equals sign", NULL},
         {"LD_PRELOADED=x", "no equals sign", "LD_PRELOAD=/s.so", "HEAPWISE_SESSION=/p", NULL}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char **const made = command_environment((char *const *)rows[i].before, "/s.so", "/p");
        assert_non_null(made);
        size_t n = 0;
        for (; rows[i].after[n]; n++)
            assert_string_equal(made[n], rows[i].after[n]);
        assert_null(made[n]);
        free(made);
    }
}

static struct command_plan plan_for(const char *program, char *const *argv)
{
    struct command_plan plan = {.program = program, .argv = argv, .shim_path = "/nonexistent.so"};
    sigprocmask(SIG_SETMASK, NULL, &plan.signal_mask);
    return plan;
}

static int status_after_go(const struct command_plan *plan, int *error_out)
{
    struct command_process command;
    int status = -1;
    assert_int_equal(command_fork(plan, &command), 0);
    command_go(&command, "/session");
    *error_out = command_wait(&command);
    assert_int_equal(waitpid(command.pid, &status, 0), command.pid);
    return status;
}

static void the_command_runs_when_the_gate_opens(void **state)
{
    char *argv[] = {"sh", "-c",
                    "exec 2>/dev/null; test \"$HEAPWISE_SESSION\" = /session && exit 42", NULL};
    const struct command_plan plan = plan_for("/bin/sh", argv);
    int error;
    (void)state;
    const int errors = dup(STDERR_FILENO); /* ld.so complains of the shim that is not there */
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    const int status = status_after_go(&plan, &error);
    dup2(errors, STDERR_FILENO);
    assert_int_equal(error, 0);
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void a_failed_exec_tells_why(void **state)
{
    static const struct {
        const char *program;
        int error;
    } rows[] = {{"/nonexistent", -ENOENT}, {"/etc/passwd", -EACCES}, {"/", -EACCES}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *argv[] = {"x", NULL};
        const struct command_plan plan = plan_for(rows[i].program, argv);
        int error;
        status_after_go(&plan, &error);
        assert_int_equal(error, rows[i].error);
    }
}

static void a_cancelled_command_never_runs(void **state)
{
    char path[] = "/tmp/heapwise-command-XXXXXX";
    (void)state;
    close(mkstemp(path));
    char *argv[] = {"rm", path, NULL};
    const struct command_plan plan = plan_for("/bin/rm", argv);
    struct command_process command;
    assert_int_equal(command_fork(&plan, &command), 0);
    command_cancel(&command);
    assert_int_equal(waitpid(command.pid, NULL, 0), -1); /* already waited for */
    assert_int_equal(unlink(path), 0);
}

static void signals_wait_for_the_program(void **state)
{
    char *argv[] = {"true", NULL};
    struct command_plan plan = plan_for("/bin/true", argv);
    struct command_process command;
    sigset_t all, before;
    int status;
    (void)state;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    assert_int_equal(command_fork(&plan, &command), 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    kill(command.pid, SIGTERM); /* held until it has the caller's mask again */
    command_go(&command, "/session");
    command_wait(&command);
    waitpid(command.pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void a_command_stopped_on_its_way_holds_up_nobody(void **state)
{
    static const struct {
        const char *program;
        int status;
    } rows[] = {{"/bin/true", 0}, {"/nonexistent", 127}, {"/etc/passwd", 126}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *argv[] = {"x", NULL};
        const struct command_plan plan = plan_for(rows[i].program, argv);
        struct command_process command;
        int status;
        assert_int_equal(command_fork(&plan, &command), 0);
        kill(command.pid, SIGSTOP);
        command_go(&command, "/session");
        assert_int_equal(command_wait(&command), 0);
        assert_int_equal(waitpid(command.pid, &status, WUNTRACED), command.pid);
        assert_true(WIFSTOPPED(status)); /* the news is left for the caller */
        kill(command.pid, SIGCONT);
        assert_int_equal(waitpid(command.pid, &status, 0), command.pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_kept_but_for_two_entries),
        cmocka_unit_test(the_command_runs_when_the_gate_opens),
        cmocka_unit_test(a_failed_exec_tells_why),
        cmocka_unit_test(a_cancelled_command_never_runs),
        cmocka_unit_test(signals_wait_for_the_program),
        cmocka_unit_test(a_command_stopped_on_its_way_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
