/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

struct values {
    bool quiet, verbose;
    const char *output, *mode, *report;
    uint64_t depth, limit_bytes;
    struct option_list names;
};

static const char *const modes[] = {"block", "drop", NULL};
static const char *const reports[] = {"text", "json", NULL};

static const struct option_spec specs[] = {
    {"quiet", 'q', OPTION_FLAG, offsetof(struct values, quiet), NULL, NULL, "say less"},
    {"verbose", 'v', OPTION_FLAG, offsetof(struct values, verbose), NULL, NULL, "say more"},
    {"output", 'o', OPTION_TEXT, offsetof(struct values, output), "FILE", NULL, "write here"},
    {"on-full", 0, OPTION_CHOICE, offsetof(struct values, mode), "MODE", modes, "what then"},
    {"report", 0, OPTION_TEXT_OPTIONAL, offsetof(struct values, report), "FORMAT", reports,
     "print"},
    {"depth", 'd', OPTION_COUNT, offsetof(struct values, depth), "N", NULL, "frames"},
    {"max-size", 0, OPTION_SIZE, offsetof(struct values, limit_bytes), "SIZE", NULL, "stop there"},
    {"name", 'n', OPTION_LIST, offsetof(struct values, names), "NAME", NULL, "one more"},
};

struct parsed {
    struct values values;
    struct option_error error;
    int result, first, argc;
    char words[200], *argv[24];
};

/* Split `line` at blanks and parse it as the arguments of "cmd". */
static struct parsed *parse(struct parsed *parsed, const char *line, enum option_order order)
{
    memset(parsed, 0, sizeof *parsed);
    snprintf(parsed->words, sizeof parsed->words, "cmd %s", line);
    for (char *word = strtok(parsed->words, " "); word; word = strtok(NULL, " "))
        parsed->argv[parsed->argc++] = word;
    const struct option_set set = {specs, sizeof specs / sizeof *specs, order};
    parsed->result = options_parse(&set, parsed->argc, parsed->argv, &parsed->values,
                                   &parsed->first, &parsed->error);
    return parsed;
}

static void every_spelling_fills_its_value(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "-q -o out --depth 5 --max-size 2K --on-full drop trace",
        "-qo out -d5 --max-size=2K --on-full=drop trace",
        "trace --quiet --output=out --depth=5 --max-size 2048 --on-full drop",
        "-qoout --depth 5 trace --max-size 2KiB --on-full drop",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct parsed p;
        parse(&p, lines[i], OPTIONS_ANYWHERE);
        assert_int_equal(p.result, 0);
        assert_true(p.values.quiet && !p.values.verbose);
        assert_string_equal(p.values.output, "out");
        assert_string_equal(p.values.mode, "drop");
        assert_int_equal(p.values.depth, 5);
        assert_int_equal(p.values.limit_bytes, 2048);
        assert_int_equal(p.first, p.argc - 1);
        assert_string_equal(p.argv[p.first], "trace");
    }
}

static void a_list_keeps_every_one(void **state)
{
    (void)state;
    struct parsed p;
    char line[200] = "";
    parse(&p, "--name a trace -nb --name=c", OPTIONS_ANYWHERE);
    assert_int_equal(p.result, 0);
    assert_int_equal(p.values.names.n, 3);
    assert_string_equal(p.values.names.values[0], "a");
    assert_string_equal(p.values.names.values[1], "b");
    assert_string_equal(p.values.names.values[2], "c");
    for (unsigned i = 0; i < OPTION_LIST_MAX + 1; i++)
        strcat(line, "-nx ");
    parse(&p, line, OPTIONS_ANYWHERE);
    assert_int_equal(p.result, -EINVAL);
    assert_string_equal(p.error.why, "is given more than 16 times");
}

static void first_operand_ends_the_options_of_run(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "-q ls -o x --nonsense", OPTIONS_FIRST);
    assert_int_equal(p.result, 0);
    assert_null(p.values.output);
    assert_string_equal(p.argv[p.first], "ls");
    assert_string_equal(p.argv[p.first + 3], "--nonsense");
}

