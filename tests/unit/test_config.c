/* SPDX-License-Identifier: MIT */
#include "findings/config.h"
#include "findings/rule.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "{\"schema\":\"heapwise-rules/1\""

/* config_load() of a file that holds the text. */
static int load(const char *text, struct findings_config *config, struct config_error *error)
{
    char path[] = "/tmp/heapwise-config-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    const int result = config_load(path, config, error);
    unlink(path);
    return result;
}

static void what_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", "line 1: "},
        {"{", "line 1: "},
        {"[]", "an object is wanted"},
        {"{}", "the key \"schema\" is missing"},
        {"{\"schema\":\"heapwise-rules/2\"}", "\"heapwise-rules/1\" is wanted"},
        {"{\"schema\":1}", "\"heapwise-rules/1\" is wanted"},
        {HEAD ",\"rule\":{}}", "there is no key 'rule'"},
        {HEAD ",\"rules\":[]}", "rules: an object is wanted"},
        {HEAD ",\"rules\":{\"AL999\":{}}}", "there is no rule 'AL999'"},
        {HEAD ",\"rules\":{\"AL104\":1}}", "rules.AL104: an object is wanted"},
        {HEAD ",\"rules\":{\"AL104\":{\"min_cuont\":1}}}", "AL104 has no limit 'min_cuont'"},
        {HEAD ",\"rules\":{\"AL104\":{\"min_count\":-1}}}", "a number of 0 or more"},
        {HEAD ",\"rules\":{\"AL104\":{\"min_count\":\"7\"}}}", "a number of 0 or more"},
        {HEAD ",\"rules\":{\"AL104\":{\"min_count\":1e999}}}", "line 1: "},
        {HEAD ",\"rules\":{\"AL104\":{\"enabled\":1}}}", "true or false"},
        {HEAD ",\"hide\":\"x\"}", "hide: a list"},
        {HEAD ",\"hide\":[\"\"]}", "not empty"},
        {HEAD ",\"latency_threads\":[1]}", "latency_threads: a pattern"},
        {HEAD ",\"hide\":[],\"hide\":[]}", "line 1: "},
        {HEAD "} x", "line 1: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct findings_config config;
        struct config_error error = {.reason = ""};
        assert_int_equal(load(rows[i].text, &config, &error), -EINVAL);
        if (!strstr(error.reason, rows[i].reason))
            fail_msg("%s: %s", rows[i].text, error.reason);
        assert_null(strchr(error.reason, '\n'));
    }
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct findings_config config;
    struct config_error error;
    assert_int_equal(config_load("/nonexistent", &config, &error), -ENOENT);
    assert_int_equal(config_load("/", &config, &error), -EISDIR);
    char *huge = malloc((2 << 20) + 1);
    assert_non_null(huge);
    memset(huge, ' ', 2 << 20);
    huge[2 << 20] = 0;
    assert_int_equal(load(huge, &config, &error), -EFBIG);
    free(huge);
}

static void settings_are_kept(void **state)
{
    (void)state;
    const struct rule *const rule = rules_find("AL104");
    struct findings_config config;
    struct config_error error;
    assert_int_equal(load(HEAD
                          ",\"rules\":{\"temporary-storm\":{\"min_count\":7,\"enabled\":false}},"
                          "\"hide\":[\"boost::*\"],\"latency_threads\":[\"io-*\"]}",
                          &config, &error),
                     0);
    assert_int_equal(config.n_limits, 1);
    assert_ptr_equal(config.limits[0].rule, rule);
    assert_true(config.limits[0].value == 7);
    assert_false(config_is_enabled(&config, rule));
    assert_int_equal(config.n_hidden, 1);
    assert_string_equal(config.hidden[0], "boost::*");
    assert_true(config_is_latency_thread(&config, "io-3"));
    assert_false(config_is_latency_thread(&config, "audio-3"));
    config_fini(&config);
    config_fini(&config); /* zeroed memory */
}

static void no_file_sets_nothing(void **state)
{
    (void)state;
    struct findings_config config;
    struct config_error error;
    assert_int_equal(config_load(NULL, &config, &error), 0);
    assert_true(config_is_enabled(&config, rules_at(0)));
    assert_int_equal(config.n_limits + config.n_hidden + config.n_latency_threads, 0);
    config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
        cmocka_unit_test(settings_are_kept),
        cmocka_unit_test(no_file_sets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
