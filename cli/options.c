/* SPDX-License-Identifier: MIT */
/* What did the user ask for? Reads options by table; getopt_long(3) can neither name the nearest
 * option nor leave errors to the caller. */
#include "cli/options.h"

#include "cli/nearest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Where options_parse() stands. */
struct cursor {
    const struct option_set *set;
    char **argv;
    int argc;
    int at; /* the argument being read */
    void *values;
    struct option_error *error;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct cursor *cursor, const char *what,
                                                        const char *format, ...)
{
    struct option_error *error = cursor->error;
    snprintf(error->what, sizeof error->what, "%s", what);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->why, sizeof error->why, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int options_size(const char *text, uint64_t *bytes_out)
{
    static const char suffixes[] = "KMGT";
    if (*text < '0' || *text > '9' || strpbrk(text, "xXeEpPnN"))
        return -EINVAL;
    char *end = NULL;
    errno = 0;
    const double number = strtod(text, &end);
    if (errno != 0)
        return -ERANGE;
    double factor = 1;
    const char *suffix = memchr(suffixes, *end & ~0x20, sizeof suffixes - 1);
    if (suffix) {
        for (const char *at = suffixes; at <= suffix; at++)
            factor *= 1024;
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B')
        end++;
    if (*end)
        return -EINVAL;
    const double bytes = number * factor;
    if (bytes > 9.2e18)
        return -ERANGE;
    /* Whole numbers beyond 2^53 go the exact way; fractions are for people and small. */
    char *whole_end = NULL;
    const unsigned long long whole = strtoull(text, &whole_end, 10);
    *bytes_out = *whole_end == '.' ? (uint64_t)bytes : (uint64_t)whole * (uint64_t)factor;
    return 0;
}

static int parse_count(const char *text, uint64_t *count_out)
{
    if (*text < '0' || *text > '9')
        return -EINVAL;
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0)
        return -ERANGE;
    if (*end)
        return -EINVAL;
    *count_out = number;
    return 0;
}

static int refuse_choice(struct cursor *cursor, const char *what, const struct option_spec *spec,
                         const char *value)
{
    struct nearest best = {0};
    char list[160] = "";
    for (const char *const *choice = spec->choices; *choice; choice++) {
        nearest_offer(&best, value, *choice);
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", *choice);
    }
    if (best.word)
        return refuse(cursor, what, "unknown value '%s'; did you mean %s?", value, best.word);
    return refuse(cursor, what, "unknown value '%s'; known are %s", value, list);
}

static int store_choice(struct cursor *cursor, const char *what, const struct option_spec *spec,
                        const char *value)
{
    const char **slot = (const char **)((char *)cursor->values + spec->offset);
    if (!value) {
        *slot = spec->choices[0];
        return 0;
    }
    for (const char *const *choice = spec->choices; *choice; choice++) {
        if (strcmp(*choice, value) == 0) {
            *slot = *choice;
            return 0;
        }
    }
    return refuse_choice(cursor, what, spec, value);
}

static int store_in_list(struct cursor *cursor, const char *what, const struct option_spec *spec,
                         const char *value)
{
    struct option_list *const list =
        (struct option_list *)(void *)((char *)cursor->values + spec->offset);
    if (!*value)
        return refuse(cursor, what, "needs a value that is not empty");
    if (list->n == OPTION_LIST_MAX)
        return refuse(cursor, what, "is given more than %d times", OPTION_LIST_MAX);
    list->values[list->n++] = value;
    return 0;
}

static int store(struct cursor *cursor, const char *what, const struct option_spec *spec,
                 const char *value)
{
    char *slot = (char *)cursor->values + spec->offset;
    uint64_t number = 0;
    int result = 0;
    switch (spec->kind) {
    case OPTION_FLAG: *(bool *)slot = true; return 0;
    case OPTION_TEXT:
        if (!*value)
            return refuse(cursor, what, "needs a value that is not empty");
        *(const char **)slot = value;
        return 0;
    case OPTION_TEXT_OPTIONAL:
    case OPTION_CHOICE: return store_choice(cursor, what, spec, value);
    case OPTION_LIST: return store_in_list(cursor, what, spec, value);
    case OPTION_COUNT: result = parse_count(value, &number); break;
    case OPTION_SIZE: result = options_size(value, &number); break;
    }
    if (result == -ERANGE)
        return refuse(cursor, what, "'%s' is too large", value);
    if (result < 0)
        return refuse(cursor, what, "'%s' is no %s", value,
                      spec->kind == OPTION_SIZE ? "size (try 64K, 10M or 1G)" : "number");
    *(uint64_t *)slot = number;
    return 0;
}

static bool takes_value(const struct option_spec *spec)
{
    return spec->kind != OPTION_FLAG && spec->kind != OPTION_TEXT_OPTIONAL;
}

/* The value in the next argument, or NULL. */
static const char *next_value(struct cursor *cursor)
{
    return cursor->at + 1 < cursor->argc ? cursor->argv[++cursor->at] : NULL;
}

static int refuse_unknown(struct cursor *cursor, const char *what, const char *name)
{
    struct nearest best = {0};
    for (size_t i = 0; i < cursor->set->n; i++)
        nearest_offer(&best, name, cursor->set->specs[i].name);
    nearest_offer(&best, name, "help");
    if (best.word)
        return refuse(cursor, what, "unknown option; did you mean --%s?", best.word);
    return refuse(cursor, what, "unknown option");
}

static int read_long(struct cursor *cursor)
{
    const char *name = cursor->argv[cursor->at] + 2;
    const size_t length = strcspn(name, "=");
    const char *value = name[length] ? name + length + 1 : NULL;
    char what[128];
    snprintf(what, sizeof what, "--%.*s", (int)(length < 100 ? length : 100), name);
    if (strcmp(name, "help") == 0)
        return OPTIONS_HELP;
    for (size_t i = 0; i < cursor->set->n; i++) {
        const struct option_spec *spec = &cursor->set->specs[i];
        if (strlen(spec->name) != length || strncmp(spec->name, name, length) != 0)
            continue;
        if (spec->kind == OPTION_FLAG && value)
            return refuse(cursor, what, "takes no value");
        if (takes_value(spec) && !value)
            value = next_value(cursor);
        if (takes_value(spec) && !value)
            return refuse(cursor, what, "needs a value: %s", spec->value_name);
        return store(cursor, what, spec, value);
    }
    return refuse_unknown(cursor, what, what + 2);
}

static const struct option_spec *find_letter(const struct option_set *set, char letter)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->specs[i].letter == letter)
            return &set->specs[i];
    return NULL;
}

