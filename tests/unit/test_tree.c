/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/tree.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/trace_walk.h"

static char path[] = "/tmp/heapwise-tree-XXXXXX";

struct bench {
    struct trace_file file;
    struct compress *out;
    struct tree tree;
};

static void setup(struct bench *bench, int command_pid)
{
    const struct trace_file_limits limits = {UINT64_MAX, UINT64_MAX};
    assert_int_equal(trace_file_open(&bench->file, path, true, &limits), 0);
    bench->out = compress_new(&bench->file);
    tree_init(&bench->tree, command_pid, 8);
}

static void teardown(struct bench *bench)
{
    tree_fini(&bench->tree);
    compress_free(bench->out);
    trace_file_close(&bench->file);
}

/* A child that waits until it is killed. */
static pid_t start_child(void)
{
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(20); /* should the test fail */
        pause();
        _exit(0);
    }
    return pid;
}

/* When a process started, as its shim would say: field 22 of /proc/PID/stat. */
static uint64_t start_of(int pid)
{
    char name[64];
    unsigned long long start = 0;
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *const file = fopen(name, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file,
                            "%*d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                            "%*s %*s %*s %*s %llu",
                            &start),
                     1);
    fclose(file);
    return start;
}

static void attach(struct bench *bench, int pid, uint32_t image_id, uint64_t start)
{
    const struct record_image image = {
        .pid = pid, .image_id = image_id, .start_clock_ticks = start};
    tree_attach(&bench->tree, &image, 1, bench->out);
}

/* Reap until something ended; ends come asynchronously. */
static bool reap_until(struct bench *bench, struct tree_news *news, const bool *done)
{
    bool children = true;
    for (unsigned i = 0; i < 5000 && children && !*done; i++) {
        children = tree_reap(&bench->tree, 10, news);
        if (news->stop_signal)
            return children;
        usleep(1000);
    }
    return children;
}

static void the_commands_end_is_learned_with_its_status(void **state)
{
    struct bench bench;
    struct tree_news news;
    struct trace_walk walk;
    (void)state;
    const pid_t pid = start_child();
    setup(&bench, pid);
    assert_true(tree_reap(&bench.tree, 5, &news));
    kill(pid, SIGKILL);
    reap_until(&bench, &news, &bench.tree.command_ended);
    assert_true(bench.tree.command_ended);
    assert_int_equal(WTERMSIG(bench.tree.command_status), SIGKILL);
    assert_false(tree_reap(&bench.tree, 5, &news));
    tree_write_ends(&bench.tree, bench.out);
    tree_write_ends(&bench.tree, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_END), 1);
    trace_walk_open(&walk, path);
    do
        assert_true(trace_walk_next(&walk));
    while (walk.record.tag == TRACE_PROCESS_IO);
    assert_int_equal(walk.record.exit.pid, pid);
    assert_int_equal(walk.record.exit.wait_status, SIGKILL);
    trace_walk_close(&walk);
    teardown(&bench);
}

static void write_often(unsigned n)
{
    const int fd = open("/dev/null", O_WRONLY);
    for (unsigned i = 0; i < n; i++)
        if (write(fd, "123", 3) != 3)
            _exit(1);
}

static void what_the_kernel_counted_of_it_is_told(void **state)
{
    struct bench bench;
    struct tree_news news;
    struct trace_walk walk;
    (void)state;
    if (access("/proc/self/io", R_OK) != 0)
        skip();
    const pid_t pid = fork();
    if (pid == 0) {
        write_often(5);
        if (fork() == 0) {
            write_often(2);
            _exit(0);
        }
        wait(NULL);
        _exit(0);
    }
    setup(&bench, pid);
    reap_until(&bench, &news, &bench.tree.command_ended);
    tree_write_ends(&bench.tree, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_IO), 1);
    trace_walk_open(&walk, path);
    assert_true(trace_walk_next(&walk));
    assert_int_equal(walk.record.tag, TRACE_PROCESS_IO);
    assert_int_equal(walk.record.kernel_io.pid, pid);
    assert_int_equal(walk.record.kernel_io.n_reads, 0);
    assert_int_equal(walk.record.kernel_io.n_writes, 7);
    assert_int_equal(walk.record.kernel_io.written_bytes, 21);
    trace_walk_close(&walk);
    teardown(&bench);
}

