/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/image.h"
#include "preload/session.h"
#include "tests/support/filter.h"
#include "tests/support/lane_fixture.h"

static void a_variable_is_found(void **state)
{
    char value[16];
    (void)state;
    setenv("HEAPWISE_TEST", "abc", 1);
    setenv("HEAPWISE_TEST_LONGER", "no", 1);
    assert_int_equal(image_environment("HEAPWISE_TEST", value, sizeof value), 3);
    assert_string_equal(value, "abc");
    assert_int_equal(image_environment("HEAPWISE_TES", value, sizeof value), 0);
    assert_int_equal(image_environment("HEAPWISE_TEST", value, 3), 0); /* no room for its end */
    assert_int_equal(image_environment("HEAPWISE_TEST", value, 4), 3);
    setenv("HEAPWISE_TEST", "", 1);
    assert_int_equal(image_environment("HEAPWISE_TEST", value, sizeof value), 0);
    unsetenv("HEAPWISE_TEST");
    assert_int_equal(image_environment("HEAPWISE_TEST", value, sizeof value), 0);
}

/* As before libc has set `environ`: what the kernel was given. */
static void without_environ_the_kernel_is_asked(void **state)
{
    char **const saved = environ;
    char value[64];
    (void)state;
    if (saved == NULL || getenv("IMAGE_TEST_GIVEN") == NULL)
        fail_msg("the test was not started with IMAGE_TEST_GIVEN");
    environ = NULL;
    const size_t n = image_environment("IMAGE_TEST_GIVEN", value, sizeof value);
    const size_t n_absent = image_environment("IMAGE_TEST_ABSENT", value + 32, 32);
    environ = saved;
    assert_int_equal(n, 5);
    assert_string_equal(value, "given");
    assert_int_equal(n_absent, 0);
}

static void an_empty_environment_has_nothing(void **state)
{
    char *none[] = {NULL};
    char **const saved = environ;
    char value[8];
    (void)state;
    environ = none;
    const size_t n = image_environment("PATH", value, sizeof value);
    environ = saved;
    assert_int_equal(n, 0);
}

/* Field 22 of /proc/self/stat by other means: the fields behind the last parenthesis. */
static unsigned long long start_time(void)
{
    char text[1024];
    unsigned long long value = 0;
    FILE *const file = fopen("/proc/self/stat", "r");
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    sscanf(strrchr(text, ')') + 2,
           "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
           &value);
    return value;
}

static struct record announce(void)
{
    struct record record = {.tag = 0};
    struct lane *const lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    session.image_id = 5;
    image_announce(lane);
    assert_int_equal(lane_fixture_records(&record, 1), 1);
    assert_int_equal(record.tag, TRACE_IMAGE);
    return record;
}

static bool text_is(const struct unpack_text *text, const char *wanted)
{
    return text->n_bytes == strlen(wanted) && memcmp(text->bytes, wanted, text->n_bytes) == 0;
}

static void the_record_says_who_we_are(void **state)
{
    char executable[4096] = "";
    struct unpack_text argument;
    (void)state;
    image_read();
    const struct record record = announce();
    const struct record_image *const image = &record.image;
    assert_true(readlink("/proc/self/exe", executable, sizeof executable - 1) > 0);
    assert_string_equal(image_executable(), executable);
    assert_true(text_is(&image->executable, executable));
    assert_true(text_is(&image->allocator, "/allocator.so"));
    assert_int_equal(image->image_id, 5);
    assert_int_equal(image->pid, getpid());
    assert_int_equal(image->parent_pid, getppid());
    assert_int_equal(image->parent_image, 0);
    assert_int_equal(image->fork_id, 0);
    assert_true(image->start_clock_ticks == start_time());
    assert_int_equal(image->n_arguments, 3);
    struct unpack_cursor arguments = image->arguments;
    assert_int_equal(unpack_text(&arguments, &argument), 0);
    assert_int_equal(unpack_text(&arguments, &argument), 0);
    assert_true(text_is(&argument, "one argument"));
    assert_int_equal(unpack_text(&arguments, &argument), 0);
    assert_true(text_is(&argument, ""));
}

static void a_forked_child_says_its_own(void **state)
{
    int status = -1;
    (void)state;
    const unsigned long long parents = start_time();
    usleep(20000); /* a clock tick is 10 ms: the child's start differs */
    const pid_t child = fork();
    if (child == 0) {
        const bool stale = announce().image.start_clock_ticks == parents;
        image_read_start_time();
        const struct record record = announce();
        _exit(stale && record.image.pid == getpid() &&
                      record.image.start_clock_ticks == start_time() &&
                      record.image.start_clock_ticks != parents
                  ? 0
                  : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

/* SESSION_SIGNAL_RING_BYTES is also the least that --buffer takes. */
static void the_smallest_ring_has_room_for_it(void **state)
{
    struct record record = {.tag = 0};
    (void)state;
    struct lane *const lane = lane_fixture_start(SESSION_SIGNAL_RING_BYTES);
    session.image_id = 5;
    lane->plain_until = 0; /* look closer: not more than a quarter of the ring */
    image_announce(lane);
    assert_int_equal(lane_fixture_records(&record, 1), 1);
    assert_int_equal(record.tag, TRACE_IMAGE);
}

static void an_image_without_room_is_counted(void **state)
{
    (void)state;
    struct lane *const lane = lane_fixture_start(512);
    image_announce(lane);
    assert_true(lane->head == 0);
    assert_true(lane->ring->n_lost[TRACE_LOSS_RING_FULL] == 1);
}

static void filters_are_counted(void **state)
{
    int status = -1;
    const uint32_t n_before = image_count_filters();
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(filter_add() && image_count_filters() == n_before + 1 && filter_add() &&
                      image_count_filters() == n_before + 2
                  ? 0
                  : 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_counted),
        cmocka_unit_test(a_variable_is_found),
        cmocka_unit_test(without_environ_the_kernel_is_asked),
        cmocka_unit_test(an_empty_environment_has_nothing),
        cmocka_unit_test(the_record_says_who_we_are),
        cmocka_unit_test(a_forked_child_says_its_own),
        cmocka_unit_test(the_smallest_ring_has_room_for_it),
        cmocka_unit_test(an_image_without_room_is_counted),
    };
    if (argc == 1) { /* again, with arguments and an environment that are known */
        char *const arguments[] = {argv[0], "one argument", "", NULL};
        setenv("IMAGE_TEST_GIVEN", "given", 1);
        execv("/proc/self/exe", arguments);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