/* One argument of letters: flags may be bundled, the first that takes a value takes the rest. */
static int read_letters(struct cursor *cursor)
{
    for (const char *at = cursor->argv[cursor->at] + 1; *at; at++) {
        const char what[] = {'-', *at, '\0'};
        const struct option_spec *spec = find_letter(cursor->set, *at);
        if (!spec && *at == 'h')
            return OPTIONS_HELP;
        if (!spec)
            return refuse(cursor, what, "unknown option; --help lists them");
        if (!takes_value(spec)) {
            const int result = store(cursor, what, spec, NULL);
            if (result < 0)
                return result;
            continue;
        }
        const char *value = at[1] ? at + 1 : next_value(cursor);
        if (!value)
            return refuse(cursor, what, "needs a value: %s", spec->value_name);
        return store(cursor, what, spec, value);
    }
    return 0;
}

/* Move the arguments [from, to) before those at [first, from). */
static void move_before(char **argv, int first, int from, int to)
{
    for (; from < to; from++, first++) {
        char *argument = argv[from];
        memmove(&argv[first + 1], &argv[first], (size_t)(from - first) * sizeof *argv);
        argv[first] = argument;
    }
}

int options_parse(const struct option_set *set, int argc, char **argv, void *values,
                  int *operands_out, struct option_error *error_out)
{
    struct cursor cursor = {set, argv, argc, 1, values, error_out};
    int operands = 1; /* options stand before it, operands met so far from it to `at` */
    for (; cursor.at < argc; cursor.at++) {
        const char *argument = argv[cursor.at];
        const int first = cursor.at;
        if (argument[0] != '-' || !argument[1]) {
            if (set->order == OPTIONS_FIRST)
                break;
            continue;
        }
        const bool ends = strcmp(argument, "--") == 0;
        const int result = ends                 ? 0
                           : argument[1] == '-' ? read_long(&cursor)
                                                : read_letters(&cursor);
        if (result != 0)
            return result;
        move_before(argv, operands, first, cursor.at + 1);
        operands += cursor.at + 1 - first;
        if (ends)
            break;
    }
    *operands_out = operands;
    return 0;
}

static void print_head(const struct option_spec *spec, char *head, size_t size)
{
    const int n = spec->letter ? snprintf(head, size, "  -%c, --%s", spec->letter, spec->name)
                               : snprintf(head, size, "      --%s", spec->name);
    if (!spec->value_name || n < 0 || (size_t)n >= size)
        return;
    const bool optional = spec->kind == OPTION_TEXT_OPTIONAL;
    snprintf(head + n, size - (size_t)n, "%s%s%s", optional ? "[=" : " ", spec->value_name,
             optional ? "]" : "");
}

void options_print(const struct option_set *set, FILE *out)
{
    for (size_t i = 0; i < set->n; i++) {
        char head[64];
        print_head(&set->specs[i], head, sizeof head);
        const bool fits = strlen(head) < 27;
        fprintf(out, "%-28s", head);
        if (!fits)
            fprintf(out, "\n%28s", "");
        fprintf(out, "%s\n", set->specs[i].help);
    }
    fputs("  -h, --help                this help\n", out);
}