static void a_stop_is_news_once(void **state)
{
    struct bench bench;
    struct tree_news news;
    const bool never = false;
    (void)state;
    const pid_t pid = start_child();
    setup(&bench, pid);
    kill(pid, SIGSTOP);
    reap_until(&bench, &news, &never);
    assert_int_equal(news.stop_signal, SIGSTOP);
    assert_true(bench.tree.command_stopped);
    tree_reap(&bench.tree, 5, &news);
    assert_int_equal(news.stop_signal, 0);
    kill(pid, SIGCONT);
    for (unsigned i = 0; i < 5000 && bench.tree.command_stopped; i++) {
        usleep(1000);
        tree_reap(&bench.tree, 5, &news);
    }
    assert_false(bench.tree.command_stopped);
    kill(pid, SIGKILL);
    reap_until(&bench, &news, &bench.tree.command_ended);
    teardown(&bench);
}

static void resident_sizes_are_written_when_they_change(void **state)
{
    struct bench bench;
    (void)state;
    const pid_t pid = start_child();
    setup(&bench, 1);
    attach(&bench, pid, 1, start_of(pid));
    for (unsigned i = 0; i < 10; i++)
        tree_sample_rss(&bench.tree, i, bench.out);
    compress_flush(bench.out);
    const size_t n = trace_walk_count(path, TRACE_RSS);
    assert_true(n >= 1 && n < 5);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0); /* its own parent took the status: only the end is seen */
    tree_sample_rss(&bench.tree, 50, bench.out);
    tree_write_ends(&bench.tree, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_END), 1);
    assert_int_equal(bench.tree.n_fds, 0);
    teardown(&bench);
}

static void a_pid_in_use_again_ends_the_first(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, 1);
    attach(&bench, getpid(), 1, 100);
    attach(&bench, getpid(), 2, 100); /* exec */
    assert_int_equal(tree_image_of(&bench.tree, getpid()), 2);
    assert_int_equal(bench.tree.n_attached, 1);
    attach(&bench, getpid(), 3, 200); /* another process */
    assert_int_equal(bench.tree.n_attached, 2);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_END), 1);
    teardown(&bench);
}

static void a_short_process_ends_once(void **state)
{
    struct bench bench;
    struct tree_news news;
    (void)state;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(3);
    setup(&bench, pid);
    reap_until(&bench, &news, &bench.tree.command_ended);
    /* Only now its slot is looked at. */
    tree_open_slot(&bench.tree, pid);
    attach(&bench, pid, 1, 100);
    tree_close_slot(&bench.tree, pid);
    tree_write_ends(&bench.tree, bench.out);
    tree_sample_rss(&bench.tree, 9, bench.out);
    tree_write_ends(&bench.tree, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_END), 1);
    assert_true(bench.tree.command_attached);
    teardown(&bench);
}

static void a_stranger_with_that_number_is_not_measured(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, 1);
    attach(&bench, getpid(), 1, start_of(getpid()) + 1);
    tree_sample_rss(&bench.tree, 5, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_RSS), 0);
    assert_true(tree_knows_pid(&bench.tree, getpid(), 1)); /* no namespace but ours is about */
    teardown(&bench);
}

static void few_descriptors_are_enough(void **state)
{
    struct bench bench;
    (void)state;
    setup(&bench, 1);
    bench.tree.n_fds_max = 1;
    attach(&bench, getpid(), 1, 100);
    attach(&bench, getppid(), 2, 100);
    tree_open_slot(&bench.tree, getppid());
    tree_sample_rss(&bench.tree, 5, bench.out);
    tree_write_ends(&bench.tree, bench.out);
    compress_end_frame(bench.out);
    assert_int_equal(trace_walk_count(path, TRACE_PROCESS_END), 0);
    teardown(&bench);
}

static void the_living_are_listed(void **state)
{
    char text[64];
    char wanted[64];
    (void)state;
    assert_int_equal(tree_list_alive(text, sizeof text), 0);
    assert_string_equal(text, "");
    pid_t pids[8];
    for (size_t i = 0; i < 8; i++)
        pids[i] = start_child();
    assert_int_equal(tree_list_alive(text, sizeof text), 8);
    snprintf(wanted, sizeof wanted, "%d (test_tree)", pids[0]);
    assert_memory_equal(text, wanted, strlen(wanted));
    assert_string_equal(text + strlen(text) - 5, ", ...");
    for (size_t i = 0; i < 8; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
}

static int make_path(void **state)
{
    (void)state;
    return close(mkstemp(path));
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_commands_end_is_learned_with_its_status),
        cmocka_unit_test(what_the_kernel_counted_of_it_is_told),
        cmocka_unit_test(a_stop_is_news_once),
        cmocka_unit_test(resident_sizes_are_written_when_they_change),
        cmocka_unit_test(a_pid_in_use_again_ends_the_first),
        cmocka_unit_test(a_short_process_ends_once),
        cmocka_unit_test(a_stranger_with_that_number_is_not_measured),
        cmocka_unit_test(few_descriptors_are_enough),
        cmocka_unit_test(the_living_are_listed),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