static void double_dash_ends_the_options(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "a -q -- -v b", OPTIONS_ANYWHERE);
    assert_int_equal(p.result, 0);
    assert_true(p.values.quiet && !p.values.verbose);
    assert_int_equal(p.argc - p.first, 3);
    assert_string_equal(p.argv[p.first], "a");
    assert_string_equal(p.argv[p.first + 1], "-v");
    assert_string_equal(p.argv[p.first + 2], "b");
}

static void a_single_dash_is_an_operand(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "-q -", OPTIONS_ANYWHERE);
    assert_int_equal(p.result, 0);
    assert_string_equal(p.argv[p.first], "-");
}

static void optional_value_needs_the_equals_sign(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, "--report json", OPTIONS_FIRST);
    assert_int_equal(p.result, 0);
    assert_string_equal(p.values.report, "text");
    assert_string_equal(p.argv[p.first], "json");
    parse(&p, "--report=json", OPTIONS_FIRST);
    assert_string_equal(p.values.report, "json");
}

static void help_is_reported(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, "-q --help", OPTIONS_ANYWHERE)->result, OPTIONS_HELP);
    assert_int_equal(parse(&p, "-h", OPTIONS_ANYWHERE)->result, OPTIONS_HELP);
    assert_int_equal(parse(&p, "ls --help", OPTIONS_FIRST)->result, 0);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *what, *why;
    } rows[] = {
        {"--quite", "--quite", "unknown option; did you mean --quiet?"},
        {"--max-sise=3", "--max-sise", "unknown option; did you mean --max-size?"},
        {"--zzzz", "--zzzz", "unknown option"},
        {"-x", "-x", "unknown option; --help lists them"},
        {"-qx", "-x", "unknown option; --help lists them"},
        {"--quiet=1", "--quiet", "takes no value"},
        {"--output", "--output", "needs a value: FILE"},
        {"--output=", "--output", "needs a value that is not empty"},
        {"-o", "-o", "needs a value: FILE"},
        {"--name=", "--name", "needs a value that is not empty"},
        {"--depth x", "--depth", "'x' is no number"},
        {"--depth -1", "--depth", "'-1' is no number"},
        {"--depth 99999999999999999999", "--depth", "'99999999999999999999' is too large"},
        {"--max-size 3Q", "--max-size", "'3Q' is no size (try 64K, 10M or 1G)"},
        {"--on-full dorp", "--on-full", "unknown value 'dorp'; did you mean drop?"},
        {"--on-full zzz", "--on-full", "unknown value 'zzz'; known are block, drop"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed p;
        parse(&p, rows[i].line, OPTIONS_ANYWHERE);
        assert_int_equal(p.result, -EINVAL);
        assert_string_equal(p.error.what, rows[i].what);
        assert_string_equal(p.error.why, rows[i].why);
    }
}

static void sizes_are_binary(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t bytes;
    } rows[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"64K", 0, 65536},
        {"64k", 0, 65536},
        {"1.5M", 0, 1572864},
        {"2GiB", 0, 1ull << 31},
        {"2GB", 0, 1ull << 31},
        {"1T", 0, 1ull << 40},
        {"512B", 0, 512},
        {"", -EINVAL, 0},
        {"K", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1KK", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"9223372036854775808T", -ERANGE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t bytes = 0;
        assert_int_equal(options_size(rows[i].text, &bytes), rows[i].result);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_every_one),
        cmocka_unit_test(every_spelling_fills_its_value),
        cmocka_unit_test(first_operand_ends_the_options_of_run),
        cmocka_unit_test(double_dash_ends_the_options),
        cmocka_unit_test(a_single_dash_is_an_operand),
        cmocka_unit_test(optional_value_needs_the_equals_sign),
        cmocka_unit_test(help_is_reported),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(sizes_are_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
